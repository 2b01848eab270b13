"""Times reckoned from that of the query, and ranges between such."""

import pytest

from vedette.kql.moments import ALWAYS, LAST_TICK, Moment, TimeRange, shifted, time_range

NOW = 1_000


@pytest.mark.parametrize(
    ("moment", "ticks", "shift", "text"),
    [
        (Moment(), 1_000, 0, "now"),
        (Moment().shifted(-10).shifted(1), 991, -9, "now-10+1"),
        (Moment().shifted(-10).binned(100), 900, None, "bin(now-10, 100)"),
        (Moment().shifted(-1_001), None, -1_001, "now-1001"),
        (Moment().shifted(LAST_TICK), None, LAST_TICK, f"now+{LAST_TICK}"),
    ],
)
def test_moments(moment: Moment, ticks: int | None, shift: int | None, text: str) -> None:
    assert (moment.at(NOW), moment.shift, str(moment)) == (ticks, shift, text)


def test_a_range_is_the_tightest_when_the_query_runs() -> None:
    week = time_range(Moment().shifted(-7)).within(time_range(500, 2_000)).within(time_range(400, Moment()))
    assert week == TimeRange(frozenset({Moment().shifted(-7), 500}), frozenset({2_000, Moment()}))
    assert week.at(NOW) == (993, 1_000)
    assert week.at(502) == (500, 502)
    assert week.at(5_000) == (4_993, 2_000)


def test_a_bound_outside_the_calendar_is_none() -> None:
    assert time_range(Moment().shifted(-2_000), 7).at(NOW) == (None, 7)
    assert ALWAYS.at(NOW) == (None, None)


def test_bounds_shift() -> None:
    assert shifted(4, 1) == 5
    assert shifted(Moment(), 1).at(NOW) == 1_001  # type: ignore[union-attr]
