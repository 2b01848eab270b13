"""`kill -9` in the middle of writing: every acknowledged batch is there, once and whole, after the restart."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from vedette.clock import SystemClock
from vedette.ids import RandomIds
from vedette.jobs.outbox import Outbox
from vedette.lake.engine import LakeFolders, QueryLimits, QueryScope, RelationScope
from vedette.lake.engines.duckdb import DuckDBEngine
from vedette.lake.engines.duckdb_files import DuckDBJson
from vedette.lake.log import logs_in
from vedette.lake.publish import Publisher
from vedette.lake.writer import LakeWriter
from vedette.store.engine import Store
from vedette.store.metadata import METADATA

from .durability_writer import ROWS

TENANT = "11111111-1111-4111-8111-111111111111"
TABLES = ("DeviceProcessEvents", "DeviceFileEvents")
WRITER = Path(__file__).with_name("durability_writer.py")
ROUNDS = 3


def write_until_killed(folder: Path, names: list[str], seconds: float) -> set[str]:
    """Run writers side by side, kill them at once with SIGKILL, and return what they had acknowledged."""
    errors = folder / "errors.txt"
    with errors.open("w") as stderr:
        writers = [
            subprocess.Popen(
                [sys.executable, str(WRITER), str(folder), name, TENANT],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
            for name in names
        ]
    outputs = [writer.stdout for writer in writers if writer.stdout is not None]
    assert [output.readline() for output in outputs] == ["started\n"] * len(names)
    time.sleep(seconds)
    for writer in writers:
        writer.kill()
    acknowledged: set[str] = set()
    for writer, output in zip(writers, outputs, strict=True):
        with output:
            acknowledged.update(output.read().split("\n")[:-1])  # the last piece is cut off or empty
        writer.wait()
    assert "Traceback" not in errors.read_text()
    return acknowledged


def counted(engine: DuckDBEngine) -> dict[str, Counter[str]]:
    """Rows by batch in each of the tables."""
    counts = {}
    for table in TABLES:
        sql = f'SELECT "DeviceId" || \'-\' || "ReportId", count(*) FROM "{table}" GROUP BY 1'
        scope = QueryScope(TENANT, (RelationScope(table, table),))
        data = engine.execute(scope, sql, (), QueryLimits(10_000_000, 60, 2**30)).data
        counts[table] = Counter(dict(zip(data.column(0).to_pylist(), data.column(1).to_pylist(), strict=True)))
    return counts


@pytest.mark.parametrize("seed", [1])
def test_every_acknowledged_batch_is_there_once_after_kill_9(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    store = Store.in_folder(tmp_path)
    with store.begin() as connection:
        METADATA.create_all(connection)
    folders, clock, ids = LakeFolders(tmp_path / "lake"), SystemClock(), RandomIds()
    engine = DuckDBEngine(store, folders, threads=2)
    acknowledged: set[str] = set()
    for number in range(ROUNDS):
        names = [f"{number}a", f"{number}b"]
        new = write_until_killed(tmp_path, names, chance.uniform(0.2, 1.0))
        assert new
        acknowledged |= new
        writer = LakeWriter(folders, clock, Publisher(store, folders, ids, Outbox(clock, ids)), DuckDBJson())
        writer.recover()
        writer.stop()
        assert logs_in(folders.log(TENANT)) == []
        processes, files = counted(engine).values()
        assert acknowledged <= set(processes)
        assert set(processes.values()) == {ROWS}, "a batch is there twice or in part"
        assert processes == files, "half a batch"
        extra = set(processes) - acknowledged
        assert len(extra) <= len(names) * (number + 1), "at most the batch each writer was busy with when it died"
    engine.close()
    store.close()
