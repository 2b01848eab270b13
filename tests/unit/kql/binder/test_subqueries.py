"""Operators with subqueries: partition with sources of its own, what mv-apply runs for each record, fork."""

import pytest

from vedette.kql.errors import KqlError
from vedette.testing import run_kql

ROWS = 'datatable(x: string, y: long)["a", 1, "b", 2, "a", 3]'
ARRAYS = "datatable(a: long, b: dynamic)[1, dynamic([1, 2, 3]), 2, dynamic([4, 5])]"


def rows_of(query: str) -> list[tuple[object, ...]]:
    return sorted(run_kql(query)[1], key=repr)


def error_of(query: str) -> KqlError:
    with pytest.raises(KqlError) as caught:
        run_kql(query)
    return caught.value


def test_partition_with_a_source_sees_the_key_as_a_constant() -> None:
    query = f"{ROWS} | partition by x {{ range z from 1 to 2 step 1 | extend key = toscalar(x) }}"
    assert rows_of(query) == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]


def test_partition_with_a_source_and_a_null_key() -> None:
    dates = "datatable(x: datetime)[datetime(2020-01-01), datetime(null)]"
    query = f"{dates} | partition by x {{ print absent = isnull(x) }}"
    assert rows_of(query) == [(False,), (True,)]


def test_partition_with_a_source_over_no_rows_has_the_columns() -> None:
    assert run_kql(f"{ROWS} | where y > 9 | partition by x {{ print key = x }}") == (["key"], [])


def test_partition_with_a_source_takes_few_values() -> None:
    query = "range x from 1 to {} step 1 | partition by x {{ print key = x }} | count"
    assert run_kql(query.format(64))[1] == [(64,)]
    assert error_of(query.format(65)).diagnostics[0].code == "VK3006"


def test_partition_around_operators_that_need_the_data() -> None:
    reduced = 'datatable(x: string, y: string)["a", "foo", "b", "bar"] | partition by x (reduce by y)'
    assert rows_of(reduced) == [("bar", 1, "bar"), ("foo", 1, "foo")]
    columns, rows = run_kql(f"{ROWS} | extend name = strcat('c', y) | partition by x (evaluate pivot(name, sum(y)))")
    assert columns == ["x", "c1", "c3", "c2"]
    assert sorted(rows) == [("a", 1, 3, None), ("b", None, None, 2)]


def test_partition_around_mv_apply() -> None:
    query = f"{ROWS} | partition by x (mv-apply z = dynamic([1, 2]) on (summarize s = sum(y * tolong(z))))"
    assert rows_of(query) == [("a", 1, 3), ("a", 3, 9), ("b", 2, 6)]


def test_mv_apply_runs_a_scan_for_each_record() -> None:
    scan = "scan declare (sum: long = 0) with (step s: true => sum = b + s.sum;)"
    assert rows_of(f"{ARRAYS} | mv-apply b to typeof(long) on ({scan} | where sum > 1)") == [
        (1, 2, 3), (1, 3, 6), (2, 4, 4), (2, 5, 9),
    ]  # fmt: skip


def test_mv_apply_within_mv_apply() -> None:
    nested = "datatable(a: long, b: dynamic)[1, dynamic([[1, 2], [3]]), 2, dynamic([[4, 5]])]"
    query = (
        f"{nested} | mv-apply b on (mv-apply c = b to typeof(long) on (summarize s = sum(c)) | summarize m = max(s))"
    )
    assert rows_of(query) == [(1, 3), (2, 9)]


def test_mv_apply_names_what_needs_the_data() -> None:
    query = 'print y = dynamic(["a"]) | mv-apply y on (extend y = tostring(y) | reduce by y)'
    assert error_of(query).diagnostics[0].code == "VK3009"


def test_render_may_follow_fork() -> None:
    assert run_kql("range x from 1 to 3 step 1 | fork (take 1) (count) | render linechart")[1] == [(1,)]


def test_find_leaves_out_tables_without_the_columns_asked_for() -> None:
    views = (
        "let A = view() { print Id = 1, Level = 'x', Version = 'v' }; let B = view() { print Id = 1, Level = 'y' };"
        "let C = view() { print Other = 1 };"
    )
    columns, rows = run_kql(f"{views} find in (C, A, B) where Id == 1")
    assert columns == ["source_", "Id", "Level", "pack_"]
    assert rows == [("A", 1, "x", {"Version": "v"}), ("B", 1, "y", {})]


@pytest.mark.parametrize(
    ("expression", "name"),
    [("column_ifexists('State', 'x')", "State"), ("column_ifexists('Capital', State)", "State"),
     ("column_ifexists('Capital', strcat(State, '!'))", "Column1")],
)  # fmt: skip
def test_column_ifexists_is_named_after_what_it_gives(expression: str, name: str) -> None:
    assert run_kql(f"datatable(State: string)['TEXAS'] | project {expression}")[0] == [name]


def test_the_middle_of_two_moments() -> None:
    middle = "(datetime(2020-01-01) + datetime(2020-01-03)) / 2.0"
    assert run_kql(f"print {middle} == datetime(2020-01-02)")[1] == [(True,)]


@pytest.mark.parametrize(
    ("predicate", "found"),
    [
        ('"Lab*PC"', ["LabPC", "Lab-X PC end"]),
        ('"Lab*PC*"', ["LabPC", "Lab-X PC end", "lab PCs"]),
        ('kind=case_sensitive "lab*PC"', []),
        ('kind=case_sensitive s has "lab"', ["lab PCs"]),
        ('kind=case_sensitive s =~ "LABPC"', []),
        ('s:"lab*"', ["LabPC", "Lab-X PC end", "lab PCs"]),
        ('s:"*pc"', ["LabPC", "Lab-X PC end"]),
        ('not(s:"end")', ["LabPC", "lab PCs"]),
    ],
)
def test_search_terms(predicate: str, found: list[str]) -> None:
    query = f'datatable(s: string)["LabPC", "Lab-X PC end", "lab PCs"] | search {predicate}'
    assert [row[1] for row in run_kql(query)[1]] == found


def test_legacy_mvexpand_stops_at_its_limit() -> None:
    rows = "print d = range(1, 200)"
    assert run_kql(f"{rows} | mvexpand d | count")[1] == [(128,)]
    assert run_kql(f"{rows} | mvexpand d limit 150 | count")[1] == [(150,)]
    assert run_kql(f"{rows} | mv-expand d | count")[1] == [(200,)]


def test_find_packs_only_what_is_left() -> None:
    views = "let A = view() { print Id = 1, Level = 'x' }; let B = view() { print Id = 2, Level = 'y', More = true };"
    assert run_kql(f"{views} find in (A) where Id == 1") == (["source_", "Id", "Level"], [("A", 1, "x")])
    columns, rows = run_kql(f"{views} find in (A, B) where More project Level, More")
    assert (columns, rows) == (["source_", "Level", "More"], [("B", "y", True)])
    for query in ("find in (A, B) where Nothing == 1", "find in (A, B) where Id == 1 project Nothing",
                  "search in (A, B) Id == 1 and Nothing == 2"):  # fmt: skip
        assert "Nothing" in error_of(f"{views} {query}").diagnostics[0].message


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("asc", [None, "NaN", -1.0, 1.0]), ("desc", [1.0, -1.0, "NaN", None]),
        ("desc nulls first", [None, "NaN", 1.0, -1.0]), ("asc nulls last", [-1.0, 1.0, "NaN", None]),
    ],
)  # fmt: skip
def test_nan_is_sorted_beside_null(order: str, found: list[object]) -> None:
    rows = run_kql(f"datatable(a: real)[1.0, real(nan), real(null), -1.0] | sort by a {order}")[1]
    assert ["NaN" if value != value else value for (value,) in rows] == found


SHUFFLED = "datatable(a: dynamic)[dynamic([3, 1, 2]), dynamic([9, 8])]"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("extend r = row_number(), before = prev(x) | project r, before, x",
         [(1, None, 3), (2, 3, 1), (3, 1, 2), (1, None, 9), (2, 9, 8)]),
        ("take 2 | project x", [(3,), (1,), (9,), (8,)]),
        ("order by x asc | project x", [(1,), (2,), (3,), (8,), (9,)]),
        ("summarize l = make_list(x)", [([3, 1, 2],), ([9, 8],)]),
    ],
)  # fmt: skip
def test_mv_apply_keeps_the_order_of_the_array(body: str, found: list[tuple[object, ...]]) -> None:
    assert run_kql(f"{SHUFFLED} | mv-apply x = a to typeof(long) on ({body}) | project-away a")[1] == found


def test_scan_in_mv_apply_goes_by_the_order_of_the_array() -> None:
    scan = "scan declare (all: long = 0) with (step s: true => all = s.all * 10 + x;) | top 1 by all"
    assert rows_of(f"{SHUFFLED} | mv-apply x = a to typeof(long) on ({scan}) | project all") == [(312,), (98,)]
