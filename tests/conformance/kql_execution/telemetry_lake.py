"""A lake with real telemetry for hunting queries: sets of the pack through the project's own ingest, shifted in time so
that they end when the queries run."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from tests.endpoint_world import HOME, find_tenant, make_world
from vedette.clock import now_ticks
from vedette.context import Principal, RequestContext
from vedette.hunting.results import Results
from vedette.ingest.pipeline import Pipeline
from vedette.ingest.sources.source import Source
from vedette.lake.schema import stored_tables

HOUR = 36_000_000_000


class _Shifting:
    """Takes the pipeline's rows and hands them to a lake with their times moved: the last of a batch is an hour ago."""

    def __init__(self, lake: "TelemetryLake") -> None:
        self._lake = lake

    def append(self, _tenant: str, batch_id: str, rows: Mapping[str, pa.Table], summary: bytes) -> None:
        self._lake.append(batch_id, {name: self._moved(name, table) for name, table in rows.items()}, summary)

    def flush(self, _tenant: str) -> None:
        """The lake shows rows when it is asked."""

    def _moved(self, name: str, rows: pa.Table) -> pa.Table:
        column = stored_tables()[name].time_column
        if column is None or not rows.num_rows:
            return rows
        times = rows[column].to_numpy()
        moved = pa.array(times - times.max() + self._lake.now - HOUR)
        return rows.set_column(rows.column_names.index(column), column, moved)


class TelemetryLake:
    """Hunting over the rows of some archives; none: over empty tables."""

    def __init__(self, archives: list[Path], quarantine: Path) -> None:
        self._world = make_world()
        self.now = now_ticks(self._world.clock)
        pipeline = Pipeline(_Shifting(self), quarantine)
        for path in archives:
            pipeline.accept(HOME, None, [Source(path.name, path)])
        self._world.writer.flush(HOME)
        principal = Principal("application", HOME, HOME, HOME, "mtp")
        self._ctx = RequestContext(find_tenant(HOME), principal, "corpus", "corpus", "https://localhost")

    def append(self, batch_id: str, rows: Mapping[str, pa.Table], summary: bytes) -> None:
        """Rows of the tenant."""
        self._world.writer.append(HOME, batch_id, rows, summary)

    def hunt(self, query: str) -> Results:
        """The query's answer."""
        return self._world.hunting.run(self._ctx, query)

    def close(self) -> None:
        """Let go of the folder."""
        self._world.close()


def telemetry_lake(shared: Path, quarantine: Path, *, filled: bool) -> Iterator[TelemetryLake]:
    """For a fixture: a lake with a few sets, or an empty one."""
    archives = sorted((shared / "telemetry" / "otrf").glob("*/*.zip"), key=lambda path: (path.stat().st_size, path))
    middling = [path for path in archives if 100_000 < path.stat().st_size < 1_500_000]
    lake = TelemetryLake(middling[:8] if filled else [], quarantine)
    yield lake
    lake.close()
