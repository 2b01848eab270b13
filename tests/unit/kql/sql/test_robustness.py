"""Compilation stays fast and refuses politely, however deep or long a query is."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.kql.compile import compile_query
from vedette.kql.errors import KqlError
from vedette.testing import run_kql
from vedette.testing.kql_execution import EmptyCatalog

NOW = 638_700_000_000_000_000
SECOND = 10_000_000
TABLE = "datatable(a:long, b:int, r:real, s:string, d:dynamic, t:datetime, p:timespan, f:bool)"


def compiled_size(query: str) -> int:
    return len(compile_query(query, EmptyCatalog(), now=NOW).sql)


def nested(before: str, inside: str, after: str, depth: int) -> str:
    return f"{TABLE}[] | extend x = {before * depth}{inside}{after * depth}"


@pytest.mark.parametrize(
    ("before", "inside", "after"),
    [
        ("a + (1 + (", "a", "))"),
        ("(a * ", "a", ")"),
        ("-(", "a", ")"),
        ("abs(", "a", ")"),
        ("(f == (a == b)) == (", "f", ")"),
        ("tolong(tostring(", "a", "))"),
        ("iff(a == 1, ", "a", ", b)"),
        ("parse_json(tostring(", "d", "))"),
        ("bin(", "r", ", 1.0)"),
    ],
)
def test_nesting_costs_no_more_than_its_depth(before: str, inside: str, after: str) -> None:
    few, many = (compiled_size(nested(before, inside, after, depth)) for depth in (6, 12))
    assert many < 4 * few


@pytest.mark.parametrize(
    "query",
    [
        f"{TABLE}[] | where " + " or ".join(f's has "x{each}"' for each in range(500)),
        f"{TABLE}[] | where s in (" + ", ".join(f'"x{each}"' for each in range(2000)) + ")",
        f"{TABLE}[] " + "".join(f'| where s != "{each}"' for each in range(373)),
        f"{TABLE}[] | extend x = " + " + ".join(["a"] * 300),
        f"{TABLE}[] | extend x = " + " + ".join(["r"] * 300),
    ],
    ids=["or-chain", "in-list", "pipes", "sum", "sum of reals"],
)
def test_long_queries_compile(query: str) -> None:
    started = time.perf_counter()
    assert compiled_size(query) > 0
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("before", "inside", "after"),
    [("1 + (", "1", ")"), ("not(", "true", ")"), ("iff(true, 1, ", "2", ")"), ("(", "1", ")")],
)
def test_hundreds_of_levels_compile_and_run(before: str, inside: str, after: str) -> None:
    query = f"print x = {before * 400}{inside}{after * 400}"
    assert compiled_size(query) > 0
    assert len(run_kql(query)[1]) == 1


def test_a_chain_of_extends_is_written_out_once() -> None:
    rows = "datatable(" + ", ".join(f"c{each}:long" for each in range(50)) + ")[] | extend v0 = c0 * 2"
    query = rows + "".join(f" | extend v{each + 1} = v{each} * {each}" for each in range(372))
    assert compiled_size(query) < 100_000


@pytest.mark.parametrize("depth", [600, 5_000])
def test_deeper_queries_are_refused(depth: int) -> None:
    with pytest.raises(KqlError, match="KS245"):
        compiled_size("print " + "1+(" * depth + "1" + ")" * depth)


def test_columns_of_all_steps_are_limited() -> None:
    rows = "datatable(" + ", ".join(f"c{each}:long" for each in range(50)) + ")[]"
    with pytest.raises(KqlError, match="VK2013"):
        compiled_size(rows + f" | join ({rows}" * 100 + ") on c1" * 100)


def test_a_chain_without_end_is_refused() -> None:
    with pytest.raises(KqlError, match="VK2012"):
        compiled_size("print " + " + ".join(["1"] * 20_000))


def test_columns_are_searched_together() -> None:
    names = [f"s{each}" for each in range(9)]
    rows = f"datatable({', '.join(f'{name}:string' for name in names)})[]"
    tests = " or ".join(f"{name} has 'two'" for name in names)
    sql = compile_query(f"{rows} | where {tests}", EmptyCatalog(), now=NOW).sql
    assert sql.count("regexp_matches") == 1


def test_a_term_does_not_reach_over_two_columns() -> None:
    rows = "datatable(a:string, b:string, c:string, d:string)['x one', 'two', '', '', 'one two', '', '', '']"
    test = " or ".join(f"{name} has 'one two'" for name in "abcd")
    assert run_kql(f"{rows} | where {test} | project a")[1] == [("one two",)]


@pytest.mark.parametrize("form", ["now()", "ago(1h)", "datetime()", "now(-1d)"])
def test_the_time_of_a_cached_query_is_not_stale(form: str) -> None:
    first, again, later = (compile_query(f"print {form}", EmptyCatalog(), now=now) for now in (NOW, NOW, NOW + SECOND))
    assert first.sql == later.sql
    assert first.parameters == again.parameters != later.parameters


def test_the_same_query_costs_a_look_into_the_cache() -> None:
    query = f"{TABLE}[] | where t > ago(7d) and s has_any ('a', 'b')"
    compile_query(query, EmptyCatalog(), now=NOW)
    started = time.process_time()
    for count in range(100):
        compile_query(query, EmptyCatalog(), now=NOW + count)
    assert (time.process_time() - started) / 100 <= 0.0001


def test_the_same_query_is_compiled_once() -> None:
    first, later = (compile_query("print 'now(' , 1", EmptyCatalog(), now=now) for now in (NOW, NOW + SECOND))
    assert first is later


def test_a_row_cannot_be_read_from_toscalar() -> None:
    query = "let f = (i:long) { toscalar(datatable(x:long)[1] | where x == i) }; datatable(y:long)[1] | extend z = f(y)"
    with pytest.raises(KqlError, match="toscalar"):
        run_kql(query)


COLUMNS = st.sampled_from(["a", "b", "r", "s", "d", "t", "p", "f", "d.k", "d[0]"])
CONSTANTS = st.sampled_from(
    ["1", "-3", "0", "9223372036854775807", "2.5", "real(nan)", "'x y'", "''", "true", "dynamic([1, null])",
     "dynamic({'k': 'v'})", "datetime(2020-02-29)", "1d", "int(null)", "dynamic(null)", "1tick"]
)  # fmt: skip
OPERATORS = ["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "has", "contains", "=~", "and", "or", "!has_cs"]
FUNCTIONS = [
    "tostring({0})",
    "tolong({0})",
    "todatetime({0})",
    "totimespan({0})",
    "todouble({0})",
    "toguid({0})",
    "tobool({0})",
    "iff({0} == {1}, {0}, {1})",
    "coalesce({0}, {1})",
    "strcat({0}, {1})",
    "bin({0}, {1})",
    "parse_json({0})",
    "substring({0}, {1})",
    "split({0}, {1})",
    "array_length({0})",
    "bag_keys({0})",
    "array_slice({0}, {1}, 1)",
    "abs({0})",
    "startofmonth({0})",
    "datetime_add('month', {1}, {0})",
    "hash({0})",
    "parse_ipv6({0})",
    "isempty({0})",
    "round({0}, {1})",
    "min_of({0}, {1})",
    "gettype({0})",
    "pack_array({0}, {1})",
    "indexof({0}, {1})",
    "set_union({0}, {1})",
    "strrep({0}, {1})",
    "format_timespan({0}, 'd.hh')",
    "tohex({0})",
    "array_concat({0}, {1})",
    "parse_csv({0})",
    "url_decode({0})",
    "zip({0}, {1})",
]


def _wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    infix = st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda parts: f"({' '.join(parts)})")
    calls = st.tuples(st.sampled_from(FUNCTIONS), inner, inner).map(lambda parts: parts[0].format(*parts[1:]))
    return infix | calls


EXPRESSIONS = st.recursive(COLUMNS | CONSTANTS, _wider, max_leaves=8)
ROWS = (
    "[1, 2, 0.5, 'one two', dynamic({'k': [1, 'x']}), datetime(2024-02-29), 1d, true,"
    " long(null), int(null), real(null), '', dynamic(null), datetime(null), timespan(null), bool(null),"
    " -9223372036854775807, -7, real(-inf), '%', dynamic([[], {}, 'é']), datetime(0001-01-01), -1tick, false]"
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(expression=EXPRESSIONS)
def test_whatever_is_asked_only_kql_errors_come_back(expression: str) -> None:
    try:
        _, rows = run_kql(f"{TABLE}{ROWS} | extend x = {expression} | project x")
    except KqlError:
        return
    assert len(rows) == 3


@pytest.mark.parametrize(
    "query",
    [
        "externaldata(a: string)['https://x/a.csv']",
        "print toscalar(externaldata(a: long)['https://x/a'] | count)",
    ],
)
def test_a_query_by_itself_fetches_nothing(query: str) -> None:
    with pytest.raises(KqlError, match="VK3008: externaldata"):
        run_kql(query)
