import itertools
import os
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from vedette.clock import ManualClock
from vedette.ids import RandomIds
from vedette.lake.compaction import CompactionOptions, Compactor
from vedette.lake.engine import LakeFolders
from vedette.lake.engines.duckdb import MAX_QUERY_SECONDS, DuckDBEngine
from vedette.lake.engines.duckdb_files import DuckDBRewriter
from vedette.lake.maintenance import READER_LEASE_SECONDS, Maintenance
from vedette.lake.schema import INGESTION_TIME, StoredTable, stored_tables
from vedette.lake.segments import Segment, Segments, write_segment
from vedette.lake.writer import LakeWriter
from vedette.store.engine import Store

from .samples import DAY, LIMITS, TENANT, processes, scope, ticks

TABLE = "DeviceProcessEvents"
OPTIONS = CompactionOptions(min_segments=4, small_rows=20, target_rows=30)


@pytest.fixture
def rewriter() -> DuckDBRewriter:
    return DuckDBRewriter(RandomIds(), memory=256 * 2**20)


@pytest.fixture
def compactor(store: Store, folders: LakeFolders, clock: ManualClock, rewriter: DuckDBRewriter) -> Compactor:
    return Compactor(store, folders, clock, rewriter, OPTIONS)


def live(store: Store, table: str = TABLE) -> list[Segment]:
    with store.connect() as connection:
        return Segments(connection, TENANT).live(table)


def files(folders: LakeFolders) -> set[Path]:
    return set(folders.segments(TENANT).rglob("*.parquet"))


def fill(writer: LakeWriter, days: list[float], batches: int = 4) -> None:
    for number in range(batches):
        rows = processes(*((ticks(day) + number, f"line {number} {day}") for day in days))
        writer.append(TENANT, f"batch {number} {days[0]}", {TABLE: rows}, b"")
        writer.flush(TENANT)


def everything(engine: DuckDBEngine) -> list[tuple[int, str, int]]:
    sql = f'SELECT "Timestamp", "ProcessCommandLine", _ingestion_time FROM "{TABLE}" ORDER BY ALL'
    rows = engine.execute(scope(TABLE), sql, (), LIMITS).data.to_pylist()
    return [tuple(row.values()) for row in rows]


def test_segments_become_fewer_disjoint_in_time_and_hold_the_same_rows(
    writer: LakeWriter, engine: DuckDBEngine, compactor: Compactor, store: Store
) -> None:
    fill(writer, [number / 4 for number in range(20)], batches=5)
    before = everything(engine)
    assert compactor.compact(TENANT) == 5
    assert everything(engine) == before
    after = live(store)
    assert {segment.level for segment in after} == {1}
    assert sum(segment.rows for segment in after) == len(before) == 100
    bounds = [(segment.min_time, segment.max_time) for segment in after]
    assert bounds == sorted(bounds)
    assert all(first[1] < second[0] for first, second in itertools.pairwise(bounds))
    assert compactor.compact(TENANT) == 0


def test_a_large_day_is_cut_into_parts(
    writer: LakeWriter, engine: DuckDBEngine, compactor: Compactor, store: Store
) -> None:
    fill(writer, [number / 1000 for number in range(30)], batches=4)
    before = everything(engine)
    compactor.compact(TENANT)
    assert everything(engine) == before
    assert len(live(store)) >= 4
    assert max(segment.rows for segment in live(store)) <= 40


def test_rows_without_a_time_survive_and_are_never_pruned(
    writer: LakeWriter, engine: DuckDBEngine, compactor: Compactor
) -> None:
    for number in range(4):
        rows = pa.table({"Timestamp": pa.array([None, ticks()], pa.int64()), "ProcessCommandLine": ["none", "now"]})
        writer.append(TENANT, f"b{number}", {TABLE: rows, "ExposureGraphNodes": pa.table({"NodeName": ["n"]})}, b"")
        writer.flush(TENANT)
    assert compactor.compact(TENANT) == 8
    sql = f'SELECT count(*) FROM "{TABLE}" WHERE "Timestamp" IS NULL'
    outcome = engine.execute(scope(TABLE, time_range=(ticks(1), None)), sql, (), LIMITS)
    assert outcome.data.column(0).to_pylist() == [4]
    outcome = engine.execute(scope("ExposureGraphNodes"), 'SELECT count(*) FROM "ExposureGraphNodes"', (), LIMITS)
    assert outcome.data.column(0).to_pylist() == [4]


def test_replaced_files_stay_until_no_reader_can_need_them(
    writer: LakeWriter,
    compactor: Compactor,
    store: Store,
    folders: LakeFolders,
    clock: ManualClock,
) -> None:
    assert READER_LEASE_SECONDS > MAX_QUERY_SECONDS
    fill(writer, [0.5])
    old = files(folders)
    maintenance = Maintenance(store, folders, clock, compactor)
    assert maintenance.run(TENANT).compacted == 4
    clock.advance(MAX_QUERY_SECONDS)
    assert maintenance.run(TENANT).deleted == 0
    assert old < files(folders)
    clock.advance(READER_LEASE_SECONDS - MAX_QUERY_SECONDS + 1)
    assert maintenance.run(TENANT).deleted == 4
    assert old.isdisjoint(files(folders))
    assert len(files(folders)) == 1


def test_readers_see_the_same_rows_before_during_and_after(
    writer: LakeWriter, engine: DuckDBEngine, compactor: Compactor
) -> None:
    fill(writer, [number / 3 for number in range(12)], batches=12)
    expected = everything(engine)
    done = threading.Event()
    seen = []

    def read() -> None:
        while not done.is_set():
            seen.append(everything(engine))

    reader = threading.Thread(target=read)
    reader.start()
    compactor.compact(TENANT)
    done.set()
    reader.join()
    assert seen
    assert all(rows == expected for rows in seen)


def test_a_second_compactor_changes_nothing(
    writer: LakeWriter, engine: DuckDBEngine, store: Store, folders: LakeFolders, clock: ManualClock
) -> None:
    fill(writer, [0.1, 0.2])
    before = everything(engine)

    class Overtaken(DuckDBRewriter):
        """Another compactor finishes while this one writes."""

        def rewrite(self, *arguments: object) -> Segment | None:  # type: ignore[override]
            rewritten = super().rewrite(*arguments)  # type: ignore[arg-type]
            Compactor(store, folders, clock, DuckDBRewriter(RandomIds(), memory=2**28), OPTIONS).compact(TENANT)
            return rewritten

    late = Compactor(store, folders, clock, Overtaken(RandomIds(), memory=2**28), OPTIONS)
    assert late.compact(TENANT) == 0
    assert everything(engine) == before


def test_retention_takes_whole_segments_of_old_days(
    writer: LakeWriter,
    engine: DuckDBEngine,
    compactor: Compactor,
    store: Store,
    folders: LakeFolders,
    clock: ManualClock,
) -> None:
    fill(writer, [100.0], batches=1)
    fill(writer, [1.0], batches=1)
    assert Maintenance(store, folders, clock, compactor).run(TENANT).expired == 0
    assert Maintenance(store, folders, clock, compactor, retention_days=30).run(TENANT).expired == 1
    assert [time for time, _, _ in everything(engine)] == [ticks(1.0)]


def test_a_file_left_by_a_dead_process_goes_after_an_hour(
    writer: LakeWriter, compactor: Compactor, store: Store, folders: LakeFolders
) -> None:
    """By the system's time, wherever the clock of the server was moved."""
    fill(writer, [0.0], batches=1)
    (path,) = files(folders)
    stray = path.with_name("stray.parquet")
    stray.write_bytes(b"")
    moved = Maintenance(store, folders, ManualClock(stray.stat().st_mtime + 86_400), compactor)
    assert moved.run(TENANT).deleted == 0
    written = stray.stat().st_mtime - 4_000
    os.utime(stray, (written, written))
    assert moved.run(TENANT).deleted == 1
    assert files(folders) == {path}


def test_segments_outside_the_time_range_are_not_read(writer: LakeWriter, engine: DuckDBEngine) -> None:
    fill(writer, [10.0], batches=1)
    fill(writer, [1.0], batches=1)
    sql = f'SELECT count(*) FROM "{TABLE}"'
    recent = engine.execute(scope(TABLE, time_range=(ticks(2), None)), sql, (), LIMITS)
    assert recent.data.column(0).to_pylist() == [1]
    assert ticks(2) - ticks(10.0) == 8 * DAY


def test_segments_written_before_a_column_was_added_read_as_empty_there(
    writer: LakeWriter,
    engine: DuckDBEngine,
    compactor: Compactor,
    store: Store,
    folders: LakeFolders,
) -> None:
    fill(writer, [1.0], batches=3)
    today = stored_tables()[TABLE]
    kept = [field for field in today.schema if field.name not in {"FileName", "ProcessId"}]
    before = StoredTable(TABLE, pa.schema(kept), today.time_column, "older")
    rows = today.conform(processes((ticks(2.0), "old"))).select([field.name for field in kept[:-1]])
    stamped = rows.append_column(INGESTION_TIME, pa.array([ticks()], pa.int64()))
    with store.begin() as connection:
        segment = write_segment(folders.segments(TENANT), before, stamped, RandomIds())
        Segments(connection, TENANT).add([segment])
    sql = f'SELECT "FileName", "ProcessId" FROM "{TABLE}" WHERE "ProcessCommandLine" = \'old\''
    for _ in range(2):
        assert engine.execute(scope(TABLE), sql, (), LIMITS).data.to_pylist() == [{"FileName": "", "ProcessId": None}]
        compactor.compact(TENANT)
    assert {segment.schema_id for segment in live(store)} == {today.schema_id}
