"""A clock that follows a file."""

from pathlib import Path

import msgspec
import pytest

from vedette.clock import ManualClock
from vedette.errors import ConflictError, InvalidRequestError
from vedette.server.shifted_clock import FixedClock, Shift, ShiftedClock


def test_it_is_moved_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    clock = ShiftedClock(path, ManualClock(1000.0))
    assert clock.time() == 1000.0
    path.write_bytes(msgspec.json.encode(Shift(3600.0)))
    assert clock.time() == 4600.0
    path.unlink()
    assert clock.time() == 1000.0


def test_who_moves_it_moves_it_for_all(tmp_path: Path) -> None:
    first, second = (ShiftedClock(tmp_path / "clock.json", ManualClock(1000.0)) for _ in range(2))
    assert first.move(500.0) == 1500.0
    assert (second.time(), second.offset()) == (1500.0, 500.0)
    second.move(-100.0)
    assert first.time() == 900.0
    assert first.move(None) == second.time() == 1000.0


def test_a_server_that_is_no_test_server_keeps_the_time() -> None:
    clock = FixedClock(ManualClock(1000.0))
    assert (clock.time(), clock.offset()) == (1000.0, 0.0)
    with pytest.raises(ConflictError, match="ClockFixed"):
        clock.move(1.0)


@pytest.mark.parametrize("offset", [float("nan"), float("inf"), -float("inf"), 1e12, -1e12, 1e300])
def test_it_stays_within_the_years_that_dates_have(tmp_path: Path, offset: float) -> None:
    clock = ShiftedClock(tmp_path / "clock.json", ManualClock(1000.0))
    with pytest.raises(InvalidRequestError, match="ClockOutOfRange"):
        clock.move(offset)
    assert clock.time() == 1000.0


def test_moves_that_follow_at_once_are_seen_each(tmp_path: Path) -> None:
    first, second = (ShiftedClock(tmp_path / "clock.json", ManualClock(1000.0)) for _ in range(2))
    for step in range(1, 500):
        first.move(float(step))
        assert second.offset() == step
