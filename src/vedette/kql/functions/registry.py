"""The registry of functions: one record per name, read from `signatures/*.toml`. It knows names and types, not SQL."""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import tomllib
from collections.abc import Mapping
from typing import Literal

import msgspec

from vedette.errors import ContractError
from vedette.kql.functions.signature import Signature, parse_signature

Kind = Literal["scalar", "aggregate", "window", "operator", "plugin", "internal"]
Naming = Literal[
    "none",
    "first",
    "only",
    "column",
    "prefix",
    "prefix_and_first",
    "prefix_and_two",
    "prefix_and_only",
    "function_and_first",
]


class FunctionRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record as written. `order` lists the positions of a legacy function's arguments in its successor's order.

    `refused` says why a known plugin is not offered.
    """

    signatures: tuple[str, ...]
    canonical: str | None = None
    naming: Naming = "none"
    prefix: str | None = None
    results: tuple[str, ...] = ()
    order: tuple[int, ...] = ()
    symbol: str | None = None
    source: str | None = None
    status: Literal["implemented", "partial", "planned"] = "implemented"
    question: str | None = None
    refused: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Function:
    """A function by one of its names. `canonical` is its name in the plan."""

    name: str
    kind: Kind
    canonical: str
    record: FunctionRecord

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """Its overloads, in order of preference."""
        return tuple(parse_signature(text) for text in self.record.signatures)


_KINDS: Mapping[str, Kind] = {
    "aggregates": "aggregate",
    "operators": "operator",
    "window": "window",
    "plugins": "plugin",
    "internal": "internal",
}


@functools.cache
def _load() -> Mapping[Kind, Mapping[str, Function]]:
    tables: dict[Kind, dict[str, Function]] = {
        "scalar": {}, "aggregate": {}, "window": {}, "operator": {}, "plugin": {}, "internal": {},
    }  # fmt: skip
    folder = importlib.resources.files("vedette.kql.functions") / "signatures"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        kind = _KINDS.get(file.name.removesuffix(".toml"), "scalar")
        for name, raw in tomllib.loads(file.read_text("utf-8")).items():
            try:
                record = msgspec.convert(raw, FunctionRecord)
            except msgspec.ValidationError as error:
                raise ContractError(f"{file.name}: {name}: {error}") from error
            if name in tables[kind]:
                raise ContractError(f"{file.name}: {name} is described twice")
            tables[kind][name] = Function(name, kind, record.canonical or name, record)
    return tables


def functions(kind: Kind) -> Mapping[str, Function]:
    """All functions of a kind by name, legacy names included."""
    return _load()[kind]


def find(kind: Kind, name: str) -> Function | None:
    """The function of that kind and exact name, or None."""
    return _load()[kind].get(name)


@functools.cache
def operator_named(symbol: str, operands: int = 2) -> str:
    """Name in the plan of the operator written `symbol`."""
    for function in functions("operator").values():
        if function.record.symbol == symbol and (operands == 1) == (function.name == "negate"):
            return function.name
    raise ContractError(f"no operator {symbol!r}")
