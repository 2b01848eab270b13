"""Golden files: a hunting query, the SQL it becomes, and the rows it answers over a few events.

`VEDETTE_GOLDEN=write` writes the SQL and the rows anew: read the difference before it is committed.
"""

import json
import os
from pathlib import Path

import duckdb
import pytest

from vedette.hunting.catalog import ContractCatalog
from vedette.kql.compile import compile_with_discovery
from vedette.kql.compiled import CompiledQuery
from vedette.kql.sql.literals import SQL_TYPES, default

FOLDER = Path(__file__).parent
NOW = 638_700_000_000_000_000
DAY = 864_000_000_000
CASES = sorted(path.stem for path in FOLDER.glob("*.kql"))


def _tables(connection: duckdb.DuckDBPyConnection, catalog: ContractCatalog, compiled: CompiledQuery) -> None:
    events = json.loads((FOLDER / "events.json").read_text("utf-8"))
    for read in compiled.reads:
        schema = catalog.table(read.table)
        assert schema is not None
        columns = ", ".join(
            f'"{each.physical}" {SQL_TYPES[each.type]} DEFAULT {default(each.type).sql("duckdb")}'
            for each in schema.columns
        )
        connection.execute(f'CREATE OR REPLACE TABLE "{read.relation}" ({columns})')
        for event in events.get(read.table, []):
            row = {name: NOW - round(value * DAY) if name == "Timestamp" else value for name, value in event.items()}
            names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
            values = [json.dumps(value) if isinstance(value, (dict, list)) else value for value in row.values()]
            connection.execute(f'INSERT INTO "{read.relation}" ({names}) VALUES ({marks})', values)


def _answer(query: str) -> tuple[str, str]:
    catalog = ContractCatalog()
    with duckdb.connect(config={"threads": "1"}) as connection:

        def run(compiled: CompiledQuery) -> list[tuple[object, ...]]:
            for statement in compiled.setup:
                connection.execute(statement)
            _tables(connection, catalog, compiled)
            return connection.execute(compiled.sql, list(compiled.parameters)).fetchall()

        compiled = compile_with_discovery(query, catalog, now=NOW, run=run)
        rows = run(compiled)
    head = "\t".join(f"{column.name}:{column.type}" for column in compiled.columns)
    lines = ["\t".join("" if cell is None else str(cell) for cell in row) for row in rows]
    return _pretty(compiled.sql), "\n".join([head, *(lines if compiled.ordered else sorted(lines))]) + "\n"


def _pretty(sql: str) -> str:
    """One line a step of the WITH chain, so that differences read well."""
    return (
        sql.replace(" AS NOT MATERIALIZED (", " AS NOT MATERIALIZED (\n  ")
        .replace("), t", "),\nt")
        .replace(") SELECT ", ")\nSELECT ")
        + "\n"
    )


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    sql, rows = _answer((FOLDER / f"{case}.kql").read_text("utf-8"))
    if os.environ.get("VEDETTE_GOLDEN") == "write":
        (FOLDER / f"{case}.sql").write_text(sql, "utf-8")
        (FOLDER / f"{case}.tsv").write_text(rows, "utf-8")
    assert sql == (FOLDER / f"{case}.sql").read_text("utf-8")
    assert rows == (FOLDER / f"{case}.tsv").read_text("utf-8")
