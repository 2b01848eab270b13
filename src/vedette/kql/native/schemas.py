"""Shapes of dynamic values: the schema that admits them all, and the paths of one."""

from __future__ import annotations

import json
from collections.abc import Iterable

_INDEXER = "`indexer`"


def schema_of_values(values: str) -> str | None:
    """The minimal schema (`buildschema`) of the members of a JSON array."""
    found = _merged(json.loads(values))
    return None if found is None else json.dumps(found)


def _merged(values: Iterable[object]) -> object:
    """Names of types, a bag of properties, or an array of these where they differ. None where all is null."""
    names: list[object] = []
    bags: list[dict[str, object]] = []
    items: list[object] | None = None
    for value in values:
        if isinstance(value, dict):
            bags.append(value)
        elif isinstance(value, list):
            items = [*(items or ()), *value]
        elif value is not None and (name := _name(value)) not in names:
            names.append(name)
    container = _container(bags, items)
    found = names if container is None else [*names, container]
    if not found:
        return None
    return found[0] if len(found) == 1 else found


def _container(bags: list[dict[str, object]], items: list[object] | None) -> dict[str, object] | None:
    if not bags and items is None:
        return None
    keys = dict.fromkeys(key for bag in bags for key in bag)
    members = {key: _merged(bag[key] for bag in bags if key in bag) for key in keys}
    if items is not None:
        members[_INDEXER] = _merged(items)
    return members


def _name(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    return {int: "long", float: "double"}.get(type(value), "string")


def treepath(value: str) -> str | None:
    """Paths of the properties and of the first item of arrays, parents before children."""
    parsed = json.loads(value)
    return json.dumps(list(_paths(parsed, ""))) if isinstance(parsed, dict | list) else None


def _paths(value: object, path: str) -> Iterable[str]:
    members: list[tuple[str, object]] = []
    if isinstance(value, dict):
        members = [(f"{path}['{key}']", member) for key, member in value.items()]
    elif isinstance(value, list):
        seen: dict[str, None] = {}
        for item in value:
            for found in (f"{path}[0]", *_paths(item, f"{path}[0]")):
                seen.setdefault(found)
        yield from seen
    for place, member in members:
        yield place
        yield from _paths(member, place)
