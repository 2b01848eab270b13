"""Event log files: read whole, cut off, damaged."""

from pathlib import Path

import pytest

from tests.unit.ingest.fakes import Room


@pytest.fixture
def log(shared: Path) -> bytes:
    return (shared / "telemetry" / "evtx_cc0" / "id104_1102_event_log_cleared.evtx").read_bytes()


def test_every_record_is_an_event(log: bytes, tmp_path: Path) -> None:
    receipt = Room(tmp_path).take(log)
    assert (receipt.events, receipt.quarantined, receipt.damaged) == (91, 0, 0)
    assert receipt.rows["DeviceEvents"] >= 1


def test_a_cut_off_log_keeps_its_readable_records_and_is_reported(log: bytes, tmp_path: Path) -> None:
    room = Room(tmp_path)
    receipt = room.take(log[:24_000])
    assert receipt.events > 10
    assert receipt.damaged == 1
    assert [record["reason"] for record in room.quarantine(receipt) if record["line"] == 0] == ["truncated_evtx"]


def test_a_damaged_record_is_quarantined_and_what_came_before_kept(log: bytes, tmp_path: Path) -> None:
    room = Room(tmp_path)
    receipt = room.take(log[:20_000] + b"\xff" * 400 + log[20_400:])
    assert receipt.accepted + receipt.ignored + receipt.unmapped > 10
    assert "damaged_record" in {record["reason"] for record in room.quarantine(receipt)}


def test_a_file_that_only_looks_like_a_log_is_reported(tmp_path: Path) -> None:
    room = Room(tmp_path)
    receipt = room.take(b"ElfFile\x00" + b"nothing")
    assert (receipt.accepted, receipt.damaged) == (0, 1)
