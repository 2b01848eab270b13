"""The coverage table of docs/kql.md: every operator and function, and whether it works, from the registry itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vedette.kql.binder import bind  # noqa: F401 - it registers the operators
from vedette.kql.binder.pipelines import OPERATORS, SOURCES
from vedette.kql.functions.registry import Function, Kind, functions
from vedette.kql.native.registry import COSTS, EXTRAS, natives
from vedette.kql.sql.aggregates import UNSUPPORTED as AGGREGATES_REFUSED
from vedette.kql.sql.duckdb import DUCKDB

_TITLES: Mapping[Kind, str] = {
    "scalar": "Scalar functions",
    "aggregate": "Aggregate functions",
    "window": "Window functions",
    "operator": "Scalar operators",
    "plugin": "Plugins of evaluate",
}


def render_language_coverage() -> str:
    """The tables as Markdown."""
    lines = ["## Coverage", "", "Generated from the registry of functions; a test compares.", ""]
    lines += _operators()
    for kind in _TITLES:
        lines += _table(kind)
    lines += _natives()
    return "\n".join(lines) + "\n"


def _operators() -> Iterator[str]:
    yield "### Tabular operators"
    yield ""
    yield from sorted(f"- `{_spelled(each.__name__)}`" for each in {*OPERATORS, *SOURCES})
    yield ""


def _spelled(name: str) -> str:
    """`MvExpandOperator` as the documentation writes it."""
    words = name.removesuffix("Operator")
    return _IRREGULAR.get(words) or "".join(
        f"-{each.lower()}" if each.isupper() else each for each in words
    ).removeprefix("-")


_IRREGULAR = {"GetSchema": "getschema", "ExecuteAndCache": "execute_and_cache"}


def _table(kind: Kind) -> Iterator[str]:
    found = sorted(functions(kind).values(), key=lambda each: each.name)
    states = {each.name: _state(each) for each in found}
    works = sum(state == "works" for state in states.values())
    yield f"### {_TITLES[kind]}"
    yield ""
    yield f"{works} of {len(found)} work."
    yield ""
    yield "| name | state | page |"
    yield "| --- | --- | --- |"
    for each in found:
        yield f"| `{each.name}` | {states[each.name]} | {each.record.source or ''} |"
    yield ""


def _state(function: Function) -> str:
    refusals = AGGREGATES_REFUSED if function.kind == "aggregate" else DUCKDB.unsupported
    reason = refusals.get(function.canonical)
    if reason is not None and function.canonical not in _TIME:
        return f"refused: {reason}"
    if function.record.status == "partial":
        return f"partly: {function.record.question}"
    return "works" if function.record.status == "implemented" else "refused: not built"


_TIME = frozenset({"now", "ago", "ingestion_time"})
"""Functions that are gone once names are resolved, and so never reach the dialect."""


def _natives() -> Iterator[str]:
    yield "### Computed in Python"
    yield ""
    yield "Everything else is SQL. These run over batches of rows, and cost:"
    yield ""
    yield "| function | cost | extra |"
    yield "| --- | --- | --- |"
    for native in sorted(natives().values(), key=lambda each: each.name):
        yield f"| `{native.name}` | {COSTS[native.cost]} | {f'`{native.extra}`' if native.extra else ''} |"
    yield ""
    for extra, packages in sorted(EXTRAS.items()):
        yield f"The extra `{extra}` brings {', '.join(packages)}."
