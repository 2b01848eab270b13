"""join and lookup."""

from __future__ import annotations

import dataclasses

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import word
from vedette.kql.binder.context import Binder, similar
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.expressions import all_of, bind_boolean
from vedette.kql.binder.names import unique
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.scopes import Scope, Table, reference
from vedette.kql.functions.resolution import common_type
from vedette.kql.plan import Column, Expression
from vedette.kql.types import ScalarType

Pair = tuple[Expression, Expression]


@dataclasses.dataclass(frozen=True, slots=True)
class Match:
    """When a row of the left side goes with one of the right: equal pairs, and what else has to hold."""

    pairs: tuple[Pair, ...]
    residual: Expression | None


_KINDS = {
    "innerunique": "innerunique",
    "inner": "inner",
    "leftouter": "leftouter",
    "rightouter": "rightouter",
    "fullouter": "fullouter",
    "leftsemi": "leftsemi",
    "leftanti": "leftanti",
    "leftantisemi": "leftanti",
    "anti": "leftanti",
    "rightsemi": "rightsemi",
    "rightanti": "rightanti",
    "rightantisemi": "rightanti",
}
_LEFT_ONLY = frozenset({"leftsemi", "leftanti"})
_RIGHT_ONLY = frozenset({"rightsemi", "rightanti"})


@operator(syntax.JoinOperator)
def bind_join(binder: Binder, written: syntax.JoinOperator, table: Table, scope: Scope) -> Table:
    """`join`: columns of the left side, then those of the right, renamed where they clash."""
    right = binder.table(binder, written.right, scope.lexical)
    kind = _kind(binder, written, "innerunique")
    match = _conditions(binder, written.on, table, right, scope)
    if kind in _LEFT_ONLY:
        return _one_side(table, table, right, kind, match)
    if kind in _RIGHT_ONLY:
        return _one_side(right, table, right, kind, match)
    return _both_sides(binder, table, right, kind, match)


def _kind(binder: Binder, written: syntax.JoinOperator | syntax.LookupOperator, default: str) -> str:
    parameter = written.parameter("kind")
    text = word(parameter)
    if parameter is None or text is None:
        return default
    kind = _KINDS.get(text.lower())
    if kind is None:
        binder.report("unknown_join_kind", parameter.span, kind=text, hint=similar(text, _KINDS))
        return default
    return kind


def _one_side(side: Table, left: Table, right: Table, kind: str, match: Match) -> Table:
    relation = plan.Join(side.columns, left.relation, right.relation, kind, match.pairs, side.columns, match.residual)
    return side.with_relation(relation, serialized=False)


def _both_sides(
    binder: Binder, left: Table, right: Table, kind: str, match: Match, *, without: frozenset[int] = frozenset()
) -> Table:
    """Names of the right side that the left has get a number; numbered names avoid names of both sides."""
    right_columns = tuple(each for each in right.columns if each.id not in without)
    taken = {*left.names, *(each.name for each in right_columns)}
    columns = [binder.fresh(each) for each in left.columns]
    for each in right_columns:
        name = each.name
        if name in left.names:
            name = unique(name, taken)
            taken.add(name)
        columns.append(binder.fresh(each, name))
    sources = (*left.columns, *right_columns)
    relation = plan.Join(tuple(columns), left.relation, right.relation, kind, match.pairs, sources, match.residual)
    renewed = {old.id: new for old, new in zip(sources, columns, strict=True)}
    result = Table(relation, open=left.open or right.open)
    for side in (right, left):
        result.aliases.update({name: renewed[old.id] for name, old in side.aliases.items() if old.id in renewed})
    return result


def _conditions(binder: Binder, on: tuple[syntax.Expression, ...], left: Table, right: Table, scope: Scope) -> Match:
    """Equality pairs of an `on` clause; anything that is no equality between the sides narrows the match."""
    pairs: list[Pair] = []
    rest: list[Expression] = []
    for each in on:
        for condition in _conjuncts(each):
            pair = _pair(binder, condition, left, right, scope)
            if pair is not None:
                pairs.append(pair)
            elif not isinstance(condition, syntax.NameReference):
                inner = Scope({}, scope.lexical, left=left, right=right)
                rest.append(bind_boolean(binder, condition, inner))
    return Match(tuple(pairs), all_of(tuple(rest)) if rest else None)


def _conjuncts(expression: syntax.Expression) -> tuple[syntax.Expression, ...]:
    if isinstance(expression, syntax.LogicalExpression) and expression.operator == "and":
        return tuple(each for operand in expression.operands for each in _conjuncts(operand))
    return (expression,)


def _pair(binder: Binder, condition: syntax.Expression, left: Table, right: Table, scope: Scope) -> Pair | None:
    if isinstance(condition, syntax.NameReference):
        return _same_name(binder, condition, left, right)
    if not isinstance(condition, syntax.BinaryExpression) or condition.operator != "==":
        return None
    sides = [_side(each) for each in (condition.left, condition.right)]
    if sorted(sides) != ["$left", "$right"]:
        return None
    inner = Scope({}, scope.lexical, left=left, right=right)
    first = binder.scalar(binder, condition.left, inner)
    second = binder.scalar(binder, condition.right, inner)
    if sides[0] == "$right":
        first, second = second, first
    types = (first.type, second.type)
    if ScalarType.DYNAMIC in types and not (left.open or right.open or binder.may_be_guessed(*types)):
        binder.report("dynamic_join_key", condition.span, hint="convert it first, for example with tostring()")
    return _matched(binder, first, second, condition)


def _side(expression: syntax.Expression) -> str:
    """The one side that all columns of an expression are of, "" if it is not one."""
    if isinstance(expression, syntax.PathExpression) and isinstance(expression.source, syntax.NameReference):
        if expression.source.name in {"$left", "$right"}:
            return expression.source.name
        return ""
    if isinstance(expression, syntax.FunctionCall):
        found = {_side(each) for each in expression.arguments} - {""}
        return found.pop() if len(found) == 1 else ""
    return ""


def _same_name(binder: Binder, name: syntax.NameReference, left: Table, right: Table) -> Pair | None:
    found: list[Expression] = []
    for side, label in ((left, "left"), (right, "right")):
        column = side.find(name.name)
        if column is None and side.open:
            column = binder.guessed(side, name.name)
        if column is None:
            hint = similar(name.name, side.names)
            binder.report("unknown_join_key", name.span, name=name.name, side=label, hint=hint)
            return None
        found.append(reference(column))
    return _matched(binder, found[0], found[1], name)


def _matched(binder: Binder, left: Expression, right: Expression, at: syntax.Node) -> Pair:
    type_ = common_type((left.type, right.type))
    if type_ is None:
        binder.report("join_key_types", at.span, left=left.type, right=right.type)
        return left, right
    if type_ is ScalarType.DYNAMIC:
        type_ = ScalarType.STRING  # keys are compared by their text
    return convert(left, type_), convert(right, type_)


@operator(syntax.LookupOperator)
def bind_lookup(binder: Binder, written: syntax.LookupOperator, table: Table, scope: Scope) -> Table:
    """`lookup`: a join, leftouter unless said otherwise, without the right side's keys."""
    right = binder.table(binder, written.right, scope.lexical)
    kind = _kind(binder, written, "leftouter")
    if kind not in {"leftouter", "inner"}:
        binder.report("unknown_join_kind", written.span, kind=kind, hint="lookup takes leftouter and inner")
    match = _conditions(binder, written.on, table, right, scope)
    keys = frozenset(column.id for _, expression in match.pairs for column in _columns_of(expression))
    return _both_sides(binder, table, right, kind, match, without=keys)


def _columns_of(expression: Expression) -> list[Column]:
    if isinstance(expression, plan.ColumnReference):
        return [expression.column]
    if isinstance(expression, plan.Call):
        return [column for each in expression.arguments for column in _columns_of(each)]
    return []
