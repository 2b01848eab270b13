"""Decimals as ordered texts."""

import decimal

import hypothesis
import hypothesis.strategies as st

from vedette.kql.decimals import CONTEXT, ZERO, decoded, encoded, read

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=None, min_value=-(10**40), max_value=10**40)


def _text(value: decimal.Decimal) -> str:
    text = encoded(value)
    assert text is not None
    return text


@hypothesis.given(NUMBERS)
def test_values_come_back_rounded_to_34_digits(value: decimal.Decimal) -> None:
    assert decoded(_text(value)) == CONTEXT.plus(value)


@hypothesis.given(NUMBERS, NUMBERS)
def test_texts_have_the_order_of_the_values(left: decimal.Decimal, right: decimal.Decimal) -> None:
    left, right = CONTEXT.plus(left), CONTEXT.plus(right)
    assert (_text(left) < _text(right)) == (left < right)
    assert (_text(left) == _text(right)) == (left == right)


def test_what_is_no_finite_number_has_no_text() -> None:
    assert encoded(decimal.Decimal("NaN")) is None
    assert encoded(decimal.Decimal("1e5000")) is None
    assert encoded(decimal.Decimal("-0.00")) == ZERO
    assert read("1_000") is None
    assert read(" 1e3 ") == 1000
