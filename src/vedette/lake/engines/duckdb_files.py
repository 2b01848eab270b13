"""Work on files and columns that DuckDB does well and that is no query: rewriting segments, checking JSON."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlglot import exp

from vedette.ids import Ids
from vedette.lake.compaction import TICKS_PER_DAY, DayCount
from vedette.lake.engine import TimeRange
from vedette.lake.engines.duckdb_relations import relation_sql
from vedette.lake.engines.duckdb_session import Configuration
from vedette.lake.files import written_durably
from vedette.lake.schema import INGESTION_TIME, StoredTable
from vedette.lake.segments import ROW_GROUP_ROWS, Segment, segment_path


class DuckDBJson:
    """`lake.json_check.JsonValidator` by DuckDB's JSON reader. Thread-safe."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1, "python_enable_replacements": False})
        self._lock = threading.Lock()

    def __call__(self, texts: pa.ChunkedArray) -> bool:
        with self._lock:
            self._connection.register("texts", pa.table({"text": texts}))
            try:
                found = self._connection.execute("SELECT count(*) FROM texts WHERE NOT json_valid(text)").fetchall()
                return found == [(0,)]
            finally:
                self._connection.unregister("texts")


class DuckDBRewriter:
    """`lake.compaction.Rewriter`. Sorts within `memory` bytes and spills next to the segments beyond."""

    def __init__(self, ids: Ids, *, memory: int, threads: int = 1) -> None:
        self._ids = ids
        self._memory = memory
        self._threads = threads

    def days(self, table: StoredTable, folder: Path, sources: Sequence[Segment]) -> list[DayCount]:
        """See `Rewriter`."""
        day = exp.IntDiv(this=_time(table), expression=exp.Literal.number(TICKS_PER_DAY))
        query = exp.select(exp.alias_(day, "day"), exp.Count(this=exp.Star())).group_by("day").order_by("day")
        with self._source(table, folder, sources) as connection:
            return [DayCount(*row) for row in connection.execute(query.from_("source").sql("duckdb")).fetchall()]

    def cuts(
        self, table: StoredTable, folder: Path, sources: Sequence[Segment], time_range: TimeRange, parts: int
    ) -> list[int]:
        """See `Rewriter`."""
        fractions = exp.Array(expressions=[exp.Literal.number(part / parts) for part in range(1, parts)])
        query = exp.select(exp.Anonymous(this="quantile_disc", expressions=[_time(table), fractions]))
        with self._source(table, folder, sources) as connection:
            rows = connection.execute(_within(query.from_("source"), table, time_range).sql("duckdb")).fetchall()
        return list(rows[0][0])

    def rewrite(
        self, table: StoredTable, folder: Path, sources: Sequence[Segment], time_range: TimeRange
    ) -> Segment | None:
        """See `Rewriter`."""
        with self._source(table, folder, sources) as connection:
            bounds = _bounds(connection, table, time_range)
            if bounds is None:
                return None
            segment_id = self._ids.guid()
            path = segment_path(table.name, bounds.first, segment_id)
            rows = _within(exp.select("*").from_("source"), table, time_range).order_by(_time(table))
            with written_durably(folder / path) as file:
                connection.execute(
                    f"COPY ({rows.sql('duckdb')}) TO {exp.Literal.string(str(file)).sql('duckdb')} "
                    f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE {ROW_GROUP_ROWS})"
                )
        return Segment(
            segment_id=segment_id,
            table_name=table.name,
            path=path,
            schema_id=table.schema_id,
            level=1,
            rows=bounds.rows,
            bytes=(folder / path).stat().st_size,
            min_time=bounds.min_time,
            max_time=bounds.max_time,
            min_ingestion=bounds.min_ingestion,
            max_ingestion=bounds.max_ingestion,
        )

    @contextlib.contextmanager
    def _source(
        self, table: StoredTable, folder: Path, sources: Sequence[Segment]
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        configuration: Configuration = {
            "threads": self._threads,
            "memory_limit": f"{self._memory // 2**20}MiB",
            "temp_directory": str(folder / ".spill"),
            "python_enable_replacements": False,
        }
        with contextlib.closing(duckdb.connect(config=configuration)) as connection:
            connection.execute(f"CREATE TEMP VIEW source AS {relation_sql(table, folder, sources)}")
            yield connection


class _Bounds:
    """Row count and time bounds of what one rewrite writes."""

    def __init__(self, rows: int, timed: int, times: TimeRange, ingestion: tuple[int, int]) -> None:
        self.rows = rows
        self.min_time, self.max_time = times if timed == rows else (None, None)
        self.min_ingestion, self.max_ingestion = ingestion
        self.first = self.min_ingestion if self.min_time is None else self.min_time


def _bounds(connection: duckdb.DuckDBPyConnection, table: StoredTable, time_range: TimeRange) -> _Bounds | None:
    time = exp.column(table.time_column, quoted=True) if table.time_column else exp.cast(exp.null(), "bigint")
    ingestion = exp.column(INGESTION_TIME, quoted=True)
    query = exp.select(
        exp.Count(this=exp.Star()), exp.Count(this=time), exp.Min(this=time), exp.Max(this=time),
        exp.Min(this=ingestion), exp.Max(this=ingestion),
    ).from_("source")  # fmt: skip
    ((rows, timed, *bounds),) = connection.execute(_within(query, table, time_range).sql("duckdb")).fetchall()
    return _Bounds(rows, timed, (bounds[0], bounds[1]), (bounds[2], bounds[3])) if rows else None


def _time(table: StoredTable) -> exp.Column:
    return exp.column(table.order_column, quoted=True)


def _within(query: exp.Select, table: StoredTable, time_range: TimeRange) -> exp.Select:
    start, stop = time_range
    if start is not None:
        query = query.where(exp.GTE(this=_time(table), expression=exp.Literal.number(start)))
    if stop is not None:
        query = query.where(exp.LT(this=_time(table), expression=exp.Literal.number(stop)))
    return query
