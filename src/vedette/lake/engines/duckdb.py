"""Hunting queries by DuckDB over the lake's Parquet segments."""

import contextlib
import json
import logging
import threading
import time
import uuid
from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa
from sqlglot import exp

from vedette.lake.engine import LakeFolders, QueryLimits, QueryOutcome, QueryScope, TimeRange
from vedette.lake.engines.duckdb_functions import register_functions
from vedette.lake.engines.duckdb_limits import LimitTables, limited_sql
from vedette.lake.engines.duckdb_relations import relation_query
from vedette.lake.engines.duckdb_session import SessionPool, lock_down
from vedette.lake.errors import (
    EngineError,
    QueryCancelledError,
    QueryError,
    QueryMemoryError,
    QueryTimeoutError,
    QueryValueError,
    ResultTooLargeError,
    StatementRefusedError,
)
from vedette.lake.schema import stored_tables
from vedette.lake.segments import Segment, Segments
from vedette.store.engine import Store

_log = logging.getLogger(__name__)

MAX_QUERY_SECONDS = 600.0
"""No query outlives this, whatever its limits say: files that left the manifest longer ago have no reader."""

FETCH_ROWS = 8_192
_INTERRUPT_AGAIN_SECONDS = 0.05


class DuckDBEngine:
    """Implements `lake.engine.Engine`. Every query has an instance of DuckDB of its own."""

    dialect = "duckdb"

    def __init__(self, store: Store, folders: LakeFolders, *, threads: int | None = None) -> None:
        self._store = store
        self._folders = folders
        self._sessions = SessionPool(threads)
        self._running: dict[str, _Watch] = {}
        self._running_lock = threading.Lock()

    def execute(
        self,
        scope: QueryScope,
        sql: str,
        parameters: Sequence[object],
        limits: QueryLimits,
        query_id: str | None = None,
    ) -> QueryOutcome:
        """See `lake.engine.Engine`."""
        started = time.perf_counter()
        with self._sessions.session() as connection:
            watch = _Watch(connection, min(limits.seconds, MAX_QUERY_SECONDS))
            with self._registered(query_id, watch), watch, _translated(watch):
                self._prepare(connection, scope, limits)
                data, truncated = _fetch(connection, _select(connection, sql), parameters, limits)
            return _outcome(connection, data, truncated=truncated, elapsed=time.perf_counter() - started)

    def interrupt(self, query_id: str) -> bool:
        """See `lake.engine.Engine`."""
        with self._running_lock:
            watch = self._running.get(query_id)
        if watch is None:
            return False
        watch.stop()
        return True

    def close(self) -> None:
        """Let go of the instance kept ready."""
        self._sessions.close()

    def _prepare(self, connection: duckdb.DuckDBPyConnection, scope: QueryScope, limits: QueryLimits) -> None:
        folder = self._folders.segments(scope.tenant_id).resolve()
        limits_of, files = LimitTables(), set[str]()
        with self._store.connect() as control:
            manifest = Segments(control, scope.tenant_id)

            def rows_of(
                table: str, time_range: TimeRange = (None, None), window: TimeRange = (None, None)
            ) -> exp.Query:
                segments = manifest.live(table, _overlap(time_range, window))
                files.update(_paths(segments))
                return relation_query(stored_tables()[table], folder, segments, window)

            selects = {
                relation.name: limited_sql(
                    rows_of(relation.table, relation.time_range, scope.window), relation, limits_of, rows_of
                ).sql(dialect="duckdb")
                for relation in scope.relations
            }
        register_functions(connection, scope.functions)
        for statement in scope.setup:
            connection.execute(statement)
        tables = {external.name: external.data for external in scope.externals} | dict(limits_of.tables())
        lock_down(connection, selects, tables, [str(folder / path) for path in sorted(files)], limits.memory)

    @contextlib.contextmanager
    def _registered(self, query_id: str | None, watch: "_Watch") -> Iterator[None]:
        if query_id is None:
            yield
            return
        with self._running_lock:
            self._running[query_id] = watch
        try:
            yield
        finally:
            with self._running_lock:
                del self._running[query_id]


class _Watch:
    """Stops a connection's work at the deadline, or when told to. Repeats until the work has really ended."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._wake = threading.Event()
        self._ended = threading.Event()
        self.error: QueryError | None = None
        self._thread = threading.Thread(target=self._run, name="query-watch")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._wake.set()
        self._thread.join()

    def stop(self) -> None:
        self.error = self.error or QueryCancelledError()
        self._wake.set()

    def _run(self) -> None:
        if not self._wake.wait(self._seconds):
            self.error = self.error or QueryTimeoutError()
        while not self._ended.is_set():
            self._connection.interrupt()
            self._ended.wait(_INTERRUPT_AGAIN_SECONDS)


@contextlib.contextmanager
def _translated(watch: _Watch) -> Iterator[None]:
    """Every error of the engine becomes one of `lake.errors`; its text stays in the log."""
    try:
        yield
        if watch.error is not None:
            raise watch.error
    except duckdb.InterruptException as error:
        raise watch.error or QueryCancelledError() from error
    except duckdb.OutOfMemoryException as error:
        raise QueryMemoryError from error
    except (duckdb.ConversionException, duckdb.OutOfRangeException) as error:
        raise QueryValueError(_logged(error)) from error
    except (duckdb.Error, RuntimeError, pa.ArrowException) as error:
        if watch.error is not None:
            raise watch.error from error
        raise _failure(error) from error


def _failure(error: Exception) -> QueryError:
    """What an error amounts to that is none of the query's values: nested beyond what one query may, or a fault."""
    if "expression depth" in str(error):
        return QueryMemoryError()
    return EngineError(_logged(error))


def _logged(error: Exception) -> str:
    incident_id = str(uuid.uuid4())
    _log.error("the query engine failed", extra={"incident_id": incident_id}, exc_info=error)
    return incident_id


def _select(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The one SELECT that the text is, parsed."""
    try:
        statements = connection.extract_statements(sql)
    except duckdb.ParserException as error:
        raise _failure(error) from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise StatementRefusedError(_logged(ValueError("not exactly one SELECT")))
    return statements[0]


def _fetch(
    connection: duckdb.DuckDBPyConnection, select: duckdb.Statement, parameters: Sequence[object], limits: QueryLimits
) -> tuple[pa.Table, bool]:
    result = connection.sql(select, params=list(parameters)) if parameters else connection.sql(select)
    reader = result.to_arrow_reader(FETCH_ROWS)
    batches: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in reader:
        batches.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if rows > limits.rows:
            break
        if limits.result_bytes is not None and size > limits.result_bytes:
            raise ResultTooLargeError(limits.result_bytes)
    data = pa.Table.from_batches(batches, reader.schema)
    return data.slice(0, limits.rows), rows > limits.rows


def _outcome(connection: duckdb.DuckDBPyConnection, data: pa.Table, *, truncated: bool, elapsed: float) -> QueryOutcome:
    profile = json.loads(connection.get_profiling_information())
    query, system = profile.get("query", {}), profile.get("system", {})
    return QueryOutcome(
        data=data,
        truncated=truncated,
        elapsed=elapsed,
        cpu=float(query.get("cpu_time", 0.0)),
        rows_scanned=int(query.get("total_rows_scanned", 0)),
        peak_memory=int(system.get("peak_buffer_memory", 0)),
        bytes_read=int(profile.get("io", {}).get("total_bytes_read", 0)),
    )


def _paths(segments: Sequence[Segment]) -> set[str]:
    return {segment.path for segment in segments}


def _overlap(first: TimeRange, second: TimeRange) -> TimeRange:
    starts = [start for start in (first[0], second[0]) if start is not None]
    stops = [stop for stop in (first[1], second[1]) if stop is not None]
    return max(starts, default=None), min(stops, default=None)
