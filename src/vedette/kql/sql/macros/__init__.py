"""Long formulations as DuckDB macros: constant text of ours, created in a session before a query that uses them."""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Iterable, Mapping

FILES = (
    "reals", "conversions", "datetime", "numeric", "strings", "dynamic", "network", "aggregates", "ipv6", "sketches",
    "series", "geo",
)  # fmt: skip

_NAME = re.compile(r"\bkql_\w+")


@functools.cache
def macros() -> Mapping[str, str]:
    """The statement that creates each macro, by macro name; a macro stands after those that it uses."""
    folder = importlib.resources.files(__name__)
    found: dict[str, str] = {}
    for file in FILES:
        lines = (folder / f"{file}.sql").read_text("utf-8").splitlines()
        body = "\n".join(line for line in lines if not line.startswith("--"))
        for statement in filter(None, (part.strip() for part in body.split(";\n"))):
            name = _NAME.search(statement)
            assert name is not None, statement
            found[name[0]] = statement.rstrip(";")
    return found


@functools.cache
def _closure(name: str) -> frozenset[str]:
    used = {each for each in _NAME.findall(macros()[name]) if each != name and each in macros()}
    return frozenset(used).union({name}, *map(_closure, used))


def statements_for(names: Iterable[str]) -> tuple[str, ...]:
    """The statements that make these macros available, dependencies first."""
    needed: set[str] = set()
    for name in names:
        needed |= _closure(name)
    return tuple(macros()[name] for name in sorted(needed, key=lambda each: (len(_closure(each)), each)))


def macros_in(sql: str) -> frozenset[str]:
    """The macros that an SQL text names."""
    return frozenset(name for name in _NAME.findall(sql) if name in macros())


def session_statements() -> tuple[str, ...]:
    """All of them, each after those it uses: for hosts that open a session before they know the query."""
    return statements_for(macros())
