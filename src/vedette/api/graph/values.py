"""Values of Graph's published types as clients give them: checked, completed, enums in Graph's case."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from vedette.clock import format_ticks
from vedette.contracts.graph_types import GraphProperty, GraphTypes, load_graph_types
from vedette.errors import InvalidRequestError
from vedette.ids import is_guid
from vedette.odata.dates import parse_ticks
from vedette.odata.sql import is_long

MAX_DEPTH = 12
"""Levels of objects within objects; a value deeper than that is refused."""

Members = dict[str, Any]

_NUMBERS = {"Edm.Int32": 32, "Edm.Int64": 64}
_ODATA_TYPE = re.compile(r"#?(microsoft\.graph(?:\.security)?\.\w+)")


def complete(type_name: str, given: Mapping[str, Any], place: str = "", depth: int = 0) -> Members:
    """`given` with every property of the type, in its order: null or empty where nothing was given.

    Raises InvalidRequestError naming the property that is unknown or has a value of another type.
    """
    types = load_graph_types()
    if depth > MAX_DEPTH:
        raise InvalidRequestError("InvalidBodyValue", property=place)
    names = {name.lower(): name for name in given if "@odata." not in name}
    members: Members = {}
    for prop in types.properties(type_name):
        where = f"{place}.{prop.name}" if place else prop.name
        value = given[names.pop(prop.name.lower())] if prop.name.lower() in names else None
        members[prop.name] = _value(types, prop, value, where, depth)
    if names and not types.types[type_name].open:
        unknown = next(iter(names.values()))
        raise InvalidRequestError("UnknownBodyProperty", property=f"{place}.{unknown}" if place else unknown)
    return members | {name: given[name] for name in names.values()}


def odata_type(given: Mapping[str, Any], base: str) -> str:
    """The type that a value says it is of, which has to derive from `base`. Raises InvalidRequestError."""
    text = given.get("@odata.type")
    match = _ODATA_TYPE.fullmatch(text) if isinstance(text, str) else None
    types = load_graph_types()
    if match is None or not types.is_a(match[1], base) or types.types[match[1]].abstract:
        raise InvalidRequestError("InvalidBodyValue", property="@odata.type")
    return match[1]


def sparse(value: Any) -> Any:
    """A value without what `complete` would add again."""
    if isinstance(value, dict):
        kept = {name: sparse(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item is not None and item != []}
    return [sparse(item) for item in value] if isinstance(value, list) else value


def _value(types: GraphTypes, prop: GraphProperty, value: Any, where: str, depth: int) -> Any:
    if prop.is_collection:
        if not isinstance(value, list | None):
            raise InvalidRequestError("InvalidBodyValue", property=where)
        return [_single(types, prop.type, item, f"{where}[{place}]", depth) for place, item in enumerate(value or ())]
    if value is None:
        return None if prop.is_nullable else _least(types, prop.type)
    return _single(types, prop.type, value, where, depth)


def _single(types: GraphTypes, type_name: str, value: Any, where: str, depth: int) -> Any:
    if type_name in types.enums:
        member = types.enums[type_name].parse(value) if isinstance(value, str) else None
        if member is None:
            raise InvalidRequestError("InvalidBodyValue", property=where)
        return member
    if type_name in types.types:
        return _object(types, type_name, value, where, depth)
    converted = _PRIMITIVES[type_name](value)
    if converted is None:
        raise InvalidRequestError("InvalidBodyValue", property=where)
    return converted


def _object(types: GraphTypes, type_name: str, value: Any, where: str, depth: int) -> Any:
    if not isinstance(value, dict):
        raise InvalidRequestError("InvalidBodyValue", property=where)
    record = types.types[type_name]
    if record.abstract:
        type_name = odata_type(value, type_name)
    members = complete(type_name, value, where, depth + 1)
    is_named = record.abstract or record.base is not None or "@odata.type" in value
    return {"@odata.type": f"#{type_name}", **members} if is_named else members


def _least(types: GraphTypes, type_name: str) -> Any:
    """What stands for nothing where null may not."""
    if type_name in types.enums:
        members = types.enums[type_name].members
        return next((name for name in ("unknown", "none") if name in members), next(iter(members)))
    if type_name in types.types:
        return complete(type_name, {})
    return _LEAST.get(type_name, "")


_LEAST: Mapping[str, Any] = {
    "Edm.Boolean": False,
    "Edm.Int32": 0,
    "Edm.Int64": 0,
    "Edm.Double": 0.0,
    "Edm.DateTimeOffset": format_ticks(0),
}


def _whole(bits: int) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        whole = isinstance(value, int) and not isinstance(value, bool) and is_long(value)
        return value if whole and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1) else None

    return convert


def _moment(value: Any) -> Any:
    ticks = parse_ticks(value) if isinstance(value, str) else None
    return None if ticks is None else format_ticks(ticks)


_PRIMITIVES: Mapping[str, Callable[[Any], Any]] = {
    "Edm.String": lambda value: value if isinstance(value, str) else None,
    "Edm.Boolean": lambda value: value if isinstance(value, bool) else None,
    "Edm.Double": lambda value: value if isinstance(value, int | float) and not isinstance(value, bool) else None,
    "Edm.Guid": lambda value: value.lower() if isinstance(value, str) and is_guid(value) else None,
    "Edm.DateTimeOffset": _moment,
    **{name: _whole(bits) for name, bits in _NUMBERS.items()},
}
