"""The language's native functions as functions of the query engine's host."""

from collections.abc import Iterable

from vedette.kql.native.registry import NativeUse
from vedette.lake.engine import HostFunction


def host_functions(uses: Iterable[NativeUse]) -> tuple[HostFunction, ...]:
    """What the engine has to register for a compiled query with these `natives`."""
    return tuple(HostFunction(use.sql_name, use.parameters, use.result, use.batch()) for use in uses)
