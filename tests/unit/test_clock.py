"""Ticks as texts, over the whole range of the type."""

import pytest

from vedette.clock import TICKS_PER_SECOND, format_ticks


@pytest.mark.parametrize(
    ("ticks", "text"),
    [
        (0, "0001-01-01T00:00:00.0000000Z"),
        (1, "0001-01-01T00:00:00.0000001Z"),
        (638_712_864_000_000_000, "2025-01-01T00:00:00.0000000Z"),
        (638_712_864_012_345_678, "2025-01-01T00:00:01.2345678Z"),
        (638_712_864_000_000_000 - TICKS_PER_SECOND, "2024-12-31T23:59:59.0000000Z"),
        (3_155_378_975_999_999_999, "9999-12-31T23:59:59.9999999Z"),
    ],
)
def test_ticks_are_written_with_seven_digits(ticks: int, text: str) -> None:
    assert format_ticks(ticks) == text
