"""Constant folding: the time of the query, arithmetic on constant times, and predicates that are constant."""

from __future__ import annotations

from vedette.kql.plan import Call, Expression, Literal, Relation
from vedette.kql.rewrites.context import Context
from vedette.kql.traversal import map_children, map_expressions, map_plans, transform
from vedette.kql.types import ScalarType

_TICKS = frozenset({ScalarType.DATETIME, ScalarType.TIMESPAN})
_LAST_TICK = 3155378975999999999
_SIGNS = {"add": 1, "subtract": -1}


def fold(relation: Relation, context: Context) -> Relation:
    """Every constant expression over times as one constant."""

    def expression(node: Expression) -> Expression:
        node = map_children(node, expression)
        return _folded(node, context.now) if isinstance(node, Call) else node

    def within(plan: Relation) -> Relation:
        return transform(plan, change)

    def change(node: Relation) -> Relation:
        return map_expressions(node, lambda each: expression(map_plans(each, within)))

    return within(relation)


def _folded(call: Call, now: int) -> Expression:
    if call.function == "now":
        return Literal(ScalarType.DATETIME, now)
    constants = [each.value for each in call.arguments if isinstance(each, Literal)]
    if len(constants) != len(call.arguments):
        return call
    if call.function in _SIGNS and call.type in _TICKS:
        return _shifted(call, constants)
    if call.function == "negate" and isinstance(constants[0], (int, float)) and call.type is not ScalarType.DYNAMIC:
        return Literal(call.type, -constants[0])
    if call.function == "bin" and call.type is ScalarType.DATETIME:
        return _binned(call, constants)
    return call


def _shifted(call: Call, constants: list[object]) -> Expression:
    left, right = constants
    if not isinstance(left, int) or not isinstance(right, int):
        return call
    ticks = left + _SIGNS[call.function] * right
    if call.type is ScalarType.DATETIME and not 0 <= ticks <= _LAST_TICK:
        return Literal(call.type, None)
    return Literal(call.type, ticks) if abs(ticks) < 2**63 else call


def _binned(call: Call, constants: list[object]) -> Expression:
    ticks, size = constants
    if not isinstance(ticks, int) or not isinstance(size, int) or size <= 0:
        return call
    return Literal(call.type, ticks - ticks % size)
