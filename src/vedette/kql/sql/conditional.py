"""Choices and tests of emptiness. `iff` and `case` take the else branch on null."""

from __future__ import annotations

from sqlglot import exp

from vedette.kql.plan import Call, Literal
from vedette.kql.sql import tree
from vedette.kql.sql.base import Family, Scalars, UnsupportedError, never_null
from vedette.kql.sql.conversions import converted
from vedette.kql.sql.dynamic import embedded
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

family = Family(
    simple={"isnan": "isnan", "isinf": "isinf", "isfinite": "isfinite"},
)


def _as_type(scalars: Scalars, call: Call, position: int) -> Sql:
    argument = call.arguments[position]
    if call.type is ScalarType.DYNAMIC:
        return embedded(scalars, argument)
    return (
        converted(scalars.value(argument), argument.type, call.type)
        if argument.type is not call.type
        else scalars.value(argument)
    )


@family.rule("iff")
def _iff(scalars: Scalars, call: Call) -> Sql:
    return tree.when([(scalars.condition(call.arguments[0]), _as_type(scalars, call, 1))], _as_type(scalars, call, 2))


@family.rule("case")
def _case(scalars: Scalars, call: Call) -> Sql:
    last = len(call.arguments) - 1
    branches = [
        (scalars.condition(call.arguments[position]), _as_type(scalars, call, position + 1))
        for position in range(0, last, 2)
    ]
    return tree.when(branches, _as_type(scalars, call, last))


@family.rule("coalesce")
def _coalesce(scalars: Scalars, call: Call) -> Sql:
    values = [_as_type(scalars, call, position) for position in range(len(call.arguments))]
    if call.type is not ScalarType.STRING:
        return tree.coalesce(values[0], *values[1:])
    filled = [exp.Nullif(this=tree.used_once(each), expression=tree.text("")) for each in values]
    return tree.coalesce(filled[0], *filled[1:], tree.text(""))


@family.rule("isnull")
def _isnull(scalars: Scalars, call: Call) -> Sql:
    (only,) = call.arguments
    return tree.boolean(False) if never_null(only) else tree.is_null(scalars.value(only))


@family.rule("isnotnull")
def _isnotnull(scalars: Scalars, call: Call) -> Sql:
    (only,) = call.arguments
    return tree.boolean(True) if never_null(only) else tree.is_not_null(scalars.value(only))


@family.rule("isempty")
def _isempty(scalars: Scalars, call: Call) -> Sql:
    return _emptiness(scalars, call, empty=True)


@family.rule("isnotempty")
def _isnotempty(scalars: Scalars, call: Call) -> Sql:
    return _emptiness(scalars, call, empty=False)


def _emptiness(scalars: Scalars, call: Call, *, empty: bool) -> Sql:
    (only,) = call.arguments
    if only.type in {ScalarType.STRING, ScalarType.DYNAMIC}:
        value = scalars.value(Call(ScalarType.STRING, "tostring", (only,)))
        return tree.binary(exp.EQ if empty else exp.NEQ, value, tree.text(""))
    value = scalars.value(only)
    return tree.is_null(value) if empty else tree.is_not_null(value)


@family.rule("min_of", "max_of")
def _extreme(scalars: Scalars, call: Call) -> Sql:
    values = [_as_type(scalars, call, position) for position in range(len(call.arguments))]
    return tree.call("least" if call.function == "min_of" else "greatest", *values)


@family.rule("around")
def _around(scalars: Scalars, call: Call) -> Sql:
    value, center, delta = scalars.values(call.arguments)
    low, high = tree.binary(exp.Sub, center, delta), tree.binary(exp.Add, center, delta)
    return tree.attempt(exp.Between(this=tree.operand(value), low=tree.operand(low), high=tree.operand(high)))


@family.rule("assert")
def _assert(scalars: Scalars, call: Call) -> Sql:
    predicate, message = call.arguments
    if isinstance(predicate, Literal) and predicate.value is not True:
        raise UnsupportedError("assert", str(getattr(message, "value", "failed")))
    return scalars.value(predicate)


@family.rule("isascii", "isutf8")
def _encoding(scalars: Scalars, call: Call) -> Sql:
    return tree.call(f"kql_{call.function}", scalars.value(Call(ScalarType.STRING, "tostring", call.arguments)))
