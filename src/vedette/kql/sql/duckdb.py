"""The DuckDB dialect: which family lowers which function, and what DuckDB cannot do."""

from __future__ import annotations

from vedette.kql.functions.registry import functions
from vedette.kql.sql import (
    calendar,
    conditional,
    conversions,
    dynamic,
    graph_paths,
    key_values,
    matching,
    natives,
    network,
    numeric,
    operators,
    sketches,
    text,
    units,
)
from vedette.kql.sql.base import RESOLVED_BY_BINDER, Dialect, Lowering, function_rule
from vedette.kql.sql.literals import literal
from vedette.kql.sql.macros import macros

FAMILIES = (
    operators.family, matching.family, conditional.family, conversions.family, dynamic.family, text.family,
    calendar.family, numeric.family, network.family, key_values.family, graph_paths.family,
    units.family, sketches.family, natives.family,
)  # fmt: skip

_PLANNED = {"geospatial": "geospatial functions", "series": "series functions", "graph": "graph functions"}


def _build() -> Dialect:
    lowerings: dict[str, Lowering] = {}
    conditions: dict[str, Lowering] = {}
    unsupported: dict[str, str] = {}
    for family in FAMILIES:
        lowerings.update({name: function_rule(sql_name) for name, sql_name in family.simple.items()})
        lowerings.update(family.rules)
        conditions.update(family.conditions)
        unsupported.update(family.unsupported)
    for kind in ("scalar", "operator"):
        for function in functions(kind).values():
            name = function.canonical
            if name not in lowerings and f"kql_{name}" in macros():
                lowerings[name] = function_rule(f"kql_{name}")
            elif name not in lowerings and name not in RESOLVED_BY_BINDER:
                unsupported.setdefault(name, function.record.refused or _reason(name))
    unsupported = {name: reason for name, reason in unsupported.items() if name not in lowerings}
    return Dialect("duckdb", lowerings, conditions, unsupported, literal)


def _reason(name: str) -> str:
    return next((reason for prefix, reason in _PLANNED.items() if name.startswith(prefix)), "not built")


DUCKDB = _build()
DUCKDB.check()
