"""The rarer tabular operators: scan, partition, top-nested, top-hitters, reduce, fork, facet, make-series."""

import time

import duckdb
import pytest

from vedette.clock import to_ticks
from vedette.kql.compile import compile_query
from vedette.kql.compiled import CompiledQuery
from vedette.kql.errors import KqlError
from vedette.testing import run_kql
from vedette.testing.kql_execution import EmptyCatalog

MINUTE = 600_000_000


def values(query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in run_kql(query)[1]]


def code_of(query: str) -> str:
    with pytest.raises(KqlError) as caught:
        run_kql(query)
    return caught.value.diagnostics[0].code


# --- scan ----------------------------------------------------------------------

EVENTS = """
datatable(t: timespan, e: string)[0m, "A", 1m, "Start", 2m, "B", 3m, "D", 4m, "Stop", 6m, "C", 8m, "Start", 11m, "E",
    12m, "Stop"]
| sort by t asc
"""
STEPS = """
step s1: e == "Start";
step s2 {}: e != "Start" and e != "Stop" and t - s1.t <= 5m;
step s3 {}: e == "Stop" and t - s1.t <= 5m;
"""


def test_scan_accumulates() -> None:
    query = "range x from 1 to 5 step 1 | scan declare (total: long = 0) with (step s: true => total = x + s.total;)"
    assert values(query) == [(1, 1), (2, 3), (3, 6), (4, 10), (5, 15)]


def test_scan_follows_steps() -> None:
    found = values(EVENTS + f"| scan with_match_id=m with ({STEPS.format('', '')})")
    assert [(row[1], row[2]) for row in found] == [
        ("Start", 0), ("B", 0), ("D", 0), ("Stop", 0), ("Start", 1), ("E", 1), ("Stop", 1),
    ]  # fmt: skip


def test_scan_outputs() -> None:
    last = values(EVENTS + f"| scan with ({STEPS.format('output=last', '')})")
    assert [row[1] for row in last] == ["Start", "D", "Stop", "Start", "E", "Stop"]
    none = values(EVENTS + f"| scan with ({STEPS.format('output=none', 'output=none')})")
    assert [row[1] for row in none] == ["Start", "Start"]


def test_scan_sessions_begin_anew() -> None:
    query = """
    datatable(t: long)[0, 3, 32, 38, 75]
    | sort by t asc
    | scan with_match_id=session declare (began: long) with (
        step inside: true => began = iff(isnull(inside.began), t, inside.began);
        step over output=none: t - inside.began > 30;
    )
    """
    assert values(query) == [(0, 0, 0), (3, 0, 0), (32, 32, 1), (38, 32, 1), (75, 75, 2)]


def test_scan_remembers_earlier_steps() -> None:
    query = """
    datatable(t: long, e: string)[1, "a", 2, "b", 3, "c", 4, "c"]
    | sort by t asc
    | scan declare (gap: long) with (
        step one output=none: e == "a";
        step two output=none: e == "b";
        step three: e == "c" => gap = t - one.t + 10 * two.t;
    )
    """
    assert values(query) == [(3, "c", 22), (4, "c", 23)]


def test_scan_by_parts() -> None:
    logins = 'datatable(t: long, u: string, e: string)[1, "x", "in", 2, "y", "in", 5, "y", "out", 9, "x", "out"]'
    scan = """scan declare (began: long) with (
        step one output=none: e == "in" => began = t;
        step two: e == "out" => began = one.began;)"""
    expected = [(5, "y", "out", 2), (9, "x", "out", 1)]
    assert sorted(values(f"{logins} | partition hint.strategy=native by u (sort by t asc | {scan})")) == expected


def test_scan_of_nothing() -> None:
    assert values("range x from 1 to 0 step 1 | scan with (step s: true;)") == []
    assert values("range x from 1 to 3 step 1 | scan with (step s: x > 5;)") == []
    assert values("range x from 1 to 3 step 1 | scan with (step s: int(null) > x;)") == []


def test_scan_is_linear() -> None:
    began = time.process_time()
    scan = "scan declare (n: long = 0) with (step s: true => n = 1 + s.n;)"
    query = f"range x from 1 to 5000 step 1 | {scan} | summarize max(n)"
    assert values(query) == [(5000,)]
    assert time.process_time() - began < 20


def test_scan_needs_an_order() -> None:
    assert code_of("datatable(x: long)[1] | summarize by x | scan with (step s: true;)") == "VK2001"
    assert code_of("range x from 1 to 2 step 1 | scan with (step s: true => y = 1;)") == "KS142"
    assert code_of("range x from 1 to 2 step 1 | scan with (step s: other.x > 1;)") == "KS142"


# --- partition ----------------------------------------------------------------------

NUMBERS = "range x from 1 to 6 step 1 | extend g = x % 2"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("top 1 by x", [(5, 1), (6, 0)]),
        ("sort by x asc | take 2", [(1, 1), (2, 0), (3, 1), (4, 0)]),
        ("where x > 5 | summarize n = count()", [(0,), (1,)]),
        ("where x > 5 | summarize total = sum(x), all = make_list(x), most = max(x)", [(0, [], None), (6, [6], 6)]),
        ("sort by x asc | scan with (step s: x > 4;) | summarize n = count()", [(1,), (1,)]),
        ("summarize total = sum(x) by g", [(0, 12), (1, 9)]),
        ("distinct y = x % 3", [(0,), (0,), (1,), (1,), (2,), (2,)]),
        ("sort by x asc | extend p = prev(x) | project x, p", [(1, None), (2, None), (3, 1), (4, 2), (5, 3), (6, 4)]),
        ("as P | extend share = x * 1.0 / toscalar(P | summarize sum(x)) | where share > 0.5", [(5, 1, 5 / 9)]),
        ("where x > 100", []),
    ],
)
@pytest.mark.parametrize("strategy", ["", "hint.strategy=native ", "hint.strategy=shuffle "])
def test_partition(strategy: str, body: str, expected: list[tuple[object, ...]]) -> None:
    found = values(f"{NUMBERS} | partition {strategy}by g ({body})")
    assert sorted(found, key=repr) == sorted(expected, key=repr)


def test_parts_with_null_keys() -> None:
    query = "datatable(k: long, v: long)[1, 10, long(null), 20, long(null), 30] | partition by k (summarize sum(v))"
    assert sorted(values(query)) == [(10,), (50,)]


# --- top-nested and top-hitters ----------------------------------------------------------------------

SALES = """
datatable(region: string, seller: string, amount: long)[
    "N", "a", 10, "N", "b", 7, "N", "c", 1, "S", "a", 6, "S", "d", 5, "W", "e", 3]
"""


def test_top_nested_levels() -> None:
    columns, found = run_kql(
        SALES + "| top-nested 2 of region by sum(amount), top-nested 1 of seller by m = max(amount) asc"
    )
    assert columns == ["region", "aggregated_region", "seller", "m"]
    assert sorted(found) == [("N", 18, "c", 1), ("S", 11, "d", 5)]


def test_top_nested_others() -> None:
    query = (
        SALES
        + """
    | top-nested 2 of region with others = "rest" by sum(amount),
      top-nested 1 of seller with others = "more" by sum(amount)
    """
    )
    assert sorted(values(query)) == [
        ("N", 18, "a", 10), ("N", 18, "more", 8), ("S", 11, "a", 6), ("S", 11, "more", 5), ("rest", 3, "more", 3),
    ]  # fmt: skip


def test_top_nested_levels_without_others_say_nothing_of_the_rest() -> None:
    query = (
        SALES + '| top-nested 1 of region with others = "rest" by sum(amount), top-nested 1 of seller by sum(amount)'
    )
    assert sorted(values(query)) == [("N", 18, "a", 10), ("rest", 14, "", None)]


def test_top_nested_without_counts_keeps_all() -> None:
    query = SALES + "| top-nested of region by ignored = max(1), top-nested 1 of amount by max(amount)"
    assert sorted(row[::2] for row in values(query)) == [("N", 10), ("S", 6), ("W", 3)]
    assert values('datatable(a: string)[] | top-nested 1 of a with others = "x" by count()') == []


def test_top_hitters() -> None:
    assert run_kql(SALES + "| top-hitters 2 of seller by amount") == (
        ["seller", "approximate_sum_amount"], [("a", 16), ("b", 7)]
    )  # fmt: skip


# --- reduce ----------------------------------------------------------------------


def test_reduce_documented() -> None:
    words = 'range x from 1 to 10 step 1 | project s = strcat("foo", "Z", tostring(x)) | reduce by s'
    assert values(words) == [("others", 10, "")]
    assert values(words + ' with characters="Z"') == [("foo*", 10, "fooZ1")]


def test_reduce_keeps_frequent_words_at_their_place() -> None:
    cities = (
        'datatable(c: string)["San Bernard", "San Diego", "Moscow", "Moscow", "One -on- One", "Two -on- Two", "Oslo"]'
    )
    assert values(cities + "| reduce by c with threshold=0.2") == [
        ("San *", 2, "San Bernard"), ("Moscow", 2, "Moscow"), ("* -on- *", 2, "One -on- One"), ("others", 1, ""),
    ]  # fmt: skip
    assert values(cities + "| reduce kind=source by c with threshold=0.2 | take 2") == [
        ("San Bernard", "San *"), ("San Diego", "San *"),
    ]  # fmt: skip
    assert values("datatable(c: string)[] | reduce by c") == []
    assert code_of(cities + "| reduce by c with threshold=2") == "KS140"
    assert code_of(cities + "| reduce kind=sink by c") == "KS140"


# --- several results ----------------------------------------------------------------------


def compiled(query: str) -> CompiledQuery:
    return compile_query(query, EmptyCatalog(), now=to_ticks(0))


def answer(query: CompiledQuery) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        for statement in query.setup:
            connection.execute(statement)
        return sorted(connection.execute(query.sql).fetchall())


def test_fork() -> None:
    query = compiled(f"{NUMBERS} | fork (where x > 5) total = (count) (where x < 2 | as small)")
    assert answer(query) == [(6, 0)]
    assert [(each.name, answer(each)) for each in query.further] == [("total", [(6,)]), ("small", [(1, 1)])]


def test_facet() -> None:
    query = compiled(f"{NUMBERS} | facet by g, x with (where x > 5)")
    assert answer(query) == [(6, 0)]
    assert [column.name for column in query.further[0].columns] == ["g", "count_g"]
    assert answer(query.further[0]) == [(0, 3), (1, 3)]
    assert len(answer(query.further[1])) == 6
    assert answer(compiled(f"{NUMBERS} | facet by g")) == [(0, 3), (1, 3)]


def test_preview_counts_all() -> None:
    query = compiled(f"{NUMBERS} | evaluate preview(2)")
    assert len(answer(query)) == 2
    assert answer(query.further[0]) == [(6,)]


@pytest.mark.parametrize(
    "query",
    [
        f"{NUMBERS} | fork (take 1) (count) | take 1",
        f"let f = {NUMBERS} | fork (take 1) (count); f",
        f"union ({NUMBERS} | facet by g), (print 1)",
        f"{NUMBERS} | partition by g (fork (take 1) (count))",
    ],
)
def test_several_results_end_a_query(query: str) -> None:
    assert code_of(query) == "KS106"


# --- make-series ----------------------------------------------------------------------

NO_ROWS = "datatable(t: long, v: real, g: string)[]"


def test_series_over_nothing() -> None:
    assert values(f"{NO_ROWS} | make-series avg(v) default=1 on t from 0 to 3 step 1") == []
    assert values(f"{NO_ROWS} | make-series kind=nonempty avg(v) default=1 on t from 0 to 3 step 1") == [
        ([1.0, 1.0, 1.0], [0, 1, 2])
    ]
    assert values(f"{NO_ROWS} | make-series kind=nonempty avg(v) on t from 0 to 3 step 1 by g") == []
    assert values(f"{NO_ROWS} | make-series avg(v) on t step 1 by g") == []
    assert code_of(f"{NO_ROWS} | make-series kind=odd avg(v) on t step 1") == "KS140"


def test_series_in_range_includes_its_stop() -> None:
    query = "datatable(t: long, v: long)[1, 1, 5, 3] | make-series sum(v) on t in range({}, 9, 3)"
    assert values(query.format(0)) == [([1, 3, 0, 0], [0, 3, 6, 9])]
    assert values(query.format(2)) == [([1, 3, 0, 0], [0, 3, 6, 9])]


def test_series_per_group_have_their_own_bounds() -> None:
    query = 'datatable(t: long, g: string)[1, "a", 3, "a", 7, "b"] | make-series count() on t step 1 by g'
    assert sorted(values(query)) == [("a", [1, 0, 1], [1, 2, 3]), ("b", [1], [7])]


# --- rows on both sides ----------------------------------------------------------------------


def test_ranges_can_be_joined() -> None:
    query = "range x from 1 to 3 step 1 | join kind=inner (range x from 2 to 5 step 1) on x"
    assert sorted(values(query)) == [(2, 2), (3, 3)]


def test_shifts_by_nothing_are_refused() -> None:
    assert code_of("range x from 1 to 3 step 1 | extend p = prev(x, 0)") == "KS119"
    assert code_of("range x from 1 to 3 step 1 | extend p = next(x, 0)") == "KS119"
