"""Date literals, in every form seen on the wire."""

import pytest

from vedette.odata.dates import parse_ticks

NEW_YEAR_2024 = 638_396_640_000_000_000


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("2024-01-01T00:00:00.0000000Z", 0),
        ("2024-01-01T00:00:00Z", 0),
        ("2024-01-01", 0),
        ("2024-01-01Z", 0),
        ("2024-01-01T00:00Z", 0),
        ("2024-01-01T00:00:00", 0),
        ("2024-01-01T00:00:00+00:00", 0),
        ("2024-01-01T00:00:00 00:00", 0),
        ("2024-01-01T02:00:00+02:00", 0),
        ("2024-01-01T02:00:00 02:00", 0),
        ("2023-12-31T22:00:00-02:00", 0),
        ("2024-01-01t00:00:00z", 0),
        ("2024-01-01T00:00:00.1234567Z", 1_234_567),
        ("2024-01-01T00:00:00.12345678Z", 1_234_567),
        ("2024-01-01T00:00:00.5Z", 5_000_000),
    ],
)
def test_every_form_is_the_same_instant(text: str, offset: int) -> None:
    assert parse_ticks(text) == NEW_YEAR_2024 + offset


@pytest.mark.parametrize("text", ["", "2024", "2024-13-01", "2024-02-30Z", "2024-01-01T25:00:00Z", "x2024-01-01"])
def test_what_is_no_date(text: str) -> None:
    assert parse_ticks(text) is None


def test_ends_of_the_range() -> None:
    assert parse_ticks("0001-01-01T00:00:00Z") == 0
    assert parse_ticks("9999-12-31T23:59:59.9999999Z") == 3_155_378_975_999_999_999
