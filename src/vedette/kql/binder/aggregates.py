"""Aggregates with several results: arg_max, arg_min, take_any, percentiles. Each result becomes a column of its own."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import constant
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert, unconverted
from vedette.kql.binder.names import default_name
from vedette.kql.binder.scopes import Scope, reference
from vedette.kql.functions.registry import Function, find
from vedette.kql.functions.signature import TYPE_CLASSES
from vedette.kql.plan import Aggregate, Column, Expression, Literal
from vedette.kql.types import ScalarType

_T = ScalarType


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """One output of an aggregate expression; `name` as KQL derives it, None where it is numbered."""

    name: str | None
    expression: Expression


@dataclasses.dataclass(frozen=True, slots=True)
class GroupScope:
    """Where aggregates are bound: the scope over the input, and the columns that `*` leaves out (the keys)."""

    scope: Scope
    excluded: frozenset[int]


def expand_aggregate(binder: Binder, written: syntax.Expression, group: GroupScope) -> list[Result] | None:
    """The results of a call with several, None for every other expression."""
    if not isinstance(written, syntax.FunctionCall) or not written.arguments:
        return None
    function = find("aggregate", written.name.text)
    expand = _EXPANSIONS.get(function.canonical) if function is not None else None
    return None if expand is None or function is None else expand(binder, function, written, group)


def _inner(group: GroupScope) -> Scope:
    return group.scope.over(group.scope.table, windowed=False)


def _star_columns(group: GroupScope, *others: Expression) -> list[Column]:
    table = group.scope.table
    used = {each.column.id for each in others if isinstance(each, plan.ColumnReference)} | group.excluded
    return [each for each in (table.columns if table is not None else ()) if each.id not in used]


def _returned(
    binder: Binder, written: tuple[syntax.Expression, ...], group: GroupScope, *used: Expression
) -> list[tuple[str | None, Expression]]:
    """The values an aggregate hands back, `*` being every column that is neither key nor used already."""
    found: list[tuple[str | None, Expression]] = []
    for each in written:
        if isinstance(each, syntax.StarExpression):
            found += [(column.name, reference(column)) for column in _star_columns(group, *used)]
        elif isinstance(each, syntax.NamedExpression):
            found.append((each.name.text, binder.scalar(binder, each.expression, _inner(group))))
        else:
            found.append((default_name(each), binder.scalar(binder, each, _inner(group))))
    return found


def _extreme(binder: Binder, function: Function, call: syntax.FunctionCall, group: GroupScope) -> list[Result]:
    first, *rest = call.arguments
    if isinstance(first, syntax.StarExpression):
        binder.report("star_not_allowed", first.span)
        return []
    ordering = unconverted(binder.scalar(binder, first, _inner(group)))
    if ordering.type not in TYPE_CLASSES["orderable"] and not binder.may_be_guessed(ordering.type):
        binder.report("not_orderable", first.span, found=ordering.type)
        return []
    legacy = function.record.prefix if function.name in {"argmax", "argmin"} else None
    name = default_name(first)
    values = [(name, ordering), *_returned(binder, tuple(rest), group, ordering)]
    results = []
    for index, (each, value) in enumerate(values):
        derived = each or _numbered(function.canonical.removeprefix("arg_"), name, index)
        if legacy is not None:
            derived = f"{legacy}_{name or ''}" if index == 0 else f"{legacy}_{name or ''}_{each or ''}"
        results.append(Result(derived, Aggregate(value.type, function.canonical, (ordering, value))))
    return results


def _numbered(aggregate: str, ordering: str | None, index: int) -> str:
    """The name of a result whose expression has none: `max_`, and `max_x_arg2` behind it."""
    return f"{aggregate}_{ordering or ''}_arg{index}" if index else f"{aggregate}_"


def _any(binder: Binder, function: Function, call: syntax.FunctionCall, group: GroupScope) -> list[Result]:
    prefix = "any_" if function.name == "any" else ""
    return [
        Result(f"{prefix}{name}" if name else f"any_arg{index}", Aggregate(value.type, "take_any", (value,)))
        for index, (name, value) in enumerate(_returned(binder, call.arguments, group))
    ]


def _percentiles(binder: Binder, function: Function, call: syntax.FunctionCall, group: GroupScope) -> list[Result]:
    weighted = function.canonical in {"percentilew", "percentilesw"}
    fixed = 2 if weighted else 1
    if len(call.arguments) <= fixed:
        binder.report("argument_count", call.span, name=function.name, count=len(call.arguments))
        return []
    bound = [binder.scalar(binder, each, _inner(group)) for each in call.arguments]
    value = convert(bound[0], _T.LONG) if bound[0].type is _T.INT else bound[0]  # of int it is long
    base = default_name(call.arguments[0]) or ""
    results = []
    for rank, written in zip(bound[fixed:], call.arguments[fixed:], strict=True):
        literal = constant(rank)
        if literal is None or not isinstance(literal.value, int | float):
            binder.report("constant_expected", written.span, expected="real")
            continue
        text = str(literal.value).replace(".", "_") if literal.value != int(literal.value) else str(int(literal.value))
        name = f"percentile_{base}_{text}"
        rank_literal = Literal(_T.REAL, float(literal.value))
        arguments = (value, *bound[1:fixed], rank_literal)
        results.append(Result(name, Aggregate(value.type, "percentilew" if weighted else "percentile", arguments)))
    return results


def _percentiles_array(
    binder: Binder, function: Function, call: syntax.FunctionCall, group: GroupScope
) -> list[Result]:
    weighted = function.canonical == "percentilesw_array"
    fixed = 2 if weighted else 1
    if len(call.arguments) <= fixed:
        binder.report("argument_count", call.span, name=function.name, count=len(call.arguments))
        return []
    bound = [binder.scalar(binder, each, _inner(group)) for each in call.arguments]
    ranks: list[float] = []
    for each in bound[fixed:]:
        literal = constant(each)
        if literal is not None and isinstance(literal.value, int | float):
            ranks.append(float(literal.value))
        elif literal is not None and literal.type is _T.DYNAMIC and isinstance(literal.value, str):
            ranks += [float(item) for item in json.loads(literal.value)]
        else:
            binder.report("constant_expected", call.span, expected="real")
    arguments = (*bound[:fixed], Literal(_T.DYNAMIC, json.dumps(ranks)))
    name = f"percentiles_{default_name(call.arguments[0]) or ''}"
    return [Result(name, Aggregate(_T.DYNAMIC, function.canonical, arguments))]


_EXPANSIONS: dict[str, Callable[[Binder, Function, syntax.FunctionCall, GroupScope], list[Result]]] = {
    "arg_max": _extreme,
    "arg_min": _extreme,
    "take_any": _any,
    "percentile": _percentiles,
    "percentiles": _percentiles,
    "percentilew": _percentiles,
    "percentilesw": _percentiles,
    "percentiles_array": _percentiles_array,
    "percentilesw_array": _percentiles_array,
}
