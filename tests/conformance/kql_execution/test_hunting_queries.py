"""Published hunting queries over empty tables: all that bind must run, and the engine never raises."""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from vedette.hunting.catalog import ContractCatalog
from vedette.hunting.native_functions import host_functions
from vedette.kql.compile import compile_with_discovery
from vedette.kql.compiled import CompiledQuery
from vedette.kql.errors import KqlError
from vedette.kql.sql.literals import SQL_TYPES
from vedette.kql.sql.macros import session_statements
from vedette.lake.engines.duckdb_functions import register_functions

NOW = 638_700_000_000_000_000
PARTS = 8


class EmptyTables:
    """An engine whose tables have all their columns and no rows."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._natives: set[str] = set()
        self.catalog = ContractCatalog()
        for statement in session_statements():
            connection.execute(statement)

    def run(self, compiled: CompiledQuery) -> list[tuple[object, ...]]:
        for read in compiled.reads:
            schema = self.catalog.table(read.table)
            assert schema is not None
            columns = [(each.physical, SQL_TYPES[each.type]) for each in schema.columns]
            if schema.ingestion_column is not None:
                columns.append((schema.ingestion_column, "BIGINT"))
            self._create(read.relation, columns)
        for external in compiled.externals:
            self._create(external.relation, [(each.name, SQL_TYPES[each.type]) for each in external.columns])
        register_functions(self._connection, host_functions(set(compiled.natives) - self._natives))
        self._natives.update(compiled.natives)
        return self._connection.execute(compiled.sql, list(compiled.parameters)).fetchall()

    def _create(self, relation: str, columns: list[tuple[str, str]]) -> None:
        described = ", ".join(f'"{name}" {type_}' for name, type_ in columns)
        self._connection.execute(f'CREATE OR REPLACE TABLE "{relation}" ({described})')


@pytest.fixture
def engine() -> Iterator[EmptyTables]:
    with duckdb.connect(config={"threads": "1"}) as connection:
        yield EmptyTables(connection)


@pytest.mark.shared
@pytest.mark.parametrize("part", range(PARTS))
def test_what_binds_runs(shared: Path, engine: EmptyTables, part: int) -> None:
    lines = (shared / "conformance" / "hunting_queries.jsonl").read_text("utf-8").splitlines()
    failures = []
    ran = 0
    for line in lines[part::PARTS]:
        record = json.loads(line)
        try:
            engine.run(compile_with_discovery(record["query"], engine.catalog, now=NOW, run=engine.run))
            ran += 1
        except KqlError:
            continue
        except duckdb.Error as error:
            failures.append((record["id"], str(error)[:200]))
    assert not failures
    assert ran >= 0.85 * len(lines[part::PARTS])
