"""Raw Sysmon into the lake: parse, map, resolve, append, publish. Events per second of processor time, all threads."""

import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bench.lake import TENANT, BenchLake
from bench.measurement import Measurement
from bench.packs import pack_files
from vedette.ingest.pipeline import Pipeline
from vedette.ingest.sources.source import Source

EVENTS = 200_000
GOAL = 30_000.0
_MARK = b'"Microsoft-Windows-Sysmon/Operational"'


def measure() -> Iterator[Measurement]:
    """One batch of real Sysmon events in the two JSON shapes, and a second one once everything is warm."""
    with tempfile.TemporaryDirectory(prefix="vedette-bench-") as name:
        folder = Path(name)
        raw = folder / "sysmon.json"
        _write_events(raw)
        with BenchLake(folder) as lake:
            pipeline = Pipeline(lake.writer, folder / "quarantine")
            pipeline.accept(TENANT, "warm-up", [Source("warm-up", raw.read_bytes()[: 4 << 20].rpartition(b"\n")[0])])
            processor, wall = time.process_time(), time.perf_counter()
            receipt = pipeline.accept(TENANT, "measured", [Source(raw.name, raw)])
            lake.writer.flush(TENANT)
            processor, wall = time.process_time() - processor, time.perf_counter() - wall
        size = raw.stat().st_size
        yield Measurement("ingest.sysmon", receipt.events / processor, "events/s/core", GOAL, "higher")
        yield Measurement("ingest.sysmon.wall", receipt.events / wall, "events/s")
        yield Measurement("ingest.sysmon.bytes", size / processor / 1e6, "MB/s/core")


def _write_events(path: Path) -> None:
    lines = list(_sysmon_lines())
    with path.open("wb") as file:
        for number in range(EVENTS):
            file.write(lines[number % len(lines)])


def _sysmon_lines() -> Iterator[bytes]:
    for packed in pack_files():
        with zipfile.ZipFile(packed) as archive:
            for entry in archive.infolist():
                for line in archive.read(entry).splitlines(keepends=True):
                    if _MARK in line and b'"Hostname"' in line:
                        yield line
