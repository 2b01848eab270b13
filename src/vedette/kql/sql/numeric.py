"""Mathematics. Where SQL raises an error, KQL has NaN, an infinity or null."""

from __future__ import annotations

from sqlglot import exp

from vedette.kql.plan import Call
from vedette.kql.sql import decimals, tree
from vedette.kql.sql.base import Family, Scalars
from vedette.kql.sql.tree import Infix, Sql
from vedette.kql.types import ScalarType

family = Family(
    simple={
        "pi": "pi", "degrees": "degrees", "radians": "radians", "atan": "atan", "atan2": "atan2",
        "rand": "random", "new_guid": "uuid", "bitset_count_ones": "bit_count",
    },
)  # fmt: skip

_REAL_FUNCTIONS = (
    "sqrt", "log", "log2", "log10", "exp", "exp2", "exp10", "cos", "sin", "tan", "acos", "asin", "cot", "pow",
    "gamma", "loggamma", "erf",
)  # fmt: skip
_BITS: dict[str, Infix] = {"binary_and": exp.BitwiseAnd, "binary_or": exp.BitwiseOr}


def _reals(scalars: Scalars, call: Call) -> list[Sql]:
    return [
        value if each.type is ScalarType.REAL else tree.cast(value, "DOUBLE")
        for each, value in zip(call.arguments, scalars.values(call.arguments), strict=True)
    ]


@family.rule(*_REAL_FUNCTIONS)
def _real_function(scalars: Scalars, call: Call) -> Sql:
    return tree.call(f"kql_{call.function}", *_reals(scalars, call))


@family.rule("erfc")
def _erfc(scalars: Scalars, call: Call) -> Sql:
    return tree.binary(exp.Sub, tree.number(1), tree.call("kql_erf", *_reals(scalars, call)))


@family.rule("degrees", "radians", "atan", "atan2")
def _plain_real(scalars: Scalars, call: Call) -> Sql:
    return tree.call(call.function, *_reals(scalars, call))


@family.rule("tohex")
def _tohex(scalars: Scalars, call: Call) -> Sql:
    """Negative numbers as two's complement of their own width."""
    value, *width = call.arguments
    number = scalars.value(value)
    if value.type is ScalarType.INT:
        unsigned = tree.binary(exp.Add, tree.cast(number, "BIGINT"), tree.number(2**32))
        number = tree.when([(tree.binary(exp.LT, number, tree.number(0)), unsigned)], tree.cast(number, "BIGINT"))
    return tree.call("kql_tohex", number, *scalars.values(width))


@family.rule("sign")
def _sign(scalars: Scalars, call: Call) -> Sql:
    return tree.cast(tree.call("sign", scalars.value(call.arguments[0])), "DOUBLE")


@family.rule("ceiling")
def _ceiling(scalars: Scalars, call: Call) -> Sql:
    if call.type is ScalarType.DECIMAL:
        return decimals.compute("ceiling", *scalars.values(call.arguments))
    return tree.call("ceil", *_reals(scalars, call))


@family.rule("round")
def _round(scalars: Scalars, call: Call) -> Sql:
    if call.type is ScalarType.DECIMAL:
        number, *places = scalars.values(call.arguments)
        return decimals.compute("round", number, *(places or [tree.cast(tree.number(0), "BIGINT")]))
    return tree.call("kql_round", *scalars.values(call.arguments))


@family.rule(*_BITS)
def _bits(scalars: Scalars, call: Call) -> Sql:
    left, right = (tree.cast(each, "BIGINT") for each in scalars.values(call.arguments))
    return tree.binary(_BITS[call.function], left, right)


@family.rule("binary_xor")
def _xor(scalars: Scalars, call: Call) -> Sql:
    return tree.call("xor", *(tree.cast(each, "BIGINT") for each in scalars.values(call.arguments)))


@family.rule("binary_not")
def _not(scalars: Scalars, call: Call) -> Sql:
    return tree.call("xor", tree.cast(scalars.value(call.arguments[0]), "BIGINT"), tree.number(-1))


@family.rule("binary_shift_left", "binary_shift_right")
def _shift(scalars: Scalars, call: Call) -> Sql:
    return tree.call(f"kql_{call.function}", *(tree.cast(each, "BIGINT") for each in scalars.values(call.arguments)))


@family.rule("rand")
def _rand(scalars: Scalars, call: Call) -> Sql:
    if not call.arguments:
        return tree.call("random")
    bound = tree.cast(scalars.value(call.arguments[0]), "DOUBLE")
    return tree.call("floor", tree.binary(exp.Mul, tree.call("random"), bound))
