import threading
import time

import pyarrow as pa
import pytest

from vedette.lake.engine import ExternalFile, QueryScope, RelationScope
from vedette.lake.errors import (
    EngineError,
    QueryCancelledError,
    QueryMemoryError,
    QueryTimeoutError,
    QueryValueError,
    ResultTooLargeError,
)

from .conftest import OURS, ROWS, TABLE, Bench

ENDLESS = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"


def test_statistics_describe_the_execution(bench: Bench) -> None:
    outcome = bench.run('SELECT "Timestamp" FROM events ORDER BY 1')
    assert outcome.data.num_rows == outcome.rows_scanned == ROWS
    assert not outcome.truncated
    assert outcome.elapsed > 0
    assert outcome.cpu > 0
    assert outcome.bytes_read > 0
    assert outcome.peak_memory > 0


def test_rows_beyond_the_limit_are_cut_off_and_told(bench: Bench) -> None:
    exact = bench.run("SELECT 1 FROM events", rows=ROWS)
    assert (exact.data.num_rows, exact.truncated) == (ROWS, False)
    cut = bench.run('SELECT "Timestamp" FROM events ORDER BY 1', rows=10)
    assert (cut.data.num_rows, cut.truncated) == (10, True)
    many = bench.run("SELECT range FROM range(10000000)", rows=10)
    assert (many.data.num_rows, many.truncated) == (10, True)


def test_a_result_beyond_the_limit_in_bytes_is_refused(bench: Bench) -> None:
    with pytest.raises(ResultTooLargeError) as raised:
        bench.run("SELECT repeat('x', 10000) FROM events", result_bytes=1_000_000)
    assert raised.value.limit == 1_000_000


def test_the_deadline_ends_a_query(bench: Bench) -> None:
    started = time.monotonic()
    with pytest.raises(QueryTimeoutError):
        bench.run(ENDLESS, seconds=0.2)
    assert time.monotonic() - started < 0.2 + 0.5


def test_a_running_query_can_be_stopped(bench: Bench) -> None:
    stopped: list[float] = []

    def stop() -> None:
        while not bench.engine.interrupt("query"):
            pass
        stopped.append(time.monotonic())

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(QueryCancelledError):
        bench.engine.execute(QueryScope(OURS, ()), ENDLESS, (), bench.limits, "query")
    ended = time.monotonic()
    thread.join()
    assert ended - stopped[0] < 0.5
    assert not bench.engine.interrupt("query")


def test_memory_is_limited(bench: Bench) -> None:
    with pytest.raises(QueryMemoryError):
        bench.run("SELECT x, count(*) FROM (SELECT random() x FROM range(20000000)) GROUP BY 1", memory=64 * 2**20)


def test_expressions_nested_beyond_measure_are_too_expensive(bench: Bench) -> None:
    with pytest.raises(QueryMemoryError):
        bench.run("SELECT " + "abs(" * 5_000 + "1" + ")" * 5_000)


def test_a_value_that_cannot_be_computed_is_the_querys_own_error(bench: Bench) -> None:
    with pytest.raises(QueryValueError):
        bench.run('SELECT CAST("ProcessCommandLine" AS BIGINT) FROM events')


def test_what_the_engine_refuses_has_no_words_of_it(bench: Bench) -> None:
    with pytest.raises(EngineError):
        bench.run("SELECT no_such_column FROM events")
    with pytest.raises(EngineError):
        bench.run("SELEKT")


def test_parameters_externals_and_names_in_quotes(bench: Bench) -> None:
    external = ExternalFile("feed", pa.table({"Line": ["ours", "other"]}))
    name = 'a "quoted" Name'
    scope = QueryScope(OURS, (RelationScope(name, TABLE),), (external,))
    sql = 'SELECT count(*) FROM "a ""quoted"" Name" WHERE "ProcessCommandLine" IN (SELECT "Line" FROM feed) AND 1 = ?'
    assert bench.engine.execute(scope, sql, (1,), bench.limits).data.column(0).to_pylist() == [ROWS]


def test_a_window_hides_rows(bench: Bench) -> None:
    first = 638_000_000_000_000_000
    scope = QueryScope(OURS, (RelationScope("events", TABLE),), window=(first + 10, first + 15))
    outcome = bench.engine.execute(scope, 'SELECT "Timestamp" - ? FROM events ORDER BY 1', (first,), bench.limits)
    assert outcome.data.column(0).to_pylist() == [10, 11, 12, 13, 14]


def test_queries_run_side_by_side(bench: Bench) -> None:
    counts: list[int] = []

    def count() -> None:
        counts.append(bench.run("SELECT count(*) FROM events").data.column(0)[0].as_py())

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [ROWS] * 8


def test_setup_runs_before_the_session_is_locked(bench: Bench) -> None:
    setup = ("CREATE TEMP MACRO twice(x) AS x * 2",)
    scope = QueryScope(OURS, (RelationScope("events", TABLE),), setup=setup)
    outcome = bench.engine.execute(scope, "SELECT twice(count(*)) FROM events", (), bench.limits)
    assert outcome.data.column(0).to_pylist() == [2 * ROWS]
    with pytest.raises(EngineError):
        bench.run("SELECT twice(1)")
