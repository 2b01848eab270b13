"""Constant folding: the time of the query, arithmetic on constant times, and predicates that are constant."""

from __future__ import annotations

import operator
from collections.abc import Callable

from vedette.kql.moments import LAST_TICK, Moment
from vedette.kql.plan import Call, Expression, Literal, QueryTime, Relation
from vedette.kql.rewrites.context import Context
from vedette.kql.traversal import map_children, map_expressions, map_plans, transform
from vedette.kql.types import ScalarType

_TICKS = frozenset({ScalarType.DATETIME, ScalarType.TIMESPAN})
_SIGNS = {"add": 1, "subtract": -1}
_INTEGERS = frozenset({ScalarType.INT, ScalarType.LONG})
_WHOLE: dict[str, Callable[[int, int], int]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
}


def fold(relation: Relation, _: Context) -> Relation:
    """Every constant expression over times as one constant."""

    def expression(node: Expression) -> Expression:
        node = map_children(node, expression)
        return _folded(node) if isinstance(node, Call) else node

    def within(plan: Relation) -> Relation:
        return transform(plan, change)

    def change(node: Relation) -> Relation:
        return map_expressions(node, lambda each: expression(map_plans(each, within)))

    return within(relation)


def _folded(call: Call) -> Expression:
    if call.function == "now":
        return QueryTime(ScalarType.DATETIME, Moment())
    if any(isinstance(each, QueryTime) for each in call.arguments):
        return _reckoned(call)
    constants = [each.value for each in call.arguments if isinstance(each, Literal)]
    if len(constants) != len(call.arguments):
        return call
    if call.function in _SIGNS and call.type in _TICKS:
        folded = _shifted(call, constants)
    elif call.function in _WHOLE and call.type in _TICKS | _INTEGERS:
        folded = _computed(call, constants)
    elif call.function == "negate" and call.type is not ScalarType.DYNAMIC:
        folded = _negated(call, constants)
    elif call.function == "strcat" and all(isinstance(each, str) for each in constants):
        folded = Literal(ScalarType.STRING, "".join(str(each) for each in constants))
    elif call.function == "bin" and call.type is ScalarType.DATETIME:
        folded = _binned(call, constants)
    else:
        folded = call
    return folded


def _reckoned(call: Call) -> Expression:
    """Sums, differences and bins of the query's time: the moment stays symbolic."""
    match call.arguments:
        case (QueryTime(moment=left), QueryTime(moment=right)) if call.function == "subtract":
            if left.shift is not None and right.shift is not None:
                return Literal(call.type, left.shift - right.shift)
        case (QueryTime(moment=moment), Literal(value=int(ticks))) if call.type is ScalarType.DATETIME:
            if call.function in _SIGNS:
                return QueryTime(call.type, moment.shifted(_SIGNS[call.function] * ticks))
            if call.function == "bin" and ticks > 0:
                return QueryTime(call.type, moment.binned(ticks))
        case (Literal(value=int(ticks)), QueryTime(moment=moment)) if call.type is ScalarType.DATETIME:
            if call.function == "add":
                return QueryTime(call.type, moment.shifted(ticks))
    return call


def _negated(call: Call, constants: list[object]) -> Expression:
    (value,) = constants
    return Literal(call.type, -value) if isinstance(value, (int, float)) else call


def _shifted(call: Call, constants: list[object]) -> Expression:
    left, right = constants
    if not isinstance(left, int) or not isinstance(right, int):
        return call
    ticks = left + _SIGNS[call.function] * right
    if call.type is ScalarType.DATETIME and not 0 <= ticks <= LAST_TICK:
        return Literal(call.type, None)
    return Literal(call.type, ticks) if abs(ticks) < 2**63 else call


def _computed(call: Call, constants: list[object]) -> Expression:
    """Whole numbers, as long as the result is one: an overflow is left to the rows, where it wraps."""
    left, right = constants
    if not isinstance(left, int) or not isinstance(right, int) or isinstance(left, bool) or isinstance(right, bool):
        return call
    result = _WHOLE[call.function](left, right)
    limit = 2**31 if call.type is ScalarType.INT else 2**63
    return Literal(call.type, result) if abs(result) < limit else call


def _binned(call: Call, constants: list[object]) -> Expression:
    ticks, size = constants
    if not isinstance(ticks, int) or not isinstance(size, int) or size <= 0:
        return call
    return Literal(call.type, ticks - ticks % size)
