"""The language's native functions as functions of the query engine's host."""

from collections.abc import Iterable

from vedette.kql.native.registry import PREFIX, natives_named
from vedette.lake.engine import HostFunction


def host_functions(names: Iterable[str]) -> tuple[HostFunction, ...]:
    """What the engine has to register for a compiled query with these `natives`."""
    return tuple(
        HostFunction(f"{PREFIX}{native.name}", native.parameters, native.result, native.batch())
        for native in natives_named(names)
    )
