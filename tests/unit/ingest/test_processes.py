"""The process cache over restarts: starts are read back from the tenant's own rows in a real lake."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.ingest.fakes import TENANT, MemoryLake, sysmon
from vedette.clock import SystemClock
from vedette.ids import RandomIds
from vedette.ingest.pipeline import Pipeline
from vedette.ingest.processes import LakeHistory, ProcessCache, starts_schema
from vedette.ingest.sources.source import Source
from vedette.jobs.outbox import Outbox
from vedette.lake.engine import LakeFolders, QueryLimits
from vedette.lake.engines.duckdb import DuckDBEngine
from vedette.lake.engines.duckdb_files import DuckDBJson
from vedette.lake.publish import Publisher
from vedette.lake.writer import LakeWriter
from vedette.store.engine import Store
from vedette.store.metadata import METADATA

GUID = "{b669e388-4a98-5ee0-0000-001000000001}"


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[tuple[LakeWriter, DuckDBEngine]]:
    store = Store.in_folder(tmp_path)
    with store.begin() as connection:
        METADATA.create_all(connection)
    clock, ids, folders = SystemClock(), RandomIds(), LakeFolders(tmp_path / "lake")
    writer = LakeWriter(folders, clock, Publisher(store, folders, ids, Outbox(clock, ids)), DuckDBJson())
    yield writer, DuckDBEngine(store, folders)
    writer.close()
    store.close()


def test_starts_are_read_back_after_a_restart(lake: tuple[LakeWriter, DuckDBEngine], tmp_path: Path) -> None:
    writer, engine = lake
    start = sysmon(1, ProcessGuid=GUID, ProcessId="5", Image=r"C:\a.exe", CommandLine="a --now")
    change = sysmon(11, ProcessGuid=GUID, ProcessId="5", TargetFilename=r"C:\x")

    def take(event: dict[str, object]) -> None:
        history = LakeHistory(engine, QueryLimits(rows=100_000, seconds=30, memory=256 << 20))
        pipeline = Pipeline(writer, tmp_path / "quarantine", processes=ProcessCache(history))
        pipeline.accept(TENANT, None, [Source("x", json.dumps(event).encode())])
        writer.flush(TENANT)

    take(start)
    take(change)
    history = LakeHistory(engine, QueryLimits(rows=100_000, seconds=30, memory=256 << 20))
    (remembered,) = history.recent_starts(TENANT, 10).to_pylist()
    assert (remembered["host"], remembered["guid"]) == ("ws1.contoso.example", GUID.strip("{}"))
    assert history.recent_starts("22222222-2222-2222-2222-222222222222", 10).num_rows == 0
    assert history.recent_starts(TENANT, 10).schema == starts_schema()


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    cache = ProcessCache(limit=2)
    pipeline = Pipeline(MemoryLake(), tmp_path, processes=cache)
    events = [
        sysmon(1, ProcessGuid=GUID.replace("1}", f"{n}}}"), ProcessId=str(n), Image="a", RecordNumber=n)
        for n in range(5)
    ]
    pipeline.accept(TENANT, None, [Source("x", b"\n".join(json.dumps(event).encode() for event in events))])
    with cache.tenant(TENANT) as processes:
        assert processes.starts.num_rows == 2
