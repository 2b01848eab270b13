import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from vedette.clock import ManualClock
from vedette.jobs.tables import OUTBOX
from vedette.lake.engine import LakeFolders
from vedette.lake.engines.duckdb import DuckDBEngine
from vedette.lake.errors import InvalidBatchError
from vedette.lake.log import LogFile, logs_in
from vedette.lake.publish import EVENTS_COMMITTED
from vedette.lake.segments import Segments
from vedette.lake.writer import LakeWriter
from vedette.store.engine import Store

from .samples import LIMITS, OTHER_TENANT, TENANT, processes, scope, ticks

TABLE = "DeviceProcessEvents"


def lines(engine: DuckDBEngine, tenant_id: str = TENANT) -> list[str]:
    sql = f'SELECT "ProcessCommandLine" FROM "{TABLE}" ORDER BY 1'
    outcome = engine.execute(scope(TABLE, tenant_id=tenant_id), sql, (), LIMITS)
    return outcome.data.column(0).to_pylist()


def test_a_batch_is_visible_after_flush_with_its_time_of_ingestion(
    writer: LakeWriter, engine: DuckDBEngine, clock: ManualClock
) -> None:
    assert writer.append(TENANT, "b1", {TABLE: processes((ticks(1), "whoami"))}, b"{}") is None
    assert lines(engine) == []
    writer.flush(TENANT)
    assert lines(engine) == ["whoami"]
    outcome = engine.execute(scope(TABLE), f'SELECT _ingestion_time, "Timestamp" FROM "{TABLE}"', (), LIMITS)
    assert outcome.data.to_pylist() == [{"_ingestion_time": ticks(), "Timestamp": ticks(1)}]


def test_the_same_batch_id_changes_nothing_and_answers_the_first_summary(
    writer: LakeWriter, make_writer: Callable[[], LakeWriter], engine: DuckDBEngine
) -> None:
    other_process = make_writer()
    assert writer.append(TENANT, "b1", {TABLE: processes((ticks(), "first"))}, b"first") is None
    assert writer.append(TENANT, "b1", {TABLE: processes((ticks(), "again"))}, b"again") == b"first"
    assert other_process.append(TENANT, "b1", {TABLE: processes((ticks(), "there"))}, b"there") == b"first"
    writer.flush(TENANT)
    assert other_process.append(TENANT, "b1", {TABLE: processes((ticks(), "later"))}, b"later") == b"first"
    other_process.stop()
    assert lines(engine) == ["first"]


def test_a_batch_id_belongs_to_its_tenant(writer: LakeWriter, engine: DuckDBEngine) -> None:
    assert writer.append(TENANT, "b1", {TABLE: processes((ticks(), "ours"))}, b"1") is None
    assert writer.append(OTHER_TENANT, "b1", {TABLE: processes((ticks(), "theirs"))}, b"2") is None
    writer.flush_all()
    assert lines(engine) == ["ours"]
    assert lines(engine, OTHER_TENANT) == ["theirs"]


def test_concurrent_appends_of_one_id_are_one_batch(
    make_writer: Callable[[], LakeWriter], engine: DuckDBEngine
) -> None:
    writers = [make_writer(), make_writer()]
    answers: list[bytes | None] = []
    start = threading.Barrier(8)

    def append(number: int) -> None:
        start.wait()
        rows = {TABLE: processes((ticks(), f"copy {number}"))}
        answers.append(writers[number % 2].append(TENANT, "same", rows, f"copy {number}".encode()))

    threads = [threading.Thread(target=append, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        writer.stop()
    (stored,) = lines(engine)
    assert sorted(answers, key=str) == sorted([None, *[stored.encode()] * 7], key=str)


def test_publishing_tells_the_outbox_in_the_same_transaction(writer: LakeWriter, store: Store) -> None:
    writer.append(TENANT, "b1", {TABLE: processes((ticks(), "x")), "DeviceInfo": pa.table({"DeviceName": ["d"]})}, b"")
    writer.flush(TENANT)
    with store.connect() as connection:
        (event,) = connection.execute(select(OUTBOX)).all()
    assert (event.tenant_id, event.topic, event.payload["tables"]) == (TENANT, EVENTS_COMMITTED, ["DeviceInfo", TABLE])
    assert event.payload["ingestion_from"] == event.payload["ingestion_to"] == ticks()


def test_what_a_dead_process_acknowledged_is_recovered_once(
    make_writer: Callable[[], LakeWriter], engine: DuckDBEngine, folders: LakeFolders
) -> None:
    dead = make_writer()
    dead.append(TENANT, "b1", {TABLE: processes((ticks(), "kept"))}, b"first")
    dead.close()
    heir = make_writer()
    recovery = heir.recover()
    assert (recovery.logs, recovery.batches, recovery.torn_bytes) == (1, 1, 0)
    assert lines(engine) == ["kept"]
    assert heir.recover().logs == 0
    assert heir.append(TENANT, "b1", {TABLE: processes((ticks(), "retry"))}, b"second") == b"first"
    assert logs_in(folders.log(TENANT)) == []
    heir.stop()


def test_a_log_left_after_publication_adds_nothing(
    make_writer: Callable[[], LakeWriter], engine: DuckDBEngine, folders: LakeFolders
) -> None:
    dead = make_writer()
    dead.append(TENANT, "b1", {TABLE: processes((ticks(), "once"))}, b"")
    (path,) = logs_in(folders.log(TENANT))
    content = path.read_bytes()
    dead.stop()
    path.write_bytes(content)
    heir = make_writer()
    assert heir.recover().logs == 1
    assert lines(engine) == ["once"]
    heir.stop()


def test_a_torn_tail_is_cut_and_reported(
    make_writer: Callable[[], LakeWriter], engine: DuckDBEngine, folders: LakeFolders
) -> None:
    dead = make_writer()
    dead.append(TENANT, "b1", {TABLE: processes((ticks(), "whole"))}, b"")
    (path,) = logs_in(folders.log(TENANT))
    with path.open("ab") as file:
        file.write(b"half a frame")
    dead.close()
    heir = make_writer()
    assert heir.recover().torn_bytes == len(b"half a frame")
    assert lines(engine) == ["whole"]
    heir.stop()


@pytest.mark.parametrize(
    ("tenant_id", "batch_id", "rows", "reason"),
    [
        ("../../etc", "b", {}, "tenant_id"),
        (TENANT.replace("1", "A"), "b", {}, "tenant_id"),
        (TENANT, "", {}, "batch_id"),
        (TENANT, "b" * 257, {}, "batch_id"),
        (TENANT, "b", {"../x": pa.table({"a": [1]})}, "unknown_table"),
        (TENANT, "b", {TABLE: pa.table({"NoSuchColumn": [1]})}, "unknown_column"),
        (TENANT, "b", {"CloudAppEvents": pa.table({"RawEventData": ["{broken"]})}, "not_json"),
    ],
)
def test_a_batch_that_cannot_be_stored_is_refused_before_anything_is_written(
    writer: LakeWriter,
    folders: LakeFolders,
    tenant_id: str,
    batch_id: str,
    rows: dict[str, pa.Table],
    reason: str,
) -> None:
    with pytest.raises(InvalidBatchError) as raised:
        writer.append(tenant_id, batch_id, rows, b"")
    assert raised.value.reason == reason
    assert not folders.root.exists()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(0, 6)),
            st.tuples(st.just("append elsewhere"), st.integers(0, 6)),
            st.tuples(st.sampled_from(["flush", "die", "recover"]), st.just(0)),
        ),
        max_size=12,
    ),
)
def test_every_acknowledged_batch_is_there_once_whatever_happens(
    make_writer: Callable[[], LakeWriter], engine: DuckDBEngine, steps: list[tuple[str, int]]
) -> None:
    run = uuid.uuid4()
    here, there = make_writer(), make_writer()
    expected: set[str] = set()
    for step, number in steps:
        if step.startswith("append"):
            name = f"{run} {number}"
            chosen = here if step == "append" else there
            first = chosen.append(TENANT, name, {TABLE: processes((ticks(), name))}, name.encode())
            assert first == (name.encode() if name in expected else None)
            expected.add(name)
        elif step == "flush":
            here.flush(TENANT)
        elif step == "recover":
            there.recover()
        else:
            here.close()
            here = make_writer()
    here.stop()
    there.stop()
    last = make_writer()
    last.recover()
    assert [line for line in lines(engine) if line.startswith(str(run))] == sorted(expected)


def test_the_manifest_never_shows_half_a_batch(writer: LakeWriter, engine: DuckDBEngine, store: Store) -> None:
    stop = threading.Event()
    seen: set[tuple[int, int]] = set()

    def read() -> None:
        sql = f'SELECT (SELECT count(*) FROM "{TABLE}"), (SELECT count(*) FROM "DeviceFileEvents")'
        while not stop.is_set():
            row = engine.execute(scope(TABLE, "DeviceFileEvents"), sql, (), LIMITS).data
            seen.add((row.column(0)[0].as_py(), row.column(1)[0].as_py()))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(10):
        files = pa.table({"Timestamp": pa.array([ticks()] * 2, pa.int64())})
        writer.append(TENANT, f"b{number}", {TABLE: processes((ticks(), "x")), "DeviceFileEvents": files}, b"")
        writer.flush(TENANT)
    stop.set()
    reader.join()
    assert seen
    assert all(file_events == 2 * process_events for process_events, file_events in seen)
    with store.connect() as connection:
        assert len(Segments(connection, TENANT).live(TABLE)) == 10


def test_a_file_that_is_no_frame_is_only_reported(make_writer: Callable[[], LakeWriter], folders: LakeFolders) -> None:
    folder: Path = folders.log(TENANT)
    log = LogFile.create(folder)
    log.write([b"nonsense"])
    log.close()
    writer = make_writer()
    assert (writer.recover().torn_bytes, logs_in(folder)) == (8, [])
    writer.stop()
