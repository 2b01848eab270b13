import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.lake.errors import LogWriteError
from vedette.lake.log import Batch, LogFile, encode, logs_in


def batch(name: str, rows: int = 3) -> Batch:
    return Batch(name, b"summary " + name.encode(), 1.5, {"T": pa.table({"a": list(range(rows)), "b": ["x"] * rows})})


def written(folder: Path, *names: str) -> tuple[Path, list[int]]:
    log = LogFile.create(folder)
    positions = [log.write(encode(batch(name))) for name in names]
    log.sync()
    log.close()
    return log.path, positions


def test_frames_come_back_in_order_with_their_positions(tmp_path: Path) -> None:
    path, positions = written(tmp_path, "one", "two")
    log = LogFile.take_over(path)
    assert log is not None
    found = list(log.frames())
    assert [position for position, _ in found] == positions
    assert [(b.batch_id, b.summary, b.accepted_at) for _, b in found] == [
        ("one", b"summary one", 1.5),
        ("two", b"summary two", 1.5),
    ]
    assert found[0][1].rows["T"].equals(batch("one").rows["T"])
    assert log.torn_bytes() == 0
    log.remove()
    assert logs_in(tmp_path) == []


def test_a_log_is_not_taken_over_while_its_owner_lives(tmp_path: Path) -> None:
    log = LogFile.create(tmp_path)
    assert LogFile.take_over(log.path) is None
    log.close()
    taken = LogFile.take_over(log.path)
    assert taken is not None
    taken.close()


@given(cut=st.integers(min_value=1, max_value=2_000), flip=st.booleans())
def test_a_torn_or_spoiled_end_costs_only_the_last_frame(
    tmp_path_factory: pytest.TempPathFactory, cut: int, flip: bool
) -> None:
    path, positions = written(tmp_path_factory.mktemp("log"), "one", "two")
    content = path.read_bytes()
    last = len(content) - positions[1]
    offset = len(content) - 1 - cut % last
    if flip:
        spoiled = bytearray(content)
        spoiled[offset] ^= 0x40
        path.write_bytes(spoiled)
    else:
        path.write_bytes(content[:offset])
    log = LogFile.take_over(path)
    assert log is not None
    assert [b.batch_id for _, b in log.frames()] == ["one"]
    assert log.torn_bytes() == path.stat().st_size - positions[1]
    log.remove()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_failed_write_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    import resource

    log = LogFile.create(tmp_path)
    log.write(encode(batch("one")))
    size = log.path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
    try:
        with pytest.raises(LogWriteError):
            log.write(encode(batch("two")))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert log.path.stat().st_size == size
    assert log.write(encode(batch("three"))) == size
    assert [found.batch_id for _, found in log.frames()] == ["one", "three"]
    log.close()
