"""Arithmetic of decimals in their encoded form (`kql.decimals`): 34 digits, half to even; what has no value is null."""

from __future__ import annotations

import decimal
import json
from collections.abc import Callable

from vedette.kql.decimals import CONTEXT, decoded, encoded, read

_ZERO = decimal.Decimal(0)


def decimal_of_text(text: str) -> str | None:
    """The decimal that a text is."""
    value = read(text)
    return None if value is None else encoded(value)


def decimal_text(value: str) -> str:
    """The digits, without exponent."""
    return format(decoded(value), "f")


def _of_two(
    compute: Callable[[decimal.Decimal, decimal.Decimal], decimal.Decimal],
) -> Callable[[str, str], str | None]:
    def run(left: str, right: str) -> str | None:
        return encoded(compute(decoded(left), decoded(right)))

    return run


def _remainder(left: decimal.Decimal, right: decimal.Decimal) -> decimal.Decimal:
    """Never negative, as for the other numbers."""
    found = CONTEXT.remainder(left, right)
    return CONTEXT.add(found, right.copy_abs()) if found < 0 else found


def _floored(value: decimal.Decimal, size: decimal.Decimal) -> decimal.Decimal:
    if size <= 0:
        return decimal.Decimal("NaN")
    places = CONTEXT.divide(value, size).to_integral_value(decimal.ROUND_FLOOR)
    return CONTEXT.multiply(places, size)


decimal_add = _of_two(CONTEXT.add)
decimal_subtract = _of_two(CONTEXT.subtract)
decimal_multiply = _of_two(CONTEXT.multiply)
decimal_divide = _of_two(CONTEXT.divide)
decimal_modulo = _of_two(_remainder)
decimal_bin = _of_two(_floored)


def decimal_absolute(value: str) -> str | None:
    """The value without its sign."""
    return encoded(decoded(value).copy_abs())


def decimal_round(value: str, places: int) -> str | None:
    """Rounded to a number of places, half away from zero."""
    if not -CONTEXT.Emax < places < CONTEXT.Emax:
        return None
    number = decoded(value)
    if int(number.as_tuple().exponent) >= -places:
        return value
    wide = decimal.Context(prec=2 * CONTEXT.Emax, rounding=decimal.ROUND_HALF_UP)
    return encoded(number.quantize(decimal.Decimal((0, (1,), -places)), context=wide))


def decimal_ceiling(value: str) -> str | None:
    """The least whole number that is not below."""
    return encoded(decoded(value).to_integral_value(decimal.ROUND_CEILING))


def decimal_whole(value: str) -> str:
    """The digits before the point."""
    return format(decoded(value).to_integral_value(decimal.ROUND_DOWN), "f")


def _total(values: list[str | None]) -> tuple[decimal.Decimal, int]:
    numbers = [decoded(each) for each in values if each is not None]
    total = _ZERO
    for each in numbers:
        total = CONTEXT.add(total, each)
    return total, len(numbers)


def decimal_sum(values: str) -> str | None:
    """The sum of a JSON array of decimals."""
    return encoded(_total(json.loads(values))[0])


def decimal_mean(values: str) -> str | None:
    """The mean of a JSON array of decimals, None if it has none."""
    total, count = _total(json.loads(values))
    return encoded(CONTEXT.divide(total, decimal.Decimal(count))) if count else None
