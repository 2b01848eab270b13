"""Functions of the host that a query calls, made known to its session."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
from duckdb.func import FunctionNullHandling, PythonUDFType
from duckdb.sqltypes import DuckDBPyType

from vedette.lake.engine import HostFunction


def register_functions(connection: duckdb.DuckDBPyConnection, functions: Iterable[HostFunction]) -> None:
    """Register each function under its name. Equal calls within a query are computed once."""
    for function in functions:
        connection.create_function(
            function.name,
            function.batch,
            [DuckDBPyType(each) for each in function.parameters],
            DuckDBPyType(function.result),
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
            side_effects=False,
        )
