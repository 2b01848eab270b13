"""Facts of the language that differ from SQL, each as a query and its answer."""

import math

import pytest

from vedette.testing import run_kql

NULLS = "datatable(x:int)[1, 2, int(null)]"

VALUES = [
    # null and the empty text
    ('print isnull(tostring(int(null))), strlen(tostring(int(null)))', (False, 0)),
    ("print a = int(null) == 1, b = not(int(null) == 1)", (False, True)),
    ("print iff(bool(null), 1, 2), isnull(bool(null) and true)", (2, True)),
    ('print coalesce(tostring(int(null)), "", "fallback")', ("fallback",)),
    # numbers
    ("print 2147483647 + 1, 1 - 3, -7 / 2, -7 % 3, 7 % -3, -7 % -3", (2147483648, -2, -3, 2, 1, 2)),
    ("print toint(2147483647) + toint(1)", (2147483648,)),
    ("print 1 / 0, 1.0 / 0.0, isnan(0.0 / 0.0)", (None, math.inf, True)),
    ("print bin(-7, 4), bin(-5.5, 2.0), bin(7, 0)", (-8, -6.0, None)),
    ("print round(2.5), round(-2.5), real(nan) == real(nan), real(nan) != real(nan)", (3.0, -3.0, False, True)),
    ('print toint("12.5"), toint("42.0"), toint(1.9999), toint(-2.5), toint(" 123 "), toint("0x10")',
     (None, None, 1, -2, 123, 16)),
    ('print toint("2147483648"), tolong("1e3"), toint(dynamic(2147483648))', (None, None, -2147483648)),
    ('print todouble("1_000"), todouble("INF"), todouble("-inf"), todouble("Infinity")',
     (None, None, -math.inf, math.inf)),
    ('print tobool("yes"), tobool(" true"), tobool("1"), tobool(-5)', (None, None, True, True)),
    # text
    ('print "café crème" has "crème", "ПриветМир" has "привет", "привет мир" has "МИР"', (True, False, True)),
    ('print "a_b" has "a", "123456" has "34", "12.34.56" has "34", "x" has "", "x" !has ""',
     (True, False, True, True, False)),
    ('print "a b" has " ", "a\\tb" has " ", "x ab y" hasprefix " a"', (True, False, True)),
    ('print "10%" contains "0%", "100" contains "0%", "a_c" startswith "A_", "abc" startswith "a_"',
     (True, False, True, False)),
    ('print "Ab" == "ab", "Ab" =~ "ab", "ab" in~ ("AB"), "ab" in ("AB")', (False, True, True, False)),
    ('print substring("abc", -1, 2), substring("abc", -9, 2), indexof("abc", ""), replace_string("abc", "", "x")',
     ("c", "", None, "abc")),
    ('print trim("x", "xxabcxx"), trim("x+", "xxabcxx"), countof("aaa", "aa"), url_encode("a b/é")',
     ("xabcx", "abc", 2, "a+b%2fé".replace("é", "%c3%a9"))),
    ('print strcat_array(dynamic([1, null, 3]), "-"), split("a_b", "_", 1), isnull(split("a", "_")[5])',
     ("1--3", ["b"], True)),
    ('print tostring(true), tostring(1d), tostring(1500.0), tostring(0.1 + 0.2), tostring(real(nan))',
     ("True", "1.00:00:00", "1500.0", "0.30000000000000007", "NaN")),
    ('print extract("(\\\\d+)-(\\\\d+)", 2, "10-20"), extract("x", 0, "y"), extract("(\\\\d+)", 1, "a7", typeof(long))',
     ("20", "", 7)),
    # dynamic
    ('print isnull(parse_json("null")), tostring(parse_json("not json")), isnull(parse_json(""))', (True, "not json", True)),  # noqa: E501
    ('print d = parse_json(\'{"a":{"b":[1,"x"]},"n":null}\') | project tostring(d.a.b[1]), tolong(d.a.b[0]), isnull(d.n), isnull(d.z), d.a.b[-1]',  # noqa: E501
     ("x", 1, True, True, "x")),
    ('print bag_merge(dynamic({"a":1}), dynamic({"a":2,"b":3})), array_length(dynamic({"a":1}))', ({"a": 1, "b": 3}, None)),  # noqa: E501
    ("print pack_array(1d, datetime(2020-01-01), real(nan))", (["1.00:00:00", "2020-01-01T00:00:00.0000000Z", "NaN"],)),
    # time
    ("print bin(datetime(1955-11-05), 7d), dayofweek(datetime(2021-01-04))", (("$datetime", 616883904000000000), ("$timespan", 864000000000))),  # noqa: E501
    ("print endofday(datetime(2020-01-01)), 1tick + 1ms", (("$datetime", 637134335999999999 + 864000000000), ("$timespan", 10001))),  # noqa: E501
    ("print make_datetime(2020, 1, 1, 0, 0, 59.9999999)", (("$datetime", 637134336599999999),)),
    ("print todatetime(1), totimespan('13:00'), totimespan('1d'), tolong(1d)",
     (("$datetime", 1), ("$timespan", 468000000000), ("$timespan", 864000000000), 864000000000)),
    ("print datetime_add('year', 10000, datetime(2020-01-01)), 1d / 1h, datetime(2020-01-02) - datetime(2020-01-01)",
     (None, 24.0, ("$timespan", 864000000000))),
    ("print within = datetime(2020-01-03) between (datetime(2020-01-01) .. 2d)", (True,)),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), VALUES)
def test_value(query: str, expected: tuple[object, ...]) -> None:
    _, rows = run_kql(query)
    assert rows == [expected]


ROWS = [
    (f"{NULLS} | where x != 1", [(2,), (None,)]),
    (f"{NULLS} | where not(x == 1)", [(2,), (None,)]),
    (f"{NULLS} | where x !in (1, 2)", [(None,)]),
    (f"{NULLS} | where x <= 0", []),
    (f"{NULLS} | where x == x", [(1,), (2,)]),
    (f"{NULLS} | sort by x asc", [(None,), (1,), (2,)]),
    (f"{NULLS} | sort by x", [(2,), (1,), (None,)]),
    (f"{NULLS} | summarize count(), sum(x), min(x), max(x), make_list(x)", [(3, 3, 1, 2, [1, 2])]),
    (f"{NULLS} | where x > 5 | summarize count(), sum(x), min(x), make_list(x), make_set(x)", [(0, 0, None, [], [])]),
    (f"{NULLS} | where x > 5 | summarize count() by x", []),
    ("datatable(x:long)[9223372036854775807] | extend y = x + 1, z = x * 2", [(2**63 - 1, -(2**63), -2)]),
    ("datatable(x:long)[9223372036854775807, 1] | summarize sum(x)", [(-(2**63),)]),
    ("datatable(v:real)[10, 20] | summarize percentile(v, 50), variance(v)", [(10.0, 50.0)]),
    ("print a = 1, c = 2 | extend a = c, c = a", [(2, 1)]),
    ("datatable(k:int, a:string)[int(null), 'l'] | join kind=inner (datatable(k:int, b:string)[int(null), 'r']) on k",
     [(None, "l", None, "r")]),
    ("datatable(k:int)[1] | join kind=leftouter (datatable(k:int, b:string, n:int)[2, 'r', 5]) on k", [(1, None, "", None)]),  # noqa: E501
    ("datatable(k:int, v:int)[1, 10, 1, 20] | join (datatable(k:int)[1, 1]) on k | summarize count(), take_any(v)", [(2, 10)]),  # noqa: E501
    ("datatable(k:int)[1, 2] | join kind=leftanti (datatable(k:int)[2]) on k", [(1,)]),
    ("datatable(k:int)[1, 2] | join kind=rightsemi (datatable(k:int, b:int)[2, 7, 3, 8]) on k", [(2, 7)]),
    ("print d = dynamic([1, 2]), e = dynamic(['a']) | mv-expand d, e | project tolong(d), tostring(e)", [(1, "a"), (2, "")]),  # noqa: E501
    ("datatable(d:dynamic)[dynamic(null), dynamic([]), dynamic([7])] | mv-expand d", [(None,), (7,)]),
    ("print d = dynamic({'a': 1, 'b': 2}) | mv-expand d", [({"a": 1},), ({"b": 2},)]),
    ('datatable(s:string)["a b", ""] | mv-expand s = split(s, " ") to typeof(string)', [("a",), ("b",), ("",)]),
    ('datatable(s:string)["a \\"b\\""] | mv-expand s = split(s, " "), e = dynamic([1, 2, 3]) | project s, tostring(s)',
     [("a", "a"), ('"b"', '"b"'), (None, "")]),
    ('datatable(s:string)["1 b"] | mv-expand s = split(s, " ") to typeof(long)', [(None,), (None,)]),
    ('datatable(s:string)["a b c"] | mv-expand with_itemindex=i s = split(s, " ") limit 2 | project i, s',
     [(0, "a"), (1, "b")]),
    ("print d = dynamic([3, 1, 2]) | mv-apply d to typeof(long) on (sort by d asc | take 1)", [(1,)]),
    ("union (print a = 1), (print b = 'x')", [(1, ""), (None, "x")]),
    ("range x from 1 to 3 step 1 | serialize p = prev(x), n = next(x, 1, 0), r = row_number(), s = row_cumsum(x)",
     [(1, None, 2, 1, 1), (2, 1, 3, 2, 3), (3, 2, 0, 3, 6)]),
    ("datatable(k:string, v:int)['b', 1, 'a', 2, 'b', 3] | sort by v desc | summarize make_list(v) by k | sort by k asc",  # noqa: E501
     [("a", [2]), ("b", [3, 1])]),
    ("datatable(a:string, LogonId:int, LogonID:int)['x', 1, 2] | project LogonID, LogonId", [(2, 1)]),
    ("let t = datatable(s:string)['one two', 'three']; t | where s has_any (dynamic(['TWO', 'x'])) and s has_all ('one', 'two')",  # noqa: E501
     [("one two",)]),
    ("let needles = datatable(n:string)['two']; datatable(s:string)['one two', 'twofold'] | where s has_any (needles)",
     [("one two",)]),
    ("datatable(s:string)['a.exe', 'b.EXE'] | where s in~ ((datatable(n:string)['B.exe']))", [("b.EXE",)]),
    ("print x = toscalar(range i from 1 to 3 step 1 | summarize max(i)) + 1", [(4,)]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), ROWS)
def test_rows(query: str, expected: list[tuple[object, ...]]) -> None:
    _, rows = run_kql(query)
    assert rows == expected
