"""Edges of scalar functions: what a page says of wrong, missing, huge and negative arguments; nothing raises."""

# ruff: noqa: E501 - one fact a line

from decimal import Decimal

import pytest

from vedette.kql.errors import KqlError
from vedette.testing import run_kql

LONGEST = 2**63 - 1

EDGES = [
    # the calendar ends with 9999-12-31, and the day after it is nobody's
    ("isnull(dayofweek(datetime(9999-12-31))), dayofweek(datetime(9999-12-30)) / 1d", (True, 4.0)),
    ("make_datetime(0, 1, 1), make_datetime(10000, 1, 1), make_datetime(2017, 2, 30)", (None, None, None)),
    ("unixtime_seconds_todatetime(1e15), unixtime_nanoseconds_todatetime(real(nan))", (None, None)),
    ("datetime_part('weekOfYear', datetime(2020-01-01)), format_datetime(datetime(2007-01-01), 'y yy yyyy')", (1, "7 07 2007")),
    # text is never null
    ("strrep('a', long(null)), substring('abc', long(null)), strlen(strrep('a', 5000)), strlen(strrep('a', 5000, '-'))", ("", "", 1024, 2047)),
    ("indexof('aaa', 'a', 0, -1, -1), indexof('a', 'a', 0, -2), indexof('a', 'a', 0, -1, 2)", (None, None, -1)),
    ("toguid('74be27de-1e4e-49d9-b579-fe0b331d3642 and more'), toguid('74be'), toguid('')", ("74be27de-1e4e-49d9-b579-fe0b331d3642", None, None)),
    # arrays
    ("array_sum(dynamic(['a', 1])), array_sum(dynamic([1, 2.5])), array_sum(dynamic([true, 1]))", (None, 3.5, None)),
    ("array_shift_left(dynamic(['a', 'b']), 1), array_shift_right(dynamic([1, 2]), 1), array_shift_left(dynamic(['a', 'b']), 1, 'z')", (["b", ""], [None, 1], ["b", "z"])),
    (f"repeat(1, -1), repeat(1, 0), array_length(repeat(1, {LONGEST}))", (None, [], 1048576)),
    ("jaccard_index(dynamic([1, 2]), dynamic([2, 3])), jaccard_index(dynamic([]), dynamic([]))", (1 / 3, "NaN")),
    # addresses
    ("format_ipv4('x'), ipv4_netmask_suffix('x'), ipv4_is_in_any_range('x', '10.0.0.0/8')", ("", None, None)),
    ("parse_urlquery('a=1&b=2&a=3')", ({"Query Parameters": {"a": "3", "b": "2"}},)),
    (f"substring('abc', {LONGEST}), split('a,b', ',', {LONGEST}), array_length(range(1, {LONGEST})), make_datetime(real(nan), 1, 1)", ("", None, 1048576, None)),
    ("range(5, 1, -2), range(1, 2, 0.5), range(1d, 2d, 1d), range(1, 5, 0), format_ipv4(dynamic(3232236031), 24)", ([5, 3, 1], [1, 1.5, 2], ["1.00:00:00", "2.00:00:00"], None, "192.168.1.0")),
    ("range(1, long(null), 1), range(1.0, real(null)), range(datetime(2020-01-01), datetime(null), 1d), repeat(1, long(null)), strrep('a', long(null), '-')", (None, None, None, None, "")),
    # the empty name is one too
    ("dynamic({'': {'': 1}})[''][''], dynamic({'': {'a': 1}})[''].a, bag_merge(dynamic({'': 1}), dynamic({'a': 2}))", (1, 1, {"": 1, "a": 2})),
    ("bag_set_key(dynamic({'': 1}), 'a', 2), parse_json('{\"\": 7}')[''], dynamic({'': 1})[substring('a', 1)]", ({"": 1, "a": 2}, 7, 1)),
    # decimals stay decimals beside reals
    ("todecimal(1.1), decimal(0.1) + 0.2, decimal(-7) % 3, decimal(5) / 2.0", (Decimal("1.1"), Decimal("0.3"), Decimal(2), Decimal("2.5"))),
]  # fmt: skip


@pytest.mark.parametrize(("calls", "expected"), EDGES)
def test_edge(calls: str, expected: tuple[object, ...]) -> None:
    _, rows = run_kql(f"print {calls}")
    assert rows == [expected]


def test_a_path_with_wildcards_is_refused() -> None:
    with pytest.raises(KqlError, match="wildcards"):
        run_kql("print extract_json('$.a[*]', '{}')")


ROWS = """datatable(n:long, t:datetime, p:timespan)[
    9223372036854775807, datetime(9999-12-31 23:59:59.9999999), 10675199d,
    long(-9223372036854775808), datetime(0001-01-01), -10675199d]"""


@pytest.mark.parametrize(
    "call",
    [
        "startofday(t, n)", "startofweek(t, n)", "startofmonth(t, n)", "startofyear(t, n)", "endofday(t, n)",
        "endofweek(t, n)", "endofmonth(t, n)", "endofyear(t, n)", "datetime_add('month', n, t)",
        "datetime_add('day', n, t)", "t + p", "unixtime_seconds_todatetime(n)", "make_datetime(n, n, n)",
    ],
)  # fmt: skip
def test_beyond_the_calendar_is_null(call: str) -> None:
    """Also where an expression stands twice: the engine computes it once, outside of what would catch its error."""
    assert run_kql(f"{ROWS} | project a = {call}, b = {call}")[1] == [(None, None), (None, None)]


def test_results_without_a_name_are_numbered() -> None:
    query = "datatable(a:long, b:long)[1, 2] | summarize arg_max(a + 1, b), arg_min(a, b + 1), take_any(a + 1)"
    assert run_kql(query)[0] == ["max_", "b", "a", "min_a_arg1", "any_arg0"]


def test_a_separator_may_come_from_the_row() -> None:
    query = "datatable(l:dynamic, s:string)[dynamic([1, 2]), '-', dynamic([]), '-', dynamic(null), '+'] | project strcat_array(l, s), strrep(s, 2, s)"
    assert run_kql(query)[1] == [("1-2", "---"), ("", "---"), ("", "+++")]


def test_branches_of_several_types_are_dynamic() -> None:
    """As the official analyser types them; numbers alone still go to the widest."""
    query = "datatable(b:bool, n:long, s:string)[true, 1, 'x', false, 2, 'y'] | project iff(b, n, s), case(b, 1, not(b), 1.5, 2), iff(b, s, 1d)"
    assert run_kql(query)[1] == [(1, 1.0, "x"), ("y", 1.5, "1.00:00:00")]
