"""Runs a self-contained KQL query in an in-memory DuckDB: what the conformance scorers call."""

from __future__ import annotations

import decimal
import json
import math
import time
from collections.abc import Sequence

import duckdb

from vedette.clock import to_ticks
from vedette.hunting.native_functions import host_functions
from vedette.kql.catalog import EmptyCatalog
from vedette.kql.compile import compile_with_discovery
from vedette.kql.compiled import CompiledQuery
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.errors import Span
from vedette.kql.native.registry import NativeUse
from vedette.kql.types import ScalarType
from vedette.lake.engines.duckdb_functions import register_functions

Cell = object
Row = tuple[Cell, ...]


def run_kql(query: str) -> tuple[list[str], list[Row]]:
    """Columns and rows of a query that needs no tables.

    Raises KqlError, also for externaldata, as nothing is fetched.

    A datetime is `("$datetime", ticks)`, a timespan `("$timespan", ticks)`, a dynamic value what its JSON says.
    """
    known: set[NativeUse] = set()
    with duckdb.connect(config={"threads": "1"}) as connection:

        def run(compiled: CompiledQuery) -> list[tuple[object, ...]]:
            register_functions(connection, host_functions(set(compiled.natives) - known))
            known.update(compiled.natives)
            for statement in compiled.setup:
                connection.execute(statement)
            return connection.execute(compiled.sql, list(compiled.parameters)).fetchall()

        def run_alone(compiled: CompiledQuery) -> list[tuple[object, ...]]:
            _refuse_externals(query, compiled)
            return run(compiled)

        compiled = compile_with_discovery(query, EmptyCatalog(), now=to_ticks(time.time()), run=run_alone)
        rows = run_alone(compiled)
    types = [column.type for column in compiled.columns]
    return [column.name for column in compiled.columns], [_row(row, types) for row in rows]


def _refuse_externals(query: str, compiled: CompiledQuery) -> None:
    """Nothing is fetched here: that takes a server, with its list of hosts."""
    if not compiled.externals:
        return
    diagnostics = Diagnostics(query)
    span = Span(max(query.find("external"), 0), len("externaldata"))
    diagnostics.report("not_available", span, name="externaldata", reason="run_kql fetches nothing")
    diagnostics.raise_errors()


def _row(row: Sequence[object], types: Sequence[ScalarType]) -> Row:
    """The cells of a row. The result of a query without columns has one that stands for its rows."""
    return tuple(_cell(value, type_) for value, type_ in zip(row, types, strict=bool(types)))


def _cell(value: object, type_: ScalarType) -> Cell:
    if value is None:
        return None
    if type_ in {ScalarType.DATETIME, ScalarType.TIMESPAN}:
        return (f"${type_}", value)
    if type_ is ScalarType.DYNAMIC:
        return json.loads(str(value))
    if type_ is ScalarType.DECIMAL:
        return decimal.Decimal(str(value))
    if isinstance(value, float) and math.isnan(value):
        return float("nan")
    return value
