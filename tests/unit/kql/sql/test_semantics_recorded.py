"""Facts recorded from Microsoft's engine, over rows of a datatable: constants alone would be folded away."""

# ruff: noqa: E501 - one fact a line

import math
from decimal import Decimal

import pytest

from vedette.kql.compile import compile_query
from vedette.kql.errors import KqlError
from vedette.testing import run_kql
from vedette.testing.kql_execution import EmptyCatalog

LONGEST = 2**63 - 1

ANSWERS = [
    ("datatable(b:bool)[true, bool(null)] | extend x = b and true, y = b or false, z = not(b)",
     [(True, True, True, False), (None, None, None, None)]),
    ("datatable(d:dynamic)[dynamic({'s': '1'})] | extend a = d.s + 1, b = d.s == '1', c = d.s has '1'",
     [({"s": "1"}, 2, True, True)]),
    ("datatable(s:string)['a b', 'c'] | where s has_any (dynamic([''])) | count", [(2,)]),
    ("datatable(s:string)['a b', 'c'] | where s has_all (dynamic([''])) | count", [(0,)]),
    ("datatable(s:string)['a b', 'c'] | where s has_all (dynamic([])) | count", [(2,)]),
    ("datatable(s:string)['a b', 'c'] | where s has_any (dynamic([])) | count", [(0,)]),
    ("datatable(x:int)[-5] | extend a = gettype(abs(x)), b = gettype(-x), c = gettype(x + x), d = x * x",
     [(-5, "long", "long", "long", 25)]),
    (f"datatable(x:long)[{LONGEST}] | extend a = -(x + 2), b = x * x + x - 1, c = (x + 1) * (x + 2) * 3",
     [(LONGEST, LONGEST, LONGEST, -LONGEST - 1)]),
    (f"datatable(x:long)[{LONGEST}, 1, 2] | summarize avg(x)", [(-3.0744573456182584e18,)]),
    ("datatable(a:long, b:long)[-7, 3, 7, -3, -7, -3, 5, 0, -6, 3] | project a % b", [(2,), (1,), (2,), (None,), (0,)]),
    ("datatable(a:long, b:long)[-7, 2, 7, 2, 7, 0] | project a / b", [(-3,), (3,), (None,)]),
    ("datatable(x:real)[-5.5, 5.5] | project bin(x, 2.0)", [(-6.0,), (4.0,)]),
    ("datatable(t:datetime)[datetime(2007-03-09)] | project tostring(bin(t, 30d))",
     [("2007-02-14T00:00:00.0000000Z",)]),
    ("datatable(a:int, k:string)[1, 'x'] | lookup (datatable(k:string, v:int, s:string)['y', 2, 'q']) on k",
     [(1, "x", None, "")]),
    ("datatable(d:dynamic)[dynamic([1, 2]), dynamic(null), dynamic([3])] | summarize make_list(d), make_set(d)",
     [([1, 2, None, 3], [1, 2, 3])]),
    ("datatable(v:int)[3, 1, int(null), 3, 2] | summarize make_list(v, 3), make_set(v, 2), make_set(v)",
     [([3, 1, 3], [3, 1], [3, 1, 2])]),
    ("datatable(s:string)['b', '', 'a'] | summarize make_list(s), make_set(s)", [(["b", "", "a"], ["b", "", "a"])]),
    ("datatable(v:real)[1, 2, 10] | summarize variance(v)", [(24.3333333333,)]),
    ("datatable(v:real)[] | summarize stdev(v), variance(v)", [(0.0, 0.0)]),
    ("union withsource=T (print a = 1), (print b = 2)", [("union_arg0", 1, None), ("union_arg1", None, 2)]),
    ("datatable(s:string)['abc123def'] | parse kind=regex s with letters @'\\d+' rest",
     [("abc123def", "abc12", "def")]),
    ("datatable(s:string)['abc'] | parse s with 'zzz' r:long t:string", [("abc", None, "")]),
    ("datatable(a:dynamic)[dynamic({'x': 1, 'y': 2})] | mv-expand kind=array a", [(["x", 1],), (["y", 2],)]),
    ("datatable(s:string)['12.5', '42.0', ' 123 ', '00789', '0X1f', '-0x10'] | project toint(s)",
     [(None,), (None,), (123,), (789,), (31,), (None,)]),
    ("datatable(s:string)['1_000', 'INF', '-inf', 'Inf', 'Infinity'] | project todouble(s)",
     [(None,), (None,), (-math.inf,), (math.inf,), (math.inf,)]),
    ("datatable(s:string)['yes', ' true', '1', 'TRUE'] | project tobool(s)", [(None,), (None,), (True,), (True,)]),
    ("datatable(x:real)[1.9999, -2.5, 1e30] | project toint(x)", [(1,), (-2,), (2147483647,)]),
    ("datatable(x:long)[5000000000] | project toint(x)", [(705032704,)]),
    ("datatable(x:long)[0, 1] | project todatetime(x)", [(("$datetime", 0),), (("$datetime", 1),)]),
    ("datatable(x:real)[1e20, 1e-7, 123456789.123, -0.0] | project tostring(x)",
     [("100000000000000000000.0",), ("1e-7",), ("123456789.123",), ("-0.0",)]),
    ("datatable(p:timespan)[1d, 90m, -1d, 1tick] | project tostring(p)",
     [("1.00:00:00",), ("01:30:00",), ("-1.00:00:00",), ("00:00:00.0000001",)]),
    ("datatable(s:string)['xxabcxx'] | project trim('x', s), trim('x+', s), countof(s, 'xx'), indexof(s, '')",
     [("xabcx", "abc", 2, None)]),
    ("datatable(s:string)['abc'] | project substring(s, -1, 2), substring(s, -9, 2), replace_string(s, '', 'x')",
     [("c", "", "abc")]),
    ("datatable(a:int)[1, 2, int(null)] | where a != 1", [(2,), (None,)]),
    ("datatable(a:int)[1, 2, int(null)] | where not(a == 1) and a !in (2, 3)", [(None,)]),
    ("datatable(a:int)[1, int(null)] | where a <= 0 or not(a > 0) or a != a", []),
    ("datatable(a:int)[int(null), 1] | join kind=inner (datatable(a:int, b:int)[int(null), 5, 1, 6]) on a | sort by b asc", [(None, None, 5), (1, 1, 6)]),
    ("datatable(a:real)[real(nan)] | join kind=inner (datatable(a:real)[real(nan)]) on a | count", [(1,)]),
    ("datatable(a:int)[1, 2] | join kind=rightanti (datatable(a:int, b:int)[2, 5, 3, 6]) on a", [(3, 6)]),
    ("datatable(b:dynamic)[dynamic({'k': 1}), dynamic({'k': 2, 'l': 3}), dynamic(null)] | summarize make_bag(b)", [({"k": 1, "l": 3},)]),
    ("print bag_merge(dynamic({'a': 1}), dynamic({'a': 2, 'b': 3})), split('a_b', '_', 5), dynamic([1])[3], array_length(dynamic({}))",
     [({"a": 1, "b": 3}, None, None, None)]),
    ("datatable(v:long)[10, 20] | summarize percentile(v, 50)", [(10,)]),
    ("datatable(v:real)[1, real(nan)] | summarize isnan(max(v)), isnan(min(v)), isnan(sum(v)), isnan(avg(v))", [(True, True, True, True)]),
    ("datatable(a:dynamic)[dynamic(null), dynamic([]), dynamic([1])] | mv-expand x = a | project x", [(None,), (1,)]),
    ("datatable(a:int, c:int)[1, 2] | extend a = c, c = a", [(2, 1)]),
    ("datatable(a:string, b:string)['abc', ''] | project a contains b, a has b, a !has b, b =~ a, b startswith a", [(True, True, False, False, False)]),
    ("datatable(t:datetime)[datetime(2020-12-31)] | project week_of_year(t), tostring(startofweek(t))",
     [(53, "2020-12-27T00:00:00.0000000Z")]),
    # Reals as text: the service's digits, shown in full from 1e-6 to below 1e21.
    ("datatable(x:real)[0.1, 100, 1e21, 0.00001, 1.5e300, 3.3, 1e16] | extend y = x * 3 | project tostring(x), tostring(y)",
     [("0.1", "0.30000000000000007"), ("100.0", "300.0"), ("1e21", "3e21"), ("0.00001", "0.000030000000000000005"),
      ("1.5e300", "4.5000000000000005e300"), ("3.3", "9.899999999999999"), ("10000000000000000.0", "30000000000000000.0")]),
    # JSON is strict: what only lenient parsers take is a text.
    ("""datatable(s:string)['[1,]', 'NaN', '[-Infinity]', '["NaN, ]"]', '{"a":",}"}'] | project parse_json(s), gettype(parse_json(s))""",
     [("[1,]", "string"), ("NaN", "string"), ("[-Infinity]", "string"), (["NaN, ]"], "array"), ({"a": ",}"}, "dictionary")]),
    # Dates in the documented forms.
    ("""datatable(s:string)['Sat, 8 Nov 14 15:05:02 GMT', '8 Nov 14 15:05', 'Saturday, 08-Nov-14 15:05:02 GMT', '08-Nov-14 15:05',
        '2014-11-08 15:05 GMT', 'Wed, 02 Oct 2002 15:00:00 +0200', '2 October 2002', '2014', '5', '02-Oct-2002'] | project tostring(todatetime(s))""",
     [("2014-11-08T15:05:02.0000000Z",), ("2014-11-08T15:05:00.0000000Z",), ("2014-11-08T15:05:02.0000000Z",),
      ("2014-11-08T15:05:00.0000000Z",), ("2014-11-08T15:05:00.0000000Z",), ("2002-10-02T13:00:00.0000000Z",),
      ("2002-10-02T00:00:00.0000000Z",), ("2014-01-01T00:00:00.0000000Z",), ("",), ("2002-10-02T00:00:00.0000000Z",)]),
    ("print totimespan('1:2:3'), totimespan('1:02:03:04'), long(-9223372036854775808) % -1, range(real(nan), 5)",
     [(("$timespan", 37_230_000_000), ("$timespan", 937_840_000_000), 0, None)]),
    ("print dynamic_to_json(datetime(2020-01-01)), dynamic_to_json(guid(74be27de-1e4e-49d9-b579-fe0b331d3642)), dynamic_to_json(1.5)",
     [('"2020-01-01T00:00:00.0000000Z"', '"74be27de-1e4e-49d9-b579-fe0b331d3642"', "1.5")]),
    ("datatable(r:real, i:int)[2.5, 6, 6.0, 3] | summarize binary_all_and(r), binary_all_or(i)", [(2.0, 7)]),
    # typeof() of a number casts, it does not parse (mv-expand-operator).
    ("datatable(a:dynamic)[dynamic(['5', 6, 7.5, null])] | mv-expand a to typeof(long)", [(None,), (6,), (7,), (None,)]),
    ("print d = dynamic({'n': 5}) | extend d.n < 6, d.n >= 5.0, d.n between (1 .. 6), d.n == 5, d.n == '5'",
     [({"n": 5}, True, True, True, True, True)]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), ANSWERS)
def test_answer(query: str, expected: list[tuple[object, ...]]) -> None:
    _, rows = run_kql(query)
    assert rows == expected


NAMES = [
    ("datatable(b:bool, x:int)[] | summarize countif(b), countif(x > 1), sumif(x, b), make_list(x), make_list(x),"
     " percentile(x, 50), stdevif(x, b), arg_max(x, b), arg_min(x, b)",
     ["countif_b", "countif_", "sumif_x", "list_x", "list_x1", "percentile_x_50", "stdevif_x", "x", "b", "x1", "b1"]),
    ("datatable(x:int, y:int)[] | summarize covariance(x, y), covariancep(x, y)", ["covariance_x_y", "covariancep_x_y"]),
    ("datatable(v:int, w:int, g:int)[] | summarize amx = arg_max(v, *) by g", ["g", "amx", "w"]),
    ("print A = 1 | project tostring(A), bin(A, 2), tolower('x'), strcat('a', A), A + 1",
     ["A", "A1", "Column1", "Column2", "Column3"]),
    ("union (print x = long(1)), (print x = toint(2)), (datatable(x_long:string)['q'])", ["x_long1", "x_int", "x_long"]),
    ("print 1, a = 2, 3", ["print_0", "a", "print_2"]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), NAMES)
def test_names(query: str, expected: list[str]) -> None:
    names, _ = run_kql(query)
    assert names == expected


@pytest.mark.parametrize(
    "query",
    [
        "print d = dynamic(2) | extend x = d * d",
        "print x = 1 | extend y = x, z = y",
        "print x = 1 | extend y = 1, y = 2",
        "range x from 1 to 3 step 1 | extend p = prev(x, 0)",
        "print x = 1 | union (print x = 2) | extend n = row_number()",
        "print x = 'a' | where x between ('a' .. 'b')",
        "print x = 'a' | where x < 'b'",
        "print x = guid(74be27de-1e4e-49d9-b579-fe0b331d3642) | where x > x",
        "print d = dynamic({'a': 1}) | where d.a == d.a",
        "print d = dynamic({'a': 1}) | where d.a != d.a",
        "print d = dynamic({'a': 1}) | where d.a < d.a",
        "print d = dynamic({'a': 1}) | where d.a < datetime(2020-01-01)",
        "print d = dynamic({'a': 1}) | where d.a",
        "print d = dynamic({'a': 1}) | sort by d.a",
        "print d = dynamic({'a': 1}) | summarize count() by d.a",
        "print d = dynamic({'a': 1}) | distinct *",
        "print d = dynamic({'a': 1}) | sample-distinct 1 of d",
        "print d = dynamic({'a': 1}) | partition by d (take 1)",
        "print d = dynamic({'a': 1}) | join (print k = 1) on $left.d == $right.k",
        "print coalesce(true, 1)",
        "print max_of(1, true)",
        "print strlen(5)",
        "print around('a', 'b', 'c')",
    ],
)
def test_refused(query: str) -> None:
    with pytest.raises(KqlError):
        run_kql(query)


UNITS = [
    ("convert_angle(1.2, 'Degree', 'Arcminute')", 72.0),
    ("convert_temperature(1.2, 'Kelvin', 'DegreeCelsius')", -271.95),
    ("convert_volume(1.2, 'CubicMeter', 'AcreFoot')", 0.0009728568),
    ("beta_cdf(0.5, 10.0, 20.0)", 0.9692858115768068),
    ("beta_inv(0.1, 10.0, 20.0)", 0.226415022388749),
    ("welch_test(20.82, 7.8674285714, 15, 22.9866667, 3.8126666667, 15)", 0.021378),
]


@pytest.mark.parametrize(("call", "expected"), UNITS)
def test_reals(call: str, expected: float) -> None:
    _, [(value,)] = run_kql(f"print {call}")
    assert value == pytest.approx(expected, rel=1e-4)


TEXTS = [
    ("hash('World'), hash('World', 100), hash(datetime(2015-01-01))", (1846988464401551951, 51, 1380966698541616202)),
    ("gzip_decompress_from_base64_string(gzip_compress_to_base64_string('héé' )), zlib_decompress_from_base64_string('x')",
     ("héé", "")),
    ("zlib_decompress_from_base64_string('eJwLSS0uUSguKcrMS1cwNDIGACxqBQ4=')", ("Test string 123",)),
    ("punycode_from_string('艺术'), punycode_to_string('cqv902d')", ("cqv902d", "艺术")),
    ("parse_xml('<e name=\"v\"> t <a>1</a><a>2</a></e>'), parse_xml('<x')",
     ({"e": {"@name": "v", "a": ["1", "2"], "#text": "t"}}, None)),
    ("parse_ipv6('192.168.255.255/24'), parse_ipv6('::1'), parse_ipv6('x')",
     ("0000:0000:0000:0000:0000:ffff:c0a8:ff00", "0000:0000:0000:0000:0000:0000:0000:0001", "")),
    ("ipv6_is_match('fe80::85d:e82c:9446:7994', 'fe80::85d:e82c:9446:7995', 127), ipv6_compare('::2', '::1')", (True, 1)),
    ("ipv4_range_to_cidr_list('1.1.128.0', '1.1.140.255')", (["1.1.128.0/21", "1.1.136.0/22", "1.1.140.0/24"],)),
    ("dynamic_to_json(dynamic({'b': 1, 'a': [2]}))", ('{"a":[2],"b":1}',)),
    ("bag_has_key(dynamic({'k': {'p': 1}}), '$.k.p'), bag_set_key(dynamic({'k': {'p': 1}}), '$.k.q', 2)",
     (True, {"k": {"p": 1, "q": 2}})),
    ("treepath(dynamic({'p': [1, {'x': 2}]}))", (["['p']", "['p'][0]", "['p'][0]['x']"],)),
]  # fmt: skip


@pytest.mark.parametrize(("calls", "expected"), TEXTS)
def test_texts(calls: str, expected: tuple[object, ...]) -> None:
    _, rows = run_kql(f"print {calls}")
    assert rows == [expected]


def test_sketches_merge() -> None:
    query = """range x from 1 to 1000 step 1 | summarize t = tdigest(x), h = hll(x) by g = x % 3
        | summarize t = tdigest_merge(t), h = hll_merge(h)
        | project rank_tdigest(t, 685), percentile_tdigest(t, 50, typeof(long)), dcount_hll(h)"""
    _, rows = run_kql(query)
    assert rows == [(685.0, 500, 1000)]


def test_decimals_keep_their_digits() -> None:
    query = """datatable(a:decimal, b:decimal)[decimal(1), decimal(3), decimal(1.1), decimal(1.1),
        decimal(123456789012345), decimal(2), decimal(1), decimal(0), decimal(1e30), decimal(1e-30)]
        | project a * b, a / b, tostring(a - b)"""
    _, rows = run_kql(query)
    assert rows == [
        (Decimal(3), Decimal("0.3333333333333333333333333333333333"), "-2"),
        (Decimal("1.21"), Decimal(1), "0"),
        (Decimal(246913578024690), Decimal("61728394506172.5"), "123456789012343"),
        (Decimal(0), None, "1"),
        (Decimal(1), Decimal("1e60"), "1000000000000000000000000000000"),
    ]


DECIMALS = "datatable(e:decimal)[3, 1.5, decimal(null), -2, 0.001, -2.5, decimal(1e20), decimal(1e-20), 0]"


def test_decimals_have_the_order_of_their_values() -> None:
    _, rows = run_kql(f"{DECIMALS} | sort by e asc | project tostring(e)")
    texts = ["", "-2.5", "-2", "0", "0.00000000000000000001", "0.001", "1.5", "3", "100000000000000000000"]
    assert [text for (text,) in rows] == texts
    assert run_kql(f"{DECIMALS} | where e > 1 and e < 5 or e == -2 | count")[1] == [(3,)]
    assert run_kql(f"{DECIMALS} | where e in (3, 1.5) or e between (-3 .. -2.1) | count")[1] == [(3,)]
    assert run_kql(f"{DECIMALS} | join (datatable(e:decimal)[3.00]) on e | count")[1] == [(1,)]


def test_aggregates_of_decimals() -> None:
    query = """datatable(e:decimal)[3, 1.5, decimal(null), -2.5]
        | summarize sum(e), avg(e), min(e), max(e), percentile(e, 50), make_list(e), dcount(e), binary_all_or(e)"""
    _, rows = run_kql(query)
    third = Decimal("0.6666666666666666666666666666666667")
    assert rows == [
        (Decimal(2), third, Decimal("-2.5"), Decimal(3), Decimal("1.5"), ["3", "1.5", "-2.5"], 3, Decimal(-1))
    ]
    assert run_kql("datatable(e:decimal)[] | summarize sum(e), avg(e), max(e)")[1] == [(Decimal(0), None, None)]
    assert run_kql("datatable(e:decimal)[1.1, 2.2] | serialize c = row_cumsum(e) | summarize max(c)")[1] == [
        (Decimal("3.3"),)
    ]


CONVERSIONS = [
    ("todecimal('1e3'), todecimal(' -.5 '), todecimal('x'), todecimal(1.1), todecimal(true), todecimal(real(nan))",
     (Decimal(1000), Decimal("-0.5"), None, Decimal("1.1"), Decimal(1), None)),
    ("toint(decimal(1.9)), tolong(decimal(-2.5)), todouble(decimal(0.1)), tobool(decimal(0)), toint(decimal(1e20))",
     (1, -2, 0.1, False, None)),
    ("round(decimal(2.345), 2), round(decimal(-2.5)), bin(decimal(-3.2), 0.5), ceiling(decimal(1.1)), abs(decimal(-1))",
     (Decimal("2.35"), Decimal(-3), Decimal("-3.5"), Decimal(2), Decimal(1))),
    ("decimal(-7) % 3, -decimal(1.5), sqrt(decimal(4)), 1h * decimal(2), max_of(decimal(1), 2), true < decimal(5)",
     (Decimal(2), Decimal("-1.5"), 2.0, ("$timespan", 72_000_000_000), Decimal(2), True)),
    ("bag_pack('a', decimal(1.50)), strcat(decimal(1.50), 'x'), dynamic(2) + decimal(1), decimal(12345678901234567890.1234567890123)",
     ({"a": "1.5"}, "1.5x", Decimal(3), Decimal("12345678901234567890.1234567890123"))),
]  # fmt: skip


@pytest.mark.parametrize(("calls", "expected"), CONVERSIONS)
def test_decimals_beside_other_types(calls: str, expected: tuple[object, ...]) -> None:
    _, rows = run_kql(f"print {calls}")
    assert rows == [expected]


def test_patterns_parameters_and_restrictions() -> None:
    pattern = """declare pattern country = (name:string)[state:string] {
        ("USA").["New York"] = { print Capital = "Albany" }; ("Canada").["Alberta"] = { print Capital = "Edmonton" }; };
        country("Canada").Alberta"""
    assert run_kql(pattern) == (["Capital"], [("Edmonton",)])
    assert run_kql("declare query_parameters(a:long = 5); print a")[1] == [(5,)]
    assert run_kql("let T = view () { print x = 1 }; restrict access to (T); T")[1] == [(1,)]
    size = "set query_bin_auto_size = 1h; range t from datetime(2020-01-01) to datetime(2020-01-01 01:59) step 1m"
    assert [row[1] for row in run_kql(f"{size} | summarize count() by bin_auto(t)")[1]] == [60, 60]


def test_values_for_query_parameters() -> None:
    text = "declare query_parameters(a:long, b:string = 'x', c:datetime); print a, b, c"
    sql = compile_query(text, EmptyCatalog(), now=0, parameters={"a": 41, "c": "2020-01-01"}).sql
    assert "41" in sql
    assert sql != compile_query(text, EmptyCatalog(), now=0, parameters={"a": 42, "c": "2020-01-01"}).sql
    with pytest.raises(KqlError, match="VK2003"):
        compile_query(text, EmptyCatalog(), now=0)


def test_a_path_is_found_however_its_json_is_written() -> None:
    """The cheap test before a comparison at a path must not lose values that are escaped."""
    rows = r"""datatable(s:string)['{"a":{"b":"hello"}}', '{"a":{"b":"h\\u0065llo"}}', '{"a":{"b":"hello there"}}', 'hello']"""
    rows = f"{rows} | extend d = parse_json(s)"
    assert run_kql(f"{rows} | where d.a.b == 'hello' | count")[1] == [(2,)]
    assert run_kql(f"{rows} | where tostring(d.a['b']) == 'hello' | count")[1] == [(2,)]
