"""Decimals of 34 significant digits, as the service has them, in a text whose order is that of the values.

One text stands for each value, so that equality, order, groups and joins are those of the texts. It begins with `0`
for negative values, `1` for zero, `2` for positive ones; four digits of the exponent and the digits follow, for
negative values as their complement, closed by a character above all digits.
"""

from __future__ import annotations

import decimal
import re

ZERO = "1"
DIGITS = 34

_BIAS = 5000
_CLOSED = "~"
_COMPLEMENT = str.maketrans("0123456789", "9876543210")
_NUMBER = re.compile(r"\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,9})?\s*", re.ASCII)

CONTEXT = decimal.Context(
    prec=DIGITS, rounding=decimal.ROUND_HALF_EVEN, Emin=-4900, Emax=4900, capitals=1, clamp=0, flags=[], traps=[]
)


def encoded(value: decimal.Decimal) -> str | None:
    """The text that stands for a value, rounded to 34 digits; None where it is no finite number."""
    value = CONTEXT.plus(value)
    if not value.is_finite():
        return None
    if not value:
        return ZERO
    mantissa, _, exponent = f"{value:e}".partition("e")
    digits = mantissa.lstrip("-").replace(".", "").rstrip("0")
    body = f"{int(exponent) + _BIAS:04d}{digits}"
    return f"0{body.translate(_COMPLEMENT)}{_CLOSED}" if mantissa[0] == "-" else f"2{body}"


def decoded(text: str) -> decimal.Decimal:
    """The value that such a text stands for."""
    if text == ZERO:
        return decimal.Decimal(0)
    sign, body = ("-", text[1:-1].translate(_COMPLEMENT)) if text[0] == "0" else ("", text[1:])
    return decimal.Decimal(f"{sign}{body[4]}.{body[5:]}E{int(body[:4]) - _BIAS}")


def read(text: str) -> decimal.Decimal | None:
    """The number that a text written by people is, None if it is none."""
    return CONTEXT.create_decimal(text.strip()) if _NUMBER.fullmatch(text) else None
