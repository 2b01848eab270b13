"""Comparison: equality that knows nulls, order, and ranges."""

from __future__ import annotations

import re

from sqlglot import exp

from vedette.kql.plan import Call, ColumnReference, Expression, Literal
from vedette.kql.sql import tree
from vedette.kql.sql.base import Family, Scalars, UnsupportedError, never_null, text_of
from vedette.kql.sql.tree import Infix, Sql
from vedette.kql.types import ScalarType

family = Family()

_ORDERS: dict[str, Infix] = {
    "less": exp.LT, "less_or_equal": exp.LTE, "greater": exp.GT, "greater_or_equal": exp.GTE,
}  # fmt: skip


def _may_be_nan(expression: Expression) -> bool:
    if expression.type is not ScalarType.REAL:
        return False
    return not (isinstance(expression, Literal) and expression.value == expression.value)


def comparable(scalars: Scalars, expression: Expression) -> Sql:
    """The value in a form that `=` and `<` compare: of dynamic values the text."""
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
    comparison = tree.binary(_ORDERS[call.function], comparable(scalars, left), comparable(scalars, right))
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
    sides = comparable(scalars, left), comparable(scalars, right)
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

    return tree.bound([comparable(scalars, left), comparable(scalars, right)], form)


def _both_null(left: Sql, right: Sql) -> Sql:
    return tree.both(tree.is_null(left), tree.is_null(right))


@family.condition("not_equal")
def _not_equal_condition(scalars: Scalars, call: Call) -> Sql:
    _refuse_dynamic(call)
    left, right = call.arguments
    sides = comparable(scalars, left), comparable(scalars, right)
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

    return tree.bound([comparable(scalars, left), comparable(scalars, right)], form)


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
