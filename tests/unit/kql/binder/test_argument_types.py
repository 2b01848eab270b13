"""What functions take and refuse, by type and number of arguments, as Microsoft's analyser does."""

import pytest

from vedette.testing import analyze_kql

ROWS = """datatable(b:bool, i:int, l:long, r:real, d:decimal, s:string, t:datetime, n:timespan, g:guid, y:dynamic)[]
| {}"""


def codes(operator: str) -> list[str]:
    return [each.code for each in analyze_kql(ROWS.format(operator)).errors]


@pytest.mark.parametrize(
    "call",
    ["startofday(y)", "bin(y, 1h)", "round(y)", "iff(y, 1, 2)", "format_datetime(y, 'yyyy')", "ago(y)", "now(y)",
     "unixtime_seconds_todatetime(y)", "binary_and(y, i)", "hash(y)", "hash_sha256(y)", "substring(s, y)",
     "startofday(t, r)", "repeat(s, r)", "isnan(d)", "make_timespan(i, r)", "min_of(y, i)", "max_of(g, g)",
     "has_ipv4(t, s)", "has_any_index(l, y)", "toguid(i)", "base64_encode_fromguid(i)"],
)  # fmt: skip
def test_types_that_a_function_does_not_take(call: str) -> None:
    assert codes(f"extend z = {call}") in (["KS116"], ["KS107"])


@pytest.mark.parametrize(
    "call",
    ["tolower(y)", "strcat(y, i)", "parse_ipv4(y)", "url_decode(y)", "todatetime(y)", "tolong(y)", "y.a + i", "y == l",
     "startofday(t, i)", "isnan(l)", "pow(l, r)", "min_of(i, r)", "coalesce(s, s)", "toguid(y)", "split(y, ',')",
     "iff(b, y, s)", "array_length(y)", "bag_pack('a', y)", "has_ipv4(y, s)", "base64_encode_fromguid(s)"],
)  # fmt: skip
def test_types_that_a_function_takes(call: str) -> None:
    assert codes(f"extend z = {call}") == []


@pytest.mark.parametrize("call", ["bag_pack('a', l, 's')", "case(b, s, b, s)", "now(n, n)", "column_ifexists('a')"])
def test_numbers_of_arguments_that_a_function_does_not_take(call: str) -> None:
    assert codes(f"extend z = {call}") == ["KS119"]


@pytest.mark.parametrize("call", ["arg_max(y, *)", "arg_min(g, s)", "argmax(y)"])
def test_only_what_has_an_order_has_extremes(call: str) -> None:
    assert codes(f"summarize {call}") == ["KS206"]


@pytest.mark.parametrize("call", ["percentiles_array(l)", "percentilesw_array(l, i)"])
def test_percentiles_have_ranks(call: str) -> None:
    assert codes(f"summarize {call}") == ["KS119"]


@pytest.mark.parametrize(
    "call",
    ["map(y, y)", "inner_nodes(y)", "labels()", "node_id()", "node_degree_in()", "node_degree_out()", "all(y, b)"],
)
def test_functions_of_graph_patterns_are_unknown_outside_them(call: str) -> None:
    assert codes(f"extend z = {call}") == ["KS211"]


def test_any_outside_graph_patterns_is_the_aggregate() -> None:
    assert codes("extend z = any(y, b)") == ["KS118"]
    assert codes("summarize any(y, b)") == []


@pytest.mark.parametrize(
    "operator",
    ["extend z = startofday(t2)", "where t2 > ago(1d)", "summarize arg_max(t2, *)", "extend z = round(t2, 2) + 1",
     "join (datatable(k:string)[]) on $left.t2 == $right.k", "sort by t2", "extend z = now(t2)"],
)  # fmt: skip
def test_columns_that_only_the_data_knows_fit_everywhere(operator: str) -> None:
    assert codes(f"evaluate bag_unpack(y) | project t2, s | {operator}") == []
    assert codes(f"project t2 = y, s | {operator}")
