from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kql import literals

SECOND = 10_000_000
NOON = 634_200_624_000_000_000  # 2010-09-08 12:00


@pytest.mark.parametrize(
    "text",
    [
        "2014-11-08T15:05:00Z",
        "2014-11-08T15:05:00.0000000",
        "2014-11-08T15:05",
        "2014-11-08 15:05:00Z",
        "2014-11-08 15:05",
        "Sat, 8 Nov 14 15:05:00 GMT",
        "Sat, 8 Nov 14 15:05",
        "8 Nov 14 15:05 GMT",
        "Saturday, 08-Nov-14 15:05:00 GMT",
        "08-Nov-14 15:05",
        "2014-11-08T15:05:00 GMT",
        "2014-11-08 17:05:00 +02:00",
        "2014-11-08T10:05-0500",
        "2014 - 11 - 08 15:05",
        "11/08/2014 3:05:00 PM",
        "11-08-2014 15:05",
    ],
)
def test_documented_datetime_formats(text: str) -> None:
    ticks = literals.parse_datetime(text)
    assert ticks is not None
    assert literals.format_datetime(ticks) == "2014-11-08T15:05:00.0000000Z"


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2014-05-25T08:20:03.123456Z", "2014-05-25T08:20:03.1234560Z"),
        ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z"),
        ("0001-01-01", "0001-01-01T00:00:00.0000000Z"),
        ("2020", "2020-01-01T00:00:00.0000000Z"),
        ("2020-03", "2020-03-01T00:00:00.0000000Z"),
        ("2014-05-25T08:20:03.12345678", "2014-05-25T08:20:03.1234567Z"),
    ],
)
def test_datetime_values(text: str, iso: str) -> None:
    ticks = literals.parse_datetime(text)
    assert ticks is not None
    assert literals.format_datetime(ticks) == iso


@pytest.mark.parametrize("text", ["", "x", "2020-13-01", "2021-02-29", "2020-01-01T25:00", "0001-01-01T00:00+01:00"])
def test_what_is_no_datetime(text: str) -> None:
    assert literals.parse_datetime(text) is None


@given(st.integers(0, literals.MAX_DATETIME_TICKS))
def test_datetimes_survive_formatting(ticks: int) -> None:
    assert literals.parse_datetime(literals.format_datetime(ticks)) == ticks


def test_a_time_of_day_has_no_date() -> None:
    assert literals.parse_time_of_day("6:00:00 AM") == 6 * 3600 * SECOND
    assert literals.parse_time_of_day("12:30 PM") == (12 * 60 + 30) * 60 * SECOND
    assert literals.parse_time_of_day("2020-01-01") is None


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        ("1d", literals.TICKS_PER_DAY),
        ("1.5h", 5400 * SECOND),
        ("15 seconds", 15 * SECOND),
        ("10microsecond", 100),
        ("1tick", 1),
        ("200nano", 2),
        ("2", 2 * literals.TICKS_PER_DAY),
        ("-1d", -literals.TICKS_PER_DAY),
        ("1.02:03:04.5", literals.TICKS_PER_DAY + (2 * 3600 + 3 * 60 + 4) * SECOND + SECOND // 2),
        ("00:01", 60 * SECOND),
        ("6:12:14:45", 6 * literals.TICKS_PER_DAY + (12 * 3600 + 14 * 60 + 45) * SECOND),
    ],
)
def test_timespan_texts(text: str, ticks: int) -> None:
    assert literals.parse_timespan(text) == ticks


@pytest.mark.parametrize("text", ["", "x", "1w", "25:00:00", "99999999999d", "1:2:3:4:5"])
def test_what_is_no_timespan(text: str) -> None:
    assert literals.parse_timespan(text) is None


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_timespans_survive_formatting(ticks: int) -> None:
    assert literals.parse_timespan(literals.format_timespan(ticks)) == ticks


def test_timespans_show_days_and_fraction_only_where_needed() -> None:
    assert literals.format_timespan(literals.TICKS_PER_DAY) == "1.00:00:00"
    assert literals.format_timespan(-SECOND) == "-00:00:01"
    assert literals.format_timespan(1) == "00:00:00.0000001"


def test_integers_know_their_width() -> None:
    assert literals.parse_integer("2147483647", 32) == 2147483647
    assert literals.parse_integer("2147483648", 32) is None
    assert literals.parse_integer("0xFFFFFFFFFFFFFFFF", 64) == -1
    assert literals.parse_integer("0x1f", 32) == 31
    assert literals.parse_integer("1.5", 64) is None


def test_other_types() -> None:
    assert literals.parse_guid("{74BE27DE1E4E49D9B579FE0B331D3642}") == "74be27de-1e4e-49d9-b579-fe0b331d3642"
    assert literals.parse_guid("74be27de") is None
    assert literals.parse_real("-inf") == float("-inf")
    assert literals.parse_real("x") is None
    assert literals.parse_decimal("1e5") == Decimal("1e5")
    assert literals.parse_bool("TRUE") is True
    assert literals.parse_bool("yes") is None
