import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.clock import UNIX_EPOCH_TICKS
from vedette.hunting.errors import InvalidTimespanError
from vedette.hunting.timespan import parse_moment, parse_timespan

SECOND = 10_000_000
DAY = 86_400 * SECOND
NOW = UNIX_EPOCH_TICKS + 20_000 * DAY + 12_345
MAY = parse_moment("2024-05-01T00:00:00Z") or 0


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("P30D", NOW - 30 * DAY, NOW),
        ("P1DT12H", NOW - 3 * DAY // 2, NOW),
        ("PT0.5S", NOW - SECOND // 2, NOW),
        ("P2W", NOW - 14 * DAY, NOW),
        ("2024-05-01T00:00:00Z/2024-05-02T00:00:00Z", MAY, MAY + DAY),
        ("2024-05-01/P1D", MAY, MAY + DAY),
        ("P1D/2024-05-01T02:00:00+02:00", MAY - DAY, MAY),
        ("2024-05-01T00:00:00.0000001Z", MAY + 1, NOW),
    ],
)
def test_forms(text: str, start: int, end: int) -> None:
    assert parse_timespan(text, NOW) == (start, end + 1)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "P",
        "PT",
        "P1D/P1D",
        "a/b/c",
        "2024-13-01",
        "2024-05-02/2024-05-01",
        "30d",
        "P1H",
        "/",
        "٢٠٢٤-05-01",
        "9999-01-01",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidTimespanError) as raised:
        parse_timespan(text, NOW)
    assert raised.value.fields == {"value": text}


@given(st.text(max_size=40))
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    try:
        start, end = parse_timespan(text, NOW)
    except InvalidTimespanError:
        return
    assert start is not None
    assert end is not None
    assert start < end
