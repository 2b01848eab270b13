"""Functions of the host in queries: known in their session, run over locked-down rows, stopped like everything else."""

import time

import pyarrow as pa
import pytest

from vedette.hunting.native_functions import host_functions
from vedette.kql.native.registry import NativeUse
from vedette.lake.engine import HostFunction, QueryLimits, QueryScope, RelationScope
from vedette.lake.errors import EngineError, QueryTimeoutError

from .conftest import OURS, ROWS, TABLE, Bench

LIMITS = QueryLimits(rows=100_000, seconds=30, memory=512 * 2**20)


def doubled(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([None if each is None else 2 * each for each in column.to_pylist()], pa.int64())


def failing(column: pa.ChunkedArray) -> pa.Array:
    raise ValueError(str(column))


def slow(column: pa.ChunkedArray) -> pa.Array:
    time.sleep(0.02)
    return doubled(column)


def scope(*functions: HostFunction) -> QueryScope:
    return QueryScope(OURS, (RelationScope("events", TABLE),), functions=functions)


def test_a_function_runs_over_rows(bench: Bench) -> None:
    function = HostFunction("doubled", ("BIGINT",), "BIGINT", doubled)
    sql = 'SELECT sum(doubled("Timestamp")) - 2 * sum("Timestamp"), count(*), doubled(NULL) FROM events'
    data = bench.engine.execute(scope(function), sql, (), LIMITS).data
    assert [column[0].as_py() for column in data.columns] == [0, ROWS, None]


def test_natives_of_the_language_run(bench: Bench) -> None:
    sql = "SELECT native_geo_geohash_to_central_point('sunny'), native_series_fill_forward('[1,null]', NULL)"
    functions = host_functions([NativeUse("geo_geohash_to_central_point"), NativeUse("series_fill_forward")])
    data = bench.engine.execute(scope(*functions), sql, (), LIMITS).data
    assert [column[0].as_py() for column in data.columns] == [
        '{"type":"Point","coordinates":[42.47314453125,23.70849609375]}', "[1,1]"
    ]  # fmt: skip


def test_a_session_knows_only_its_own_functions(bench: Bench) -> None:
    function = HostFunction("doubled", ("BIGINT",), "BIGINT", doubled)
    bench.engine.execute(scope(function), "SELECT doubled(1)", (), LIMITS)
    with pytest.raises(EngineError):
        bench.engine.execute(scope(), "SELECT doubled(1)", (), LIMITS)


def test_a_failing_function_fails_the_query_without_its_text(bench: Bench) -> None:
    function = HostFunction("failing", ("VARCHAR",), "BIGINT", failing)
    with pytest.raises(EngineError) as raised:
        bench.engine.execute(scope(function), 'SELECT failing("ProcessCommandLine") FROM events', (), LIMITS)
    assert "ours" not in str(raised.value)


def test_a_query_in_functions_ends_at_its_deadline(bench: Bench) -> None:
    function = HostFunction("slow", ("BIGINT",), "BIGINT", slow)
    limits = QueryLimits(rows=10, seconds=0.2, memory=512 * 2**20)
    started = time.monotonic()
    with pytest.raises(QueryTimeoutError):
        bench.engine.execute(scope(function), "SELECT sum(slow(range)) FROM range(10000000)", (), limits)
    assert time.monotonic() - started < 0.2 + 0.5
