"""Real telemetry as rows: the JSON sets of the shared folder, mapped by the project's own ingest."""

import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from vedette.ingest.pipeline import Pipeline
from vedette.ingest.sources.source import Source

PROJECT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("VEDETTE_SHARED", PROJECT.parent / "shared"))
TENANT = "b3ac0000-0000-4000-8000-000000000000"


class _Collector:
    """Takes the pipeline's rows in place of a lake."""

    def __init__(self) -> None:
        self.rows: dict[str, list[pa.Table]] = defaultdict(list)

    def append(self, _tenant: str, _batch: str, rows: Mapping[str, pa.Table], _summary: bytes) -> None:
        for name, table in rows.items():
            self.rows[name].append(table)

    def flush(self, _tenant: str) -> None:
        """Nothing is pending."""


def pack_files() -> list[Path]:
    """The archives of the JSON sets. Raises FileNotFoundError where the shared folder is missing."""
    files = sorted((SHARED / "telemetry" / "otrf").glob("**/*.zip"))
    if not files:
        raise FileNotFoundError(f"no telemetry sets below {SHARED}; set VEDETTE_SHARED")
    return files


def mapped_rows() -> dict[str, pa.Table]:
    """All rows that the sets map to, by table."""
    collector = _Collector()
    with tempfile.TemporaryDirectory() as quarantine:
        pipeline = Pipeline(collector, Path(quarantine))
        for path in pack_files():
            pipeline.accept(TENANT, None, [Source(path.name, path)])
    return {name: pa.concat_tables(tables) for name, tables in collector.rows.items()}
