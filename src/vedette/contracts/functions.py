"""The query language's functions as facts for documents. Reads the data files of `kql`, not its code."""

import functools
import tomllib
from importlib import resources
from typing import Literal

import msgspec

Status = Literal["implemented", "partial", "planned"]

_HIDDEN = frozenset({"internal"})


class FunctionContract(msgspec.Struct, frozen=True):
    """One function by one of its names. `group` is the family whose file describes it."""

    name: str
    group: str
    status: Status
    source: str


@functools.cache
def load_functions() -> tuple[FunctionContract, ...]:
    """All functions that users can name, by group and name."""
    folder = resources.files("vedette") / "kql" / "functions" / "signatures"
    functions = []
    for file in folder.iterdir():
        group = file.name.removesuffix(".toml")
        if file.name.endswith(".toml") and group not in _HIDDEN:
            for name, record in tomllib.loads(file.read_text("utf-8")).items():
                status = record.get("status", "implemented")
                functions.append(FunctionContract(name, group, status, record.get("source", "")))
    return tuple(sorted(functions, key=lambda each: (each.group, each.name)))
