"""Arithmetic, comparison, membership and logic. The null and overflow rules are those of the engine, not the page's:
long wraps, `/` truncates, `%` is never negative, null equals nothing and differs from all values, order is
three-valued."""

from __future__ import annotations

import re
from typing import TypeGuard

from sqlglot import exp

from vedette.kql.decimals import ZERO
from vedette.kql.plan import Call, ColumnReference, Expression, Literal
from vedette.kql.sql import decimals, tree
from vedette.kql.sql.base import Family, Scalars, SubqueryMember, UnsupportedError, is_near_now, never_null, text_of
from vedette.kql.sql.conversions import converted
from vedette.kql.sql.literals import dynamic_members
from vedette.kql.sql.matching import gathered
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


# --- comparison -----------------------------------------------------------------------------------------------------

_ORDERS: dict[str, Infix] = {
    "less": exp.LT, "less_or_equal": exp.LTE, "greater": exp.GT, "greater_or_equal": exp.GTE,
}  # fmt: skip


def _may_be_nan(expression: Expression) -> bool:
    if expression.type is not ScalarType.REAL:
        return False
    return not (isinstance(expression, Literal) and expression.value == expression.value)


def _comparable(scalars: Scalars, expression: Expression) -> Sql:
    value = scalars.value(expression)
    return tree.cast(value, "VARCHAR") if expression.type is ScalarType.DYNAMIC else value


def _without_nan(scalars: Scalars, comparison: Sql, *operands: Expression) -> Sql:
    """SQL orders NaN above all numbers and equal to itself; KQL's comparisons with it are all false."""
    suspects = [each for each in operands if _may_be_nan(each)]
    if not suspects:
        return comparison
    return tree.both(comparison, *(tree.negation(tree.call("isnan", scalars.value(each))) for each in suspects))


@family.rule(*_ORDERS)
def _order(scalars: Scalars, call: Call) -> Sql:
    _refuse_dynamic(call)
    left, right = call.arguments
    if {left.type, right.type} == {ScalarType.BOOL, ScalarType.DECIMAL}:
        left, right = (Call(ScalarType.DECIMAL, "todecimal", (each,)) for each in call.arguments)
    comparison = tree.binary(_ORDERS[call.function], _comparable(scalars, left), _comparable(scalars, right))
    above: tuple[Expression, ...] = (left,) if call.function.startswith("greater") else (right,)
    if _may_be_nan(left) and _may_be_nan(right):
        above = (left, right)
    return _without_nan(scalars, comparison, *above)


_PLAIN_NEEDLE = re.compile(r"[A-Za-z0-9_ .:@-]{3,}")
_PATH_STEPS = frozenset({"tostring", "property", "element", "parse_json", "todynamic"})


def _near(scalars: Scalars, text: Expression, wanted: Expression) -> Sql | None:
    """A cheap test that every row passes whose value at a path of JSON text can be a constant.

    JSON holds such characters as they are, or as an escape that begins with a backslash and u.
    """
    needle = text_of(wanted)
    if needle is None or not _PLAIN_NEEDLE.fullmatch(needle):
        return None
    depth = 0
    while isinstance(text, Call) and text.function in _PATH_STEPS:
        text, depth = text.arguments[0], depth + 1
    if depth < 2 or not isinstance(text, ColumnReference):
        return None
    stored = scalars.value(text)
    if not isinstance(stored, exp.Column):
        return None
    raw = tree.cast(stored, "VARCHAR")
    return tree.either(tree.call("contains", raw, tree.text(needle)), tree.call("contains", raw, tree.text("\\u")))


@family.condition("equal")
def _equal_condition(scalars: Scalars, call: Call) -> Sql:
    _refuse_dynamic(call)
    left, right = call.arguments
    near = _near(scalars, left, right)
    exact = _exactly_equal(scalars, left, right)
    return exact if near is None else tree.both(near, exact)


def _refuse_dynamic(call: Call) -> None:
    """The service refuses to compare two dynamic values, though its analyser does not."""
    if all(each.type is ScalarType.DYNAMIC for each in call.arguments):
        raise UnsupportedError(call.function, "two dynamic values cannot be compared: convert one, as in tostring()")


def _exactly_equal(scalars: Scalars, left: Expression, right: Expression) -> Sql:
    sides = _comparable(scalars, left), _comparable(scalars, right)
    if _may_be_nan(left) and _may_be_nan(right):
        return tree.bound(sides, lambda a, b: tree.both(tree.equal(a, b), tree.negation(tree.call("isnan", a))))
    return tree.equal(*sides)


@family.rule("equal")
def _equal(scalars: Scalars, call: Call) -> Sql:
    _refuse_dynamic(call)
    left, right = call.arguments
    if never_null(left) and never_null(right):
        return _exactly_equal(scalars, left, right)
    if never_null(left) or never_null(right):
        return tree.coalesce(_exactly_equal(scalars, left, right), tree.boolean(False))
    nan = _may_be_nan(left) and _may_be_nan(right)

    def form(a: Sql, b: Sql) -> Sql:
        same = tree.both(tree.equal(a, b), tree.negation(tree.call("isnan", a))) if nan else tree.equal(a, b)
        return tree.when([(_both_null(a, b), tree.null("BOOLEAN"))], tree.coalesce(same, tree.boolean(False)))

    return tree.bound([_comparable(scalars, left), _comparable(scalars, right)], form)


def _both_null(left: Sql, right: Sql) -> Sql:
    return tree.both(tree.is_null(left), tree.is_null(right))


@family.condition("not_equal")
def _not_equal_condition(scalars: Scalars, call: Call) -> Sql:
    _refuse_dynamic(call)
    left, right = call.arguments
    sides = _comparable(scalars, left), _comparable(scalars, right)
    if _may_be_nan(left) and _may_be_nan(right):
        return tree.bound(sides, lambda a, b: tree.either(tree.different(a, b), tree.call("isnan", a)))
    if never_null(left) and never_null(right):
        return tree.binary(exp.NEQ, *sides)
    return tree.different(*sides)


@family.rule("not_equal")
def _not_equal(scalars: Scalars, call: Call) -> Sql:
    _refuse_dynamic(call)
    left, right = call.arguments
    if never_null(left) or never_null(right):
        return _not_equal_condition(scalars, call)
    nan = _may_be_nan(left) and _may_be_nan(right)

    def form(a: Sql, b: Sql) -> Sql:
        differ = tree.either(tree.different(a, b), tree.call("isnan", a)) if nan else tree.different(a, b)
        return tree.when([(_both_null(a, b), tree.null("BOOLEAN"))], differ)

    return tree.bound([_comparable(scalars, left), _comparable(scalars, right)], form)


@family.rule("between")
def _between(scalars: Scalars, call: Call) -> Sql:
    value, low, high = call.arguments
    within = exp.Between(
        this=tree.operand(scalars.value(value)),
        low=tree.operand(scalars.value(low)),
        high=tree.operand(_upper(scalars, call)),
    )
    return _without_nan(scalars, within, value, high)


@family.rule("not_between")
def _not_between(scalars: Scalars, call: Call) -> Sql:
    return tree.negation(_between(scalars, call))


def _upper(scalars: Scalars, call: Call) -> Sql:
    """`between (moment .. span)`: the upper bound is relative to the lower one."""
    value, low, high = call.arguments
    upper = scalars.value(high)
    if value.type is ScalarType.DATETIME and high.type is ScalarType.TIMESPAN:
        return tree.binary(exp.Add, scalars.value(low), upper)
    return upper


# --- logic ----------------------------------------------------------------------------------------------------------


@family.rule("and")
def _and(scalars: Scalars, call: Call) -> Sql:
    return tree.both(*scalars.values(call.arguments))


@family.rule("or")
def _or(scalars: Scalars, call: Call) -> Sql:
    return tree.either(*scalars.values(gathered(call.arguments)))


@family.condition("and")
def _and_condition(scalars: Scalars, call: Call) -> Sql:
    return tree.both(*(scalars.condition(each) for each in call.arguments))


@family.condition("or")
def _or_condition(scalars: Scalars, call: Call) -> Sql:
    return tree.either(*(scalars.condition(each) for each in gathered(call.arguments)))


@family.rule("not")
def _not(scalars: Scalars, call: Call) -> Sql:
    return tree.negation(scalars.value(call.arguments[0]))


# --- membership -----------------------------------------------------------------------------------------------------


def _folded(value: Sql, ignore_case: bool) -> Sql:
    return tree.call("lower", value) if ignore_case else value


def _membership(scalars: Scalars, call: Call, ignore_case: bool) -> Sql:
    """`x IN (…)` for constants and values, with arrays among the members spread or searched."""
    operand, *members = call.arguments
    ignore_case = ignore_case and operand.type is ScalarType.STRING
    value = _folded(_comparable(scalars, operand), ignore_case)
    singles: list[Sql] = []
    tests: list[Sql] = []
    for member in members:
        if isinstance(member, Literal) and member.type is ScalarType.DYNAMIC:
            constants = dynamic_members(member, operand.type)
            singles += [_folded(scalars.value(each), ignore_case) for each in constants]
        elif member.type is ScalarType.DYNAMIC and operand.type is not ScalarType.DYNAMIC:
            tests.append(_in_array(scalars, operand, member, value, ignore_case))
        elif not (isinstance(member, Literal) and member.value is None):
            singles.append(_folded(_comparable(scalars, member), ignore_case))
    if singles:
        tests.insert(0, tree.any_of(value, singles))
    return tree.either(*tests) if tests else tree.boolean(False)


def _in_array(scalars: Scalars, operand: Expression, member: Expression, value: Sql, ignore_case: bool) -> Sql:
    array = scalars.value(member)
    if operand.type is ScalarType.STRING:
        texts = tree.call("kql_strings_lower" if ignore_case else "kql_strings", array)
        return tree.coalesce(tree.call("list_contains", texts, value), tree.boolean(False))
    texts = tree.call("kql_strings", array)
    as_text = scalars.value(Call(ScalarType.STRING, "tostring", (operand,)))
    return tree.coalesce(tree.call("list_contains", texts, as_text), tree.boolean(False))


@family.condition("in", "in_ci")
def _in_condition(scalars: Scalars, call: Call) -> Sql:
    return _membership(scalars, call, call.function.endswith("_ci"))


@family.rule("in", "in_ci")
def _in(scalars: Scalars, call: Call) -> Sql:
    found = _in_condition(scalars, call)
    return found if never_null(call.arguments[0]) else tree.coalesce(found, tree.boolean(False))


@family.rule("not_in", "not_in_ci")
def _not_in(scalars: Scalars, call: Call) -> Sql:
    return tree.negation(_in(scalars, call))


@family.rule("in subquery", "in_ci subquery")
def _in_subquery(scalars: Scalars, call: Call) -> Sql:
    operand, member = call.arguments
    assert isinstance(member, SubqueryMember)
    found = _subquery_membership(scalars, call)
    return found if never_null(operand) else tree.coalesce(found, tree.boolean(False))


@family.rule("not_in subquery", "not_in_ci subquery")
def _not_in_subquery(scalars: Scalars, call: Call) -> Sql:
    return tree.negation(_in_subquery(scalars, call))


def _subquery_membership(scalars: Scalars, call: Call) -> Sql:
    operand, member = call.arguments
    assert isinstance(member, SubqueryMember)
    ignore_case = "_ci" in call.function and operand.type is ScalarType.STRING
    item: Sql = tree.column("item")
    value = _comparable(scalars, operand)
    if member.type is ScalarType.DYNAMIC and operand.type is not ScalarType.DYNAMIC:
        item = tree.call("kql_tostring_dynamic", item)
        value = scalars.value(Call(ScalarType.STRING, "tostring", (operand,)))
    elif operand.type is ScalarType.DYNAMIC:
        item = tree.cast(item, "VARCHAR")
        value = tree.call("kql_tostring_dynamic", scalars.value(operand))
    query = (
        exp.Select(expressions=[_folded(item, ignore_case)])
        .from_(scalars.subqueries.column_subquery(member.plan), copy=False)
        .where(tree.is_not_null(tree.column("item")), copy=False)
    )
    return exp.In(this=tree.operand(_folded(value, ignore_case)), query=exp.Subquery(this=query))
