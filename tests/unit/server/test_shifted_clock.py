"""A clock that follows a file."""

from pathlib import Path

import msgspec
import pytest

from vedette.clock import ManualClock
from vedette.errors import UsageError
from vedette.server.data_folder import open_data_folder
from vedette.server.shifted_clock import Shift, ShiftedClock, move_clock


def test_it_is_moved_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    clock = ShiftedClock(path, ManualClock(1000.0))
    assert clock.time() == 1000.0
    path.write_bytes(msgspec.json.encode(Shift(3600.0)))
    assert clock.time() == 4600.0
    path.unlink()
    assert clock.time() == 1000.0


def test_only_a_running_demo_has_a_clock_that_moves(tmp_path: Path) -> None:
    open_data_folder(tmp_path)
    with pytest.raises(UsageError):
        move_clock(tmp_path, 60.0, None, reset=False)
