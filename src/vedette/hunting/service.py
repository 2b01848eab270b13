"""Runs a hunting query: admits, compiles, fetches what it names from outside, executes, and labels the answer."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import msgspec

from vedette.clock import Clock, now_ticks
from vedette.context import RequestContext
from vedette.egress.errors import EgressError
from vedette.egress.transport import Egress
from vedette.hunting.derived import derived_query, is_derived, stored_table
from vedette.hunting.errors import (
    ExternalDataError,
    HuntingCancelledError,
    HuntingError,
    HuntingMemoryError,
    HuntingResultTooLargeError,
    HuntingTimeoutError,
    HuntingValueError,
)
from vedette.hunting.externals import load_external
from vedette.hunting.native_functions import host_functions
from vedette.hunting.places import PlaceDatabase
from vedette.hunting.quota import Admission, HuntingLimits
from vedette.hunting.results import QueryStatistics, Results
from vedette.hunting.timespan import parse_timespan
from vedette.hunting.visibility import SeenDevices, Visibility
from vedette.kql.catalog import Catalog
from vedette.kql.compiled import CompiledQuery, TableRead
from vedette.kql.errors import KqlError
from vedette.lake import errors as lake_errors
from vedette.lake.engine import (
    Engine,
    ExternalFile,
    Lake,
    QueryLimits,
    QueryOutcome,
    QueryScope,
    RelationScope,
    TimeRange,
)
from vedette.observability import metrics

RunQuery = Callable[[CompiledQuery], list[tuple[object, ...]]]
"""Executes a discovery query while another one is being compiled; rows in the engine's representation."""

Parameters = Mapping[str, str | int | float | bool]
"""Values for what a query declares with `declare query_parameters`, by name."""


class Compile(Protocol):
    """`kql.compile.compile_with_discovery`, or what stands for it. Raises KqlError."""

    def __call__(
        self, text: str, catalog: Catalog, *, now: int, run: RunQuery, parameters: Parameters | None = None
    ) -> CompiledQuery: ...


class HuntingParts(msgspec.Struct, frozen=True):
    """What the service works with. `catalog` makes a tenant's catalog, `seen_devices` knows who sees which machine."""

    compile: Compile
    catalog: Callable[[str], Catalog]
    engine: Engine
    lake: Lake
    egress: Egress
    limits: HuntingLimits
    clock: Clock
    seen_devices: SeenDevices
    places: PlaceDatabase | None = None


class HuntingService:
    """Answers queries of all tenants; a query sees its caller's tenant and nothing else. Thread-safe."""

    def __init__(self, parts: HuntingParts) -> None:
        self._parts = parts
        self._executions: dict[str, _Execution] = {}

    def run(
        self, ctx: RequestContext, query: str, timespan: str | None = None, parameters: Parameters | None = None
    ) -> Results:
        """The answer: of several results the first.

        Raises KqlError with all diagnostics, the errors of `hunting.errors`, InvalidTimespanError.
        """
        with self._executed(ctx, timespan, parameters) as execution:
            return execution.results(execution.compile(query))

    def run_all(
        self, ctx: RequestContext, query: str, timespan: str | None = None, parameters: Parameters | None = None
    ) -> tuple[Results, ...]:
        """Every result: those of all statements, and of the branches of fork and facet. Raises what `run` raises."""
        with self._executed(ctx, timespan, parameters) as execution:
            compiled = execution.compile(query)
            return tuple(execution.results(each) for each in (compiled, *compiled.further))

    @contextlib.contextmanager
    def _executed(
        self, ctx: RequestContext, timespan: str | None, parameters: Parameters | None
    ) -> Iterator["_Execution"]:
        now = now_ticks(self._parts.clock)
        asked: TimeRange = parse_timespan(timespan, now) if timespan else (None, None)
        admission = self._parts.limits.admit(now, asked, ctx.quota)
        with _counted():
            self._parts.lake.flush(ctx.tenant.tenant_id)
            execution = _Execution(self._parts, ctx, admission, now, parameters)
            self._executions[ctx.request_id] = execution
            try:
                yield execution
            finally:
                self._executions.pop(ctx.request_id, None)

    def cancel(self, ctx: RequestContext) -> bool:
        """Stop the query of a request whose client has gone; True if it was running."""
        execution = self._executions.get(ctx.request_id)
        return execution is not None and execution.cancel()


class _Execution:
    """One request: its query, and the smaller ones that have to be run for it, under the same limits."""

    def __init__(
        self, parts: HuntingParts, ctx: RequestContext, admission: Admission, now: int, parameters: Parameters | None
    ) -> None:
        self._parts = parts
        self._ctx = ctx
        self._admission = admission
        self._now = now
        self._parameters = parameters
        self._catalog = parts.catalog(ctx.tenant.tenant_id)
        self._cancelled = False
        self._deadline = time.monotonic() + admission.limits.seconds
        self._visibility = Visibility(ctx.tenant.tenant_id, ctx.scope, parts.seen_devices)

    def compile(self, query: str) -> CompiledQuery:
        return self._parts.compile(query, self._catalog, now=self._now, run=self._rows, parameters=self._parameters)

    def cancel(self) -> bool:
        """Stop what runs, and let nothing further begin."""
        self._cancelled = True
        self._parts.engine.interrupt(self._ctx.request_id)
        return True

    def _limits(self) -> QueryLimits:
        """What is left of the request's time goes to the next of its executions."""
        if self._cancelled:
            raise HuntingCancelledError
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise HuntingTimeoutError
        return msgspec.structs.replace(self._admission.limits, seconds=seconds)

    def results(self, compiled: CompiledQuery) -> Results:
        return _results(compiled, self.execute(compiled))

    def execute(self, compiled: CompiledQuery) -> QueryOutcome:
        stored = [read for read in compiled.reads if not is_derived(read.table)]
        derived = [read for read in compiled.reads if is_derived(read.table)]
        with _translated():
            scope = QueryScope(
                tenant_id=self._ctx.tenant.tenant_id,
                relations=tuple(
                    self._visibility.limited(RelationScope(read.relation, stored_table(read.table), read.time_range))
                    for read in stored
                ),
                externals=(
                    *(load_external(read, self._fetch) for read in compiled.externals),
                    *(self._derive(read) for read in derived),
                ),
                window=self._admission.window,
                setup=compiled.setup,
                functions=host_functions(compiled.natives, self._parts.places),
            )
            return self._parts.engine.execute(
                scope, compiled.sql, compiled.parameters, self._limits(), query_id=self._ctx.request_id
            )

    def _rows(self, compiled: CompiledQuery) -> list[tuple[object, ...]]:
        columns = self.execute(compiled).data.columns
        return list(zip(*(column.to_pylist() for column in columns), strict=True))

    def _derive(self, read: TableRead) -> ExternalFile:
        compiled = self.compile(derived_query(read.table))
        names = [column.name for column in compiled.columns]
        return ExternalFile(read.relation, self.execute(compiled).data.rename_columns(names))

    def _fetch(self, url: str) -> bytes:
        try:
            return self._parts.egress.get(url).body
        except EgressError as error:
            raise ExternalDataError(uri=error.url, reason=error.reason.replace("_", " ")) from error


def _results(compiled: CompiledQuery, outcome: QueryOutcome) -> Results:
    statistics = QueryStatistics(
        elapsed=outcome.elapsed,
        cpu=outcome.cpu,
        peak_memory=outcome.peak_memory,
        rows_scanned=outcome.rows_scanned,
        bytes_read=outcome.bytes_read,
        rows=outcome.data.num_rows,
        size=outcome.data.nbytes,
    )
    return Results(compiled.columns, outcome.data, statistics, outcome.truncated, compiled.render, compiled.name)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except lake_errors.QueryTimeoutError as error:
        raise HuntingTimeoutError from error
    except lake_errors.QueryCancelledError as error:
        raise HuntingCancelledError from error
    except lake_errors.QueryMemoryError as error:
        raise HuntingMemoryError from error
    except lake_errors.ResultTooLargeError as error:
        raise HuntingResultTooLargeError(limit=error.limit) from error
    except lake_errors.QueryValueError as error:
        raise HuntingValueError(incident_id=error.incident_id) from error
    except lake_errors.EngineError as error:
        raise HuntingError(incident_id=error.incident_id) from error


@contextlib.contextmanager
def _counted() -> Iterator[None]:
    outcome = "failed"
    try:
        with metrics.HUNTING_SECONDS.time():
            yield
        outcome = "completed"
    except KqlError:
        outcome = "refused"
        raise
    except HuntingTimeoutError:
        outcome = "timeout"
        raise
    finally:
        metrics.HUNTING_QUERIES.labels(outcome).inc()
