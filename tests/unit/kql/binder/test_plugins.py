"""Plugins of evaluate: documented values, empty input, wrong use."""

import math

import pytest

from vedette.kql import patterns
from vedette.kql.errors import KqlError
from vedette.testing import analyze_kql, run_kql

DAY = 864_000_000_000


def day(number: int) -> tuple[str, int]:
    """A day of January 2020."""
    return ("$datetime", 637_134_336_000_000_000 + (number - 1) * DAY)


def table(columns: str, *values: str) -> str:
    return f"datatable({columns})[{', '.join(values)}]"


VISITS = table(
    "who: string, t: datetime, site: string",
    *(
        f'"{who}", datetime(2020-01-0{number}), "{site}"'
        for who, number, site in [
            ("ann", 1, "x"), ("ann", 1, "x"), ("bob", 1, "y"), ("ann", 2, "x"), ("cid", 2, "y"), ("bob", 4, "y"),
        ]
    ),
)  # fmt: skip
NOBODY = "datatable(who: string, t: datetime, site: string)[]"
SPAN = "datetime(2020-01-01), datetime(2020-01-05)"


def code_of(query: str) -> str:
    with pytest.raises(KqlError) as caught:
        run_kql(query)
    return caught.value.diagnostics[0].code


# --- timelines --------------------------------------------------------------------------------------------------------


def test_activity_counts() -> None:
    columns, rows = run_kql(f"{VISITS} | evaluate activity_counts_metrics(who, t, {SPAN}, 1d)")
    assert columns == ["t", "count", "dcount", "new_dcount", "aggregated_dcount"]
    assert rows == [(day(1), 3, 2, 2, 2), (day(2), 2, 2, 1, 3), (day(4), 1, 1, 0, 3)]


def test_activity_counts_by_dimension() -> None:
    columns, rows = run_kql(f"{VISITS} | evaluate activity_counts_metrics(who, t, {SPAN}, 1d, site)")
    assert columns[:2] == ["t", "site"]
    assert rows == [
        (day(1), "x", 2, 1, 1, 1), (day(2), "x", 1, 1, 0, 1),
        (day(1), "y", 1, 1, 1, 1), (day(2), "y", 1, 1, 1, 2), (day(4), "y", 1, 1, 0, 2),
    ]  # fmt: skip


def test_sliding_windows() -> None:
    columns, rows = run_kql(f"{VISITS} | evaluate sliding_window_counts(who, t, {SPAN}, 2d, 1d)")
    assert columns == ["t", "Count", "Dcount"]
    assert rows == [(day(1), 3, 2), (day(2), 5, 3), (day(3), 2, 2), (day(4), 1, 1), (day(5), 1, 1)]


def test_sliding_windows_of_months() -> None:
    query = (
        f"{VISITS} | evaluate sliding_window_counts(who, t, datetime(2020-01-01), datetime(2020-02-05), 40d, 'month')"
    )
    assert [row[1:] for row in run_kql(query)[1]] == [(6, 3), (6, 3)]


def test_activity_metrics_compare_with_the_period_before() -> None:
    _, rows = run_kql(f"{VISITS} | evaluate activity_metrics(who, t, {SPAN}, 1d)")
    assert rows[1:] == [(day(2), 2, 1, 0.5, 0.5), (day(4), 1, 1, rows[2][3], rows[2][4])]
    assert rows[0][:3] == (day(1), 2, 2)
    assert math.isnan(rows[0][3])  # type: ignore[arg-type]
    assert math.isnan(rows[2][3])  # type: ignore[arg-type]


def test_activity_metrics_without_bounds() -> None:
    _, rows = run_kql(f"{VISITS} | evaluate activity_metrics(who, t, 1d, site)")
    assert [row[:4] for row in rows] == [
        (day(1), "x", 1, 1), (day(2), "x", 1, 0), (day(1), "y", 1, 1), (day(2), "y", 1, 1), (day(4), "y", 1, 1),
    ]  # fmt: skip


def test_engagement() -> None:
    _, rows = run_kql(f"{VISITS} | evaluate activity_engagement(who, t, {SPAN}, 1d, 3d)")
    assert rows == [
        (day(1), 2, 2, 1.0), (day(2), 2, 3, 2 / 3), (day(3), 0, 3, 0.0), (day(4), 1, 3, 1 / 3), (day(5), 0, 1, 0.0),
    ]  # fmt: skip


def test_new_activity_is_a_matrix_of_cohorts() -> None:
    call = f"{VISITS} | evaluate new_activity_metrics(who, t, datetime(2020-01-01), datetime(2020-01-04), 1d{{}})"
    columns, rows = run_kql(call.format(""))
    assert columns[:2] == ["from_t", "to_t"]
    assert [row[:5] for row in rows] == [
        (day(1), day(1), 2, 2, 0), (day(1), day(2), 1, 1, 1), (day(1), day(3), 0, 0, 2), (day(1), day(4), 0, 1, 1),
        (day(2), day(2), 1, 1, 0), (day(2), day(3), 0, 0, 1), (day(2), day(4), 0, 0, 1),
    ]  # fmt: skip
    _, cohort = run_kql(call.format(", datetime(2020-01-02)"))
    assert [row[:2] for row in cohort] == [(day(2), day(2)), (day(2), day(3)), (day(2), day(4))]
    _, known = run_kql(call.format(", (print who = 'ann')"))
    assert [row[:4] for row in known][:1] == [(day(1), day(1), 1, 1)]


def test_active_users_need_enough_periods() -> None:
    """The documented example: appearances exactly one lookback ago are too old."""
    users = "User: string, Timestamp: datetime"
    seen = [("B", "06-29"), ("B", "06-30"), ("A", "07-02"), ("B", "07-04"), ("B", "07-08"), ("A", "07-10"),
            ("A", "07-14"), ("A", "07-17"), ("A", "07-20"), ("B", "07-24")]  # fmt: skip
    july = "datetime(2018-07-01), datetime(2018-07-31)"
    rows = table(users, *(f'"{who}", datetime(2018-{when})' for who, when in seen))
    query = f"{rows} | evaluate active_users_count(User, Timestamp, {july}, 8d, 1d, 3, 7d)"
    columns, found = run_kql(query)
    assert columns == ["Timestamp", "dcount"]
    assert [row[1] for row in found] == [1, 1]


def test_sessions() -> None:
    points = table("Id: long, T: long", "1, 1", "1, 5", "1, 20", "2, 3", "2, 21")
    columns, rows = run_kql(f"{points} | evaluate session_count(Id, T, 1, 100, 10, 10)")
    assert columns == ["T", "count_sessions"]
    assert rows == [(1, 2), (11, 1), (21, 1)]


def test_rolling_percentile() -> None:
    query = """
    range i from 0 to 24 * 4 - 1 step 1 | project t = datetime(2020-01-01) + 1h * i, val = i + 1
    | extend parity = iff(val % 2 == 0, "Even", "Odd") | evaluate rolling_percentile(val, 50, t, 1d, 3{})
    """
    columns, rows = run_kql(query.format(""))
    assert columns == ["t", "rolling_3_percentile_val_50"]
    assert rows == [(day(1), 12), (day(2), 24), (day(3), 36), (day(4), 60)]
    columns, rows = run_kql(query.format(", parity"))
    assert columns[1] == "parity"
    assert [row[2] for row in rows] == [12, 24, 36, 60, 11, 23, 35, 59]


@pytest.mark.parametrize(
    "call",
    [
        f"activity_counts_metrics(who, t, {SPAN}, 1d, site)",
        f"active_users_count(who, t, {SPAN}, 3d, 1d, 2, 1d)",
        f"activity_metrics(who, t, {SPAN}, 1d)",
        "activity_metrics(who, t, 'month')",
        f"new_activity_metrics(who, t, {SPAN}, 1d)",
        f"session_count(who, t, {SPAN}, 1d, 1d)",
        f"funnel_sequence_completion(who, t, {SPAN}, 1d, site, dynamic(['x']), dynamic([1h]))",
        "sequence_detect(t, 1d, 1d, a = site == 'x', who)",
        "autocluster()",
        "basket()",
        "diffpatterns(site, 'x', 'y')",
        "narrow()",
        "preview(3)",
    ],
)
def test_nothing_in_nothing_out(call: str) -> None:
    columns, rows = run_kql(f"{NOBODY} | evaluate {call}")
    assert columns
    assert rows == []


# --- sequences --------------------------------------------------------------------------------------------------------

STORMS = table(
    "t: datetime, what: string, place: string",
    'datetime(2020-01-01), "Hail", "A"',
    'datetime(2020-01-02), "Tornado", "A"',
    'datetime(2020-01-03), "Tornado", "A"',
    'datetime(2020-01-01), "Hail", "B"',
)


def test_sequences_are_every_way_through_the_steps() -> None:
    call = "sequence_detect(t, {}, 5d, hail = what == 'Hail', storm = what == 'Tornado', place)"
    columns, rows = run_kql(f"{STORMS} | evaluate {call.format('5d')}")
    assert columns == ["place", "hail_t", "storm_t", "Duration"]
    assert rows == [("A", day(1), day(2), ("$timespan", DAY)), ("A", day(1), day(3), ("$timespan", 2 * DAY))]
    assert len(run_kql(f"{STORMS} | evaluate {call.format('1d')}")[1]) == 1


def test_funnel() -> None:
    call = f"funnel_sequence_completion(place, t, {SPAN}, 30d, what, dynamic(['Hail', 'Tornado']), dynamic([1h, 1d]))"
    columns, rows = run_kql(f"{STORMS} | evaluate {call}")
    assert columns == ["t", "what", "Period", "dcount"]
    hour = DAY // 24
    assert sorted(rows) == [
        (day(1), "Hail", ("$timespan", hour), 2),
        (day(1), "Hail", ("$timespan", DAY), 2),
        (day(1), "Tornado", ("$timespan", DAY), 1),
    ]


# --- rows -------------------------------------------------------------------------------------------------------------

LETTERS = table("n: long, s: string", *(f'{place}, "{letter}"' for place, letter in enumerate("abEcdEf")))


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [("1", [1, 2, 3, 4, 5, 6]), ("0", [2, 5]), ("2, 0", [0, 1, 2, 3, 4, 5]), ("0, 1", [2, 3, 5, 6])],
)
def test_rows_near(arguments: str, kept: list[int]) -> None:
    _, rows = run_kql(f'{LETTERS} | sort by n asc | evaluate rows_near(s == "E", {arguments})')
    assert [row[0] for row in rows] == kept


def test_rows_near_needs_an_order() -> None:
    assert code_of(f'{LETTERS} | summarize by n, s | evaluate rows_near(s == "E", 1)') == "VK2001"


def test_narrow() -> None:
    columns, rows = run_kql(
        'datatable(a: long, b: dynamic)[1, dynamic({"k": 1}), long(null), dynamic(null)] | evaluate narrow()'
    )
    assert columns == ["Row", "Column", "Value"]
    assert sorted(rows) == [(0, "a", "1"), (0, "b", '{"k":1}'), (1, "a", ""), (1, "b", "")]


def test_schemas_merge() -> None:
    first = "(datatable(Uri: string, Status: int)[] | getschema)"
    second = "(datatable(Uri: string, Referrer: string, Status: int)[] | getschema)"
    merge = f"union {first}, {second} | evaluate schema_merge({{}})"
    assert run_kql(merge.format("PreserveOrder = false"))[1] == [
        ("Uri", 0, "System.String", "string"), ("Referrer", 1, "System.String", "string"),
        ("Status", 2, "System.Int32", "int"),
    ]  # fmt: skip
    kept = run_kql(merge.format(""))[1]
    assert kept[2] == (
        "Status", -1, "ERROR(unknown CSL type:ERROR(columns are out of order))", "ERROR(columns are out of order)",
    )  # fmt: skip
    wide = "union (datatable(a: int)[] | getschema), (datatable(a: long)[] | getschema) | evaluate schema_merge()"
    assert run_kql(wide)[1] == [("a", 0, "System.Int64", "long")]


def test_common_values_of_sketches() -> None:
    query = """
    range x from 1 to 100 step 1
    | summarize even = hll(iff(x % 2 == 0, x, 0)), third = hll(iff(x % 3 == 0, x, 0)),
        fifth = hll(iff(x % 5 == 0, x, 0))
    | evaluate dcount_intersect(even, third, fifth) | project s0, s1, s2
    """
    assert run_kql(query)[1] == [(51, 17, 4)]


# --- patterns ---------------------------------------------------------------------------------------------------------

SEGMENTS = """
range x from 1 to 100 step 1
| project state = iff(x % 2 == 0, "TX", "CA"), sort_ = iff(x % 4 == 0, "Hail", "Wind"), ok = iff(x % 10 == 0, "y", "n")
"""


@pytest.mark.parametrize("call", ["autocluster()", "autocluster(0.9)", "basket(0.3)", "basket(0.3, '~', 1)"])
def test_patterns_count_what_they_say(call: str) -> None:
    columns, rows = run_kql(f"{SEGMENTS} | evaluate {call}")
    assert columns == ["SegmentId", "Count", "Percent", "state", "sort_", "ok"]
    assert [row[0] for row in rows] == list(range(len(rows)))
    for _, count, percent, *pattern in rows:
        condition = " and ".join(
            f'{name} == "{value}"' for name, value in zip(columns[3:], pattern, strict=True) if value
        )
        assert run_kql(f"{SEGMENTS} | where {condition} | count")[1] == [(count,)]
        assert percent == count
    if call.startswith("basket"):
        assert all(row[1] >= 30 for row in rows)  # type: ignore[operator]


def test_dimensions_are_limited() -> None:
    _, rows = run_kql(f"{SEGMENTS} | evaluate basket(0.3, '~', 1)")
    assert all(sum(1 for value in row[3:] if value) == 1 for row in rows)


def test_weights_and_wildcards() -> None:
    rows = table("a: string, b: string, n: long", '"x", "p", 90', '"x", "q", 10')
    columns, found = run_kql(f"{rows} | evaluate basket(0.95, n, 5, '*')")
    assert columns == ["SegmentId", "Count", "Percent", "a", "b"]
    assert found == [(0, 100, 100.0, "x", "*")]


def test_differences() -> None:
    columns, rows = run_kql(f"{SEGMENTS} | evaluate diffpatterns(ok, 'y', 'n')")
    assert columns[:6] == ["SegmentId", "CountA", "CountB", "PercentA", "PercentB", "PercentDiffAB"]
    assert rows[0][1:6] == (0, 50, 0.0, pytest.approx(55.6, abs=0.1), pytest.approx(-55.6, abs=0.1))
    assert all(row[8] == "" for row in rows)


def test_frequent_patterns_are_all_of_them() -> None:
    rows = [patterns.CountedRow(("a", "b"), 3), patterns.CountedRow(("a", "c"), 1)]
    assert patterns.frequent(rows, threshold=0.5, dimensions=2) == [
        patterns.CountedRow(("a", None), 4),
        patterns.CountedRow(("a", "b"), 3),
    ]


# --- wrong use --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("autoclustre()", "KS124"),
        ("activity_counts_metrics(who, t)", "KS119"),
        ("activity_counts_metrics(nobody, t, datetime(2020), datetime(2021), 1d)", "KS142"),
        ("activity_counts_metrics(who, t, 1, 2, 1d)", "KS107"),
        (f"sliding_window_counts(who, t, {SPAN}, 40d, 'century')", "KS140"),
        ("rolling_percentile(t, 50)", "KS119"),
        ("sequence_detect(t, 1d, 1d, who)", "KS119"),
        (f"funnel_sequence_completion(who, t, {SPAN}, 1d, site, dynamic({{}}), dynamic([1h]))", "KS187"),
        ("rows_near(who, 1)", "KS107"),
        ("rows_near(true, -1)", "KS187"),
        ("narrow(1)", "KS119"),
        ("diffpatterns('x', 'y')", "KS119"),
        ("diffpatterns(strcat(site, ''), 'x', 'y')", "KS109"),
        ("dcount_intersect(who, site)", "KS141"),
        ("schema_merge()", "KS142"),
        ("http_request('https://example.com')", "VK3003"),
        ("python(typeof(*), 'x')", "VK3003"),
        ("infer_storage_schema(dynamic({}))", "VK3003"),
        ("sql_request('a', 'b')", "VK3003"),
    ],
)
def test_refusals(call: str, code: str) -> None:
    assert code_of(f"{VISITS} | evaluate {call}") == code


def test_refusals_give_reasons() -> None:
    with pytest.raises(KqlError) as caught:
        run_kql("evaluate http_request('https://example.com')")
    assert caught.value.diagnostics[0].hint == "it calls a service outside"


def test_schemas_are_known_without_data() -> None:
    found = analyze_kql("DeviceEvents | project DeviceId, ActionType | evaluate basket(0.1)")
    assert found.errors == []
    assert found.columns == [
        ("SegmentId", "long"), ("Count", "long"), ("Percent", "real"), ("DeviceId", "string"), ("ActionType", "string"),
    ]  # fmt: skip


def test_unpacked_names_may_clash_only_where_it_is_said_how() -> None:
    bags = 'datatable(n: long, d: dynamic)[5, dynamic({{"n": 1, "s": "a"}})] | evaluate bag_unpack(d{})'
    assert code_of(bags.format("")) == "KS171"
    assert code_of(bags.format(", columnsConflict = 'odd'")) == "KS140"
    assert run_kql(bags.format(", columnsConflict = 'replace_source'"))[1] == [(1, "a")]
    assert run_kql(bags.format(", columnsConflict = 'keep_source'"))[1] == [(5, "a")]
    assert run_kql(bags.format(", 'p_'")) == (["n", "p_n", "p_s"], [(5, 1, "a")])


# --- neighbours of sequences, and texts that tell two sets apart ------------------------------------------------------

STATES = table(
    "who: long, t: datetime, state: string",
    *(
        f'{who}, datetime(2020-01-0{number} 0{hour}:00), "{state}"'
        for who, number, hour, state in [
            (1, 1, 1, "a"), (1, 1, 2, "b"), (1, 1, 3, "b"), (1, 1, 4, "c"), (2, 1, 1, "b"), (2, 1, 9, "c"),
            (3, 2, 1, "b"),
        ]
    ),
)  # fmt: skip


def funnel(sequence: str) -> tuple[list[str], list[tuple[object, ...]]]:
    return run_kql(f"{STATES} | evaluate funnel_sequence(who, t, {SPAN}, 2h, 1d, state, dynamic({sequence}))")


def test_funnel_sequence_finds_the_states_around() -> None:
    columns, rows = funnel('["b"]')
    assert columns == ["t", "prev", "next", "dcount", "samples"]
    assert sorted(rows) == [(day(1), "", "c", 1, [2]), (day(1), "a", "c", 1, [1]), (day(2), "", "", 1, [3])]


def test_funnel_sequence_keeps_its_steps_within_the_window() -> None:
    assert funnel('["b", "c"]')[1] == [(day(1), "a", "", 1, [1])]
    assert funnel('["c", "b"]')[1] == []


def test_diffpatterns_text_finds_what_tells_apart() -> None:
    texts = table(
        "text: string, bad: bool", '"disk is full now", true', '"disk is full", true', '"disk is fine", false',
        '"all is fine", false',
    )  # fmt: skip
    columns, rows = run_kql(f"{texts} | evaluate diffpatterns_text(text, bad, 1, 0.4)")
    assert columns == ["Count_of_True", "Count_of_False", "Percent_of_True", "Percent_of_False", "Pattern"]
    assert {row[4]: row[:4] for row in rows} == {
        "disk is full": (2, 0, 100.0, 0.0), "disk is full now": (1, 0, 50.0, 0.0), "is fine": (0, 2, 0.0, 100.0),
        "disk is": (2, 1, 100.0, 50.0), "disk is fine": (0, 1, 0.0, 50.0), "all is fine": (0, 1, 0.0, 50.0),
    }  # fmt: skip
    assert run_kql(f"{texts} | where false | evaluate diffpatterns_text(text, bad)") == (columns, [])


def test_pivot_has_exactly_the_columns_declared() -> None:
    rows = table("k: string, c: string, v: long", '"a", "x", 1', '"a", "y", 2', '"b", "x", 3')
    columns, found = run_kql(f"{rows} | evaluate pivot(c, sum(v)) : (y: real, k: string)")
    assert (columns, sorted(found)) == (["y", "k"], [(0.0, "b"), (2.0, "a")])
    columns, found = run_kql(f"{rows} | evaluate pivot(c, sum(v)) : (*, x: long)")
    assert (columns, sorted(found)) == (["k", "x"], [("a", 1), ("b", 3)])


def test_getschema_as_text() -> None:
    assert run_kql("print a = 1, b = 'x' | getschema kind=csl") == (["Schema"], [("a:long,b:string",)])


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("entity_group('production') | take 1", "entity_group"),
        ("macro-expand entity_group [cluster('C').database('D')] as X (X.Logs | count)", "macro-expand"),
        ("inline_external_table(x: string) kind=storage dataformat=csv ('https://example.com/b.csv')",
         "inline_external_table"),
    ],
)  # fmt: skip
def test_what_reaches_outside_is_refused_by_its_name(query: str, name: str) -> None:
    with pytest.raises(KqlError, match=name):
        run_kql(query)


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("print array_sort_asc(dynamic([2, 1]))", ["print_0"]),
        ("print array_sort_asc(dynamic([2, 1]), dynamic([3, 4]))", ["array0_sorted", "array1_sorted"]),
        ("print a = dynamic([2, 1]) | project array_sort_desc(a)", ["a_sorted"]),
        ("print 1 | project array_sort_desc(dynamic([2, 1]))", ["array0_sorted"]),
    ],
)
def test_names_of_sorted_arrays(query: str, columns: list[str]) -> None:
    assert run_kql(query)[0] == columns
