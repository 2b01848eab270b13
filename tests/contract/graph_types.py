"""Checks JSON against Graph's published types: names, types, enums, nullability, completeness."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NAMESPACE = "microsoft.graph.security"

_PRIMITIVES: Mapping[str, tuple[type, ...]] = {
    "Edm.String": (str,),
    "Edm.Guid": (str,),
    "Edm.Int32": (int,),
    "Edm.Int64": (int,),
    "Edm.Double": (int, float),
    "Edm.Boolean": (bool,),
    "Edm.DateTimeOffset": (str,),
}
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z")


class GraphTypes:
    """The types of the contract's file."""

    def __init__(self, folder: Path, namespace: str = NAMESPACE) -> None:
        document = json.loads((folder / "contract" / "graph_security_types.json").read_text())
        self._types = document["v1.0"][namespace]

    def problems(self, value: Any, type_name: str, where: str = "") -> Iterator[str]:
        """Everything in which `value` differs from a structured type of the namespace. Missing members count."""
        properties = dict(self._properties(type_name))
        members = {name: item for name, item in value.items() if not name.startswith("@odata.")}
        for name in properties.keys() - members.keys():
            yield f"{where}.{name}: missing"
        for name, item in members.items():
            if name in properties:
                yield from self._check(item, properties[name], f"{where}.{name}")
            elif name not in self._navigation(type_name) and name != "id" and not self._record(type_name).get("open"):
                yield f"{where}.{name}: unknown"

    def _properties(self, type_name: str) -> Iterator[tuple[str, Any]]:
        record = self._record(type_name)
        base = record.get("base", "")
        if base.startswith(NAMESPACE):
            yield from self._properties(base.rpartition(".")[2])
        yield from record.get("properties", {}).items()

    def _navigation(self, type_name: str) -> Mapping[str, Any]:
        navigation: Mapping[str, Any] = self._record(type_name).get("navigation", {})
        return navigation

    def _record(self, type_name: str) -> Mapping[str, Any]:
        record: Mapping[str, Any] = self._types["entities"].get(type_name) or self._types["complex"][type_name]
        return record

    def _check(self, value: Any, declared: Any, where: str) -> Iterator[str]:
        type_name, nullable = (declared, True) if isinstance(declared, str) else (declared["type"], False)
        collection = re.fullmatch(r"Collection\((.+)\)", type_name)
        if collection:
            if not isinstance(value, list):
                yield f"{where}: not a list"
                return
            for number, item in enumerate(value):
                yield from self._check(item, collection[1], f"{where}[{number}]")
        elif value is None:
            if not nullable:
                yield f"{where}: null"
        elif type_name in _PRIMITIVES:
            yield from _check_primitive(value, type_name, where)
        else:
            yield from self._check_named(value, type_name.rpartition(".")[2], where)

    def _check_named(self, value: Any, type_name: str, where: str) -> Iterator[str]:
        if type_name in self._types["enums"]:
            if value not in self._types["enums"][type_name]["members"]:
                yield f"{where}: {value!r} is no {type_name}"
            return
        if not isinstance(value, dict):
            yield f"{where}: not an object"
            return
        if type_name == "alertEvidence":  # abstract: the annotation names the type
            odata_type = value.get("@odata.type", "")
            if not odata_type.startswith(f"#{NAMESPACE}."):
                yield f"{where}: no @odata.type"
                return
            type_name = odata_type.rpartition(".")[2]
        if type_name != "dictionary":
            yield from self.problems(value, type_name, where)


def _check_primitive(value: Any, type_name: str, where: str) -> Iterator[str]:
    if not isinstance(value, _PRIMITIVES[type_name]) or (type_name != "Edm.Boolean" and isinstance(value, bool)):
        yield f"{where}: {value!r} is no {type_name}"
    elif type_name == "Edm.DateTimeOffset" and not _DATE_TIME.fullmatch(value):
        yield f"{where}: {value!r} is no date"
