"""The language's native functions as functions of the query engine's host."""

from collections.abc import Iterable

from vedette.hunting.places import PlaceDatabase
from vedette.kql.native.batches import Shape, over_columns
from vedette.kql.native.registry import NativeUse
from vedette.lake.engine import HostFunction

PLACES = "geo_info_from_ip_address"
"""The function whose answers come from the host's database."""


def host_functions(uses: Iterable[NativeUse], places: PlaceDatabase | None = None) -> tuple[HostFunction, ...]:
    """What the engine has to register for a compiled query with these `natives`."""
    return tuple(_host_function(use, places) for use in uses)


def _host_function(use: NativeUse, places: PlaceDatabase | None) -> HostFunction:
    batch = use.batch()
    if places is not None and use.name == PLACES:
        batch = over_columns(places.geo_info_from_ip_address, Shape(1, use.result, dict(use.constants)))
    return HostFunction(use.sql_name, use.parameters, use.result, batch)
