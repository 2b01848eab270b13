"""Runs a self-contained KQL query in an in-memory DuckDB: what the conformance scorers call."""

from __future__ import annotations

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
from vedette.kql.native.registry import NativeUse
from vedette.kql.types import ScalarType
from vedette.lake.engines.duckdb_functions import register_functions

Cell = object
Row = tuple[Cell, ...]


def run_kql(query: str) -> tuple[list[str], list[Row]]:
    """Columns and rows of a query that needs no tables.

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

        compiled = compile_with_discovery(query, EmptyCatalog(), now=to_ticks(time.time()), run=run)
        rows = run(compiled)
    types = [column.type for column in compiled.columns]
    return [column.name for column in compiled.columns], [_row(row, types) for row in rows]


def _row(row: Sequence[object], types: Sequence[ScalarType]) -> Row:
    return tuple(_cell(value, type_) for value, type_ in zip(row, types, strict=True))


def _cell(value: object, type_: ScalarType) -> Cell:
    if value is None:
        return None
    if type_ is ScalarType.DATETIME:
        return ("$datetime", value)
    if type_ is ScalarType.TIMESPAN:
        return ("$timespan", value)
    if type_ is ScalarType.DYNAMIC:
        return json.loads(str(value))
    if isinstance(value, float) and math.isnan(value):
        return float("nan")
    return value
