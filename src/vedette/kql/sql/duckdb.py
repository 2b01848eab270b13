"""The DuckDB dialect: which family lowers which function, and what DuckDB cannot do."""

from __future__ import annotations

from vedette.kql.functions.registry import functions
from vedette.kql.plan import Call
from vedette.kql.sql import (
    arithmetic,
    calendar,
    comparison,
    conditional,
    conversions,
    decimals,
    dynamic,
    graph_paths,
    key_values,
    logic,
    matching,
    membership,
    natives,
    network,
    numeric,
    sketches,
    text,
    units,
)
from vedette.kql.sql.base import RESOLVED_BY_BINDER, Dialect, Lowering, Scalars, function_rule
from vedette.kql.sql.literals import literal
from vedette.kql.sql.macros import macros
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

FAMILIES = (
    arithmetic.family, comparison.family, logic.family, membership.family, matching.family, conditional.family,
    conversions.family, dynamic.family, text.family, calendar.family, numeric.family, network.family,
    key_values.family, graph_paths.family, units.family, sketches.family, natives.family,
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
    _read_decimals_as_reals(lowerings)
    unsupported = {name: reason for name, reason in unsupported.items() if name not in lowerings}
    return Dialect("duckdb", lowerings, conditions, unsupported, literal)


def _reason(name: str) -> str:
    return next((reason for prefix, reason in _PLANNED.items() if name.startswith(prefix)), "not built")


_OF_DECIMALS = frozenset({"abs", "bin", "bin_at", "ceiling", "round"})
_NUMERIC = frozenset({"number", "number_or_bool", "real_or_decimal", "summable"})


def _read_decimals_as_reals(lowerings: dict[str, Lowering]) -> None:
    """Functions of numbers compute in reals, save those that keep all digits of decimals."""
    for function in functions("scalar").values():
        types = {each for signature in function.signatures for one in signature.parameters for each in one.types}
        name = function.canonical
        if types & _NUMERIC and name in lowerings and name not in _OF_DECIMALS:
            lowerings[name] = _in_reals(lowerings[name])


def _in_reals(lowering: Lowering) -> Lowering:
    def lower(scalars: Scalars, call: Call) -> Sql:
        if not any(each.type is ScalarType.DECIMAL for each in call.arguments):
            return lowering(scalars, call)
        arguments = tuple(
            Call(ScalarType.REAL, "todouble", (each,)) if each.type is ScalarType.DECIMAL else each
            for each in call.arguments
        )
        type_ = ScalarType.REAL if call.type is ScalarType.DECIMAL else call.type
        found = lowering(scalars, Call(type_, call.function, arguments))
        return decimals.of_number(found) if call.type is ScalarType.DECIMAL else found

    return lower


DUCKDB = _build()
DUCKDB.check()
