"""Arithmetic: of whole numbers that wrap, of reals, decimals, times and spans."""

from __future__ import annotations

from typing import TypeGuard

from sqlglot import exp

from vedette.kql.decimals import ZERO
from vedette.kql.plan import Call, Expression, Literal
from vedette.kql.sql import decimals, tree
from vedette.kql.sql.base import Family, Scalars, UnsupportedError, is_near_now
from vedette.kql.sql.conversions import converted
from vedette.kql.sql.tree import Infix, Sql
from vedette.kql.types import ScalarType

family = Family()

_TICKS = frozenset({ScalarType.DATETIME, ScalarType.TIMESPAN})
_INTEGERS = frozenset({ScalarType.INT, ScalarType.LONG})
_EXACT = _INTEGERS | _TICKS
_SAFE_SPAN = 10**18


def _wide(scalars: Scalars, expression: Expression) -> Sql:
    """An operand of integer arithmetic: int as long, so that only long can overflow."""
    value = scalars.value(expression)
    return tree.cast(value, "BIGINT") if expression.type is ScalarType.INT else value


def _small(expression: Expression) -> bool:
    """Whether adding the operand to a value of 63 bits in practice stays inside: int, or a modest constant span."""
    if isinstance(expression, Literal) and isinstance(expression.value, int):
        return abs(expression.value) < _SAFE_SPAN
    return expression.type is ScalarType.INT or is_near_now(expression)


def _real(scalars: Scalars, expression: Expression) -> Sql:
    value = scalars.value(expression)
    return value if expression.type is ScalarType.REAL else converted(value, expression.type, ScalarType.REAL)


def _of_decimals(scalars: Scalars, call: Call) -> Sql:
    return decimals.compute(
        call.function, *(converted(scalars.value(each), each.type, ScalarType.DECIMAL) for each in call.arguments)
    )


_ARITHMETIC: dict[str, Infix] = {"add": exp.Add, "subtract": exp.Sub, "multiply": exp.Mul, "negate": exp.Sub}
_ZERO = Literal(ScalarType.LONG, 0)


def _sides(call: Call) -> tuple[Expression, ...]:
    """Both operands; `-x` is `0 - x`."""
    return (_ZERO, *call.arguments) if call.function == "negate" else call.arguments


def _is_whole(expression: Expression) -> TypeGuard[Call]:
    """Whether an operand is itself sum, difference or product of whole numbers."""
    return isinstance(expression, Call) and expression.function in _ARITHMETIC and expression.type in _INTEGERS


def _fast(scalars: Scalars, expression: Expression) -> Sql:
    """The arithmetic as the engine does it, which raises where a result does not fit."""
    if not _is_whole(expression):
        return _wide(scalars, expression)
    left, right = (_fast(scalars, each) for each in _sides(expression))
    return tree.binary(_ARITHMETIC[expression.function], left, right)


def _exact(scalars: Scalars, expression: Expression) -> Sql:
    """The arithmetic in 128 bits. Sums may grow; factors are brought back to 64 bits first, so that products fit."""
    if not _is_whole(expression):
        return tree.cast(_wide(scalars, expression), "HUGEINT")
    left, right = (_exact(scalars, each) for each in _sides(expression))
    if expression.function == "multiply":
        left, right = (
            tree.cast(tree.call("kql_wrap", side), "HUGEINT") if _is_whole(each) else side
            for each, side in zip(expression.arguments, (left, right), strict=True)
        )
    return tree.binary(_ARITHMETIC[expression.function], left, right)


def _whole(scalars: Scalars, call: Call) -> Sql:
    """Exact while it fits, modulo 2^64 where it does not: the wide form runs only for rows where TRY gave null."""
    if all(each.type is ScalarType.INT for each in call.arguments) and not any(map(_is_whole, call.arguments)):
        return _fast(scalars, call)
    return tree.coalesce(tree.attempt(_fast(scalars, call)), tree.call("kql_wrap", _exact(scalars, call)))


def _additive(kind: Infix, scalars: Scalars, call: Call) -> Sql:
    left, right = call.arguments
    if call.type in _INTEGERS:
        return _whole(scalars, call)
    if call.type in _TICKS:
        return _of_ticks(kind, scalars, call)
    if call.type is ScalarType.REAL:
        return tree.binary(kind, _real(scalars, left), _real(scalars, right))
    if call.type is ScalarType.DECIMAL:
        return _of_decimals(scalars, call)
    raise UnsupportedError(call.function, "arithmetic of two dynamic values has no defined type")


def _of_ticks(kind: Infix, scalars: Scalars, call: Call) -> Sql:
    """Sums and differences of times: null outside the calendar, and where 63 bits do not hold them."""
    left, right = call.arguments
    result = tree.binary(kind, scalars.value(left), scalars.value(right))
    if is_near_now(right) or is_near_now(left):
        return result
    fits = _small(right) or _small(left) or {left.type, right.type} == {ScalarType.DATETIME} != {call.type}
    safe = result if fits else tree.attempt(result)
    return tree.call("kql_in_calendar", safe) if call.type is ScalarType.DATETIME else safe


@family.rule("add")
def _add(scalars: Scalars, call: Call) -> Sql:
    return _additive(exp.Add, scalars, call)


@family.rule("subtract")
def _subtract(scalars: Scalars, call: Call) -> Sql:
    return _additive(exp.Sub, scalars, call)


@family.rule("multiply")
def _multiply(scalars: Scalars, call: Call) -> Sql:
    left, right = call.arguments
    if call.type is ScalarType.TIMESPAN:
        span, factor = (left, right) if left.type is ScalarType.TIMESPAN else (right, left)
        if factor.type in _INTEGERS:
            return tree.attempt(tree.binary(exp.Mul, scalars.value(span), scalars.value(factor)))
        product = tree.binary(exp.Mul, tree.cast(scalars.value(span), "DOUBLE"), _real(scalars, factor))
        return tree.attempt(tree.cast(tree.call("round", product), "BIGINT"))
    if call.type in _INTEGERS:
        return _whole(scalars, call)
    if call.type is ScalarType.DECIMAL:
        return _of_decimals(scalars, call)
    if call.type is ScalarType.REAL:
        return tree.binary(exp.Mul, _real(scalars, left), _real(scalars, right))
    raise UnsupportedError(call.function, "arithmetic of two dynamic values has no defined type")


@family.rule("divide")
def _divide(scalars: Scalars, call: Call) -> Sql:
    left, right = call.arguments
    if call.type in _INTEGERS:
        divided = tree.binary(exp.IntDiv, _wide(scalars, left), _nonzero(_wide(scalars, right), right))
        return divided if _positive(right) else tree.attempt(divided)
    if call.type in {ScalarType.TIMESPAN, ScalarType.DATETIME}:
        quotient = tree.binary(exp.Div, tree.cast(scalars.value(left), "DOUBLE"), _real(scalars, right))
        ticks = tree.attempt(tree.cast(tree.call("trunc", quotient), "BIGINT"))
        return tree.call("kql_in_calendar", ticks) if call.type is ScalarType.DATETIME else ticks
    if call.type is ScalarType.DECIMAL:
        return _of_decimals(scalars, call)
    if call.type is ScalarType.REAL:
        return tree.binary(exp.Div, _real(scalars, left), _real(scalars, right))
    raise UnsupportedError(call.function, "arithmetic of two dynamic values has no defined type")


@family.rule("modulo")
def _modulo(scalars: Scalars, call: Call) -> Sql:
    left, right = call.arguments
    if call.type in _EXACT:
        return tree.call("kql_modulo", _wide(scalars, left), _wide(scalars, right))
    if call.type is ScalarType.DECIMAL:
        return _of_decimals(scalars, call)
    if call.type is ScalarType.REAL:
        return tree.call("kql_modulo_real", scalars.value(left), scalars.value(right))
    raise UnsupportedError(call.function, "arithmetic of two dynamic values has no defined type")


@family.rule("negate")
def _negate(scalars: Scalars, call: Call) -> Sql:
    (only,) = call.arguments
    if call.type is ScalarType.DYNAMIC:
        raise UnsupportedError(call.function, "arithmetic of a dynamic value has no defined type")
    if call.type in _INTEGERS and only.type is not ScalarType.INT:
        return _whole(scalars, call)
    value = _wide(scalars, only) if call.type in _INTEGERS else scalars.value(only)
    if call.type is ScalarType.DECIMAL:
        return decimals.compute("subtract", tree.text(ZERO), value)
    negative = exp.Neg(this=tree.operand(value))
    if call.type in {ScalarType.REAL, *_INTEGERS}:
        return negative
    return tree.bound([value], lambda each: tree.coalesce(tree.attempt(exp.Neg(this=tree.operand(each))), each))


def _positive(expression: Expression) -> bool:
    return isinstance(expression, Literal) and isinstance(expression.value, int) and expression.value > 0


def _nonzero(value: Sql, expression: Expression) -> Sql:
    if _positive(expression):
        return value
    return exp.Nullif(this=tree.used_once(value), expression=tree.number(0))
