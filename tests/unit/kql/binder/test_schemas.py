"""Names and types of result columns. What is expected was asked of Microsoft's analyser, operator by operator."""

import pytest
from tests.unit.kql.binder.analysis import COLUMNS, schema

from vedette.testing import analyze_kql

ALL = ", ".join(f"{name}:{type_}" for name, type_ in COLUMNS.items())


def all_but(*names: str) -> str:
    return ", ".join(f"{name}:{type_}" for name, type_ in COLUMNS.items() if name not in names)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("T | project a, tostring(b), tolower(b), a + 1", "a:long, b:string, Column1:string, Column2:long"),
        ('T | project c.x.y, c["k"], c[0], c.x[0]', "c_x_y:dynamic, c_k:dynamic, c_0:dynamic, c_x_0:dynamic"),
        ("T | project bin(d, 1h), toint(c.x), 5, now()", "d:datetime, c_x:int, Column1:long, Column2:datetime"),
        ("T | project parse_json(b).x, tostring(parse_json(b).x.y)", "b_x:dynamic, b_x_y:string"),
        ("T | project Column1 = 1, a + 1", "Column1:long, Column11:long"),
        ("T | project toint(q = a)", "q:int"),
        ("T | extend strlen(b), 1 + 1", f"{ALL}, strlen_b:long, Column1:long"),
        ("T | extend b = 1", ALL.replace("b:string", "b:long")),
        ("T | extend series_fit_line(c) | project-keep series*line_fit", "series_fit_line_c_line_fit:dynamic"),
        (
            "T | extend (r, s) = series_fit_line(c) | project-away a, b, c, d, e, f, t, g, series*",
            "r:real, s:real",
        ),
        ("T | project-away a, b", all_but("a", "b")),
        ("T | project-keep c*, a", "a:long, c:dynamic"),
        ("T | project-rename z = a", ALL.replace("a:long", "z:long")),
        ("T | project-reorder d, a*", f"d:datetime, a:long, {all_but('d', 'a')}"),
        ('T | project-by-names "a", dynamic(["e", "f*"])', "a:long, e:real, f:int"),
        ("T | distinct strlen(b), a + 1, b", "strlen_b:long, Column1:long, b:string"),
        ("T | getschema", "ColumnName:string, ColumnOrdinal:long, DataType:string, ColumnType:string"),
    ],
)
def test_columns(query: str, expected: str) -> None:
    assert schema(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "T | summarize count(), sum(a), dcount(b), make_set(b)",
            "count_:long, sum_a:long, dcount_b:long, set_b:dynamic",
        ),
        ("T | summarize make_list(c.x), countif(a > 1), countif(g)", "list_c_x:dynamic, countif_:long, countif_g:long"),
        ("T | summarize arg_max(d, a, e), arg_min(d, a)", "d:datetime, a:long, e:real, d1:datetime, a1:long"),
        ("T | summarize arg_max(d, *) by b", f"b:string, d:datetime, {all_but('b', 'd')}"),
        (
            "T | summarize any(b), take_any(b, c), argmax(a, b)",
            "any_b:string, b:string, c:dynamic, max_a:long, max_a_b:string",
        ),
        (
            "T | summarize percentile(a, 50), percentiles(a, 5, 50, 99.5)",
            "percentile_a_50:long, percentile_a_5:long, percentile_a_501:long, percentile_a_99_5:long",
        ),
        ("T | summarize avg(f), sum(f), max(a + 1), stdev(a)", "avg_f:real, sum_f:long, max_:long, stdev_a:real"),
        ("T | summarize count() by bin(d, 1h), tostring(c.z)", "d:datetime, c_z:string, count_:long"),
        ("T | summarize arg_max(d, *) by tostring(b)", f"b:string, d:datetime, {all_but('b', 'd')}"),
        ("T | summarize arg_max(todatetime(d), *) by b", f"b:string, d:datetime, {all_but('b', 'd')}"),
        ("T | project a, b | summarize take_any(*) by x = tolong(a)", "x:long, b:string"),
        ("T | project a, b | summarize take_any(*) by tostring(a)", "a:string, a1:long, b:string"),
        ("T | summarize max(b), max_b = dcount(b)", "max_b:string, max_b1:long"),
        ("T | summarize by a, x = b", "a:long, x:string"),
        ("T | summarize round(avg(a), 2), toint(sum(a)), max(a) - min(a)", "avg_a:real, sum_a:int, Column1:long"),
        ("T | count", "Count:long"),
        ("T | count as n", "n:long"),
        (
            "T | make-series n = count(), sum(a) default = 0 on d step 1h by b",
            "b:string, n:dynamic, sum_a:dynamic, d:dynamic",
        ),
        (
            "T | top-nested 3 of b by count(), top-nested of f by s = sum(a)",
            "b:string, aggregated_b:long, f:int, s:long",
        ),
        ("T | top-hitters 5 of b by a", "b:string, approximate_sum_a:long"),
        ("T | top-hitters 5 of b by f", "b:string, approximate_sum_f:int"),
        ("T | top-hitters 5 of b by f * 2", "b:string, approximate_sum_:long"),
    ],
)
def test_groups(query: str, expected: str) -> None:
    assert schema(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("T | where Type == 'T'", ALL),
        ("T | where a > 1 | project a, Type", "a:long, Type:string"),
        ("union T, (T | take 1) | summarize count() by Type", "Type:string, count_:long"),
        ("union T, (print Type = 'x') | where Type == 'T' | project Type", "Type:string"),
        ("let U = T; U | extend q = strcat(Type, b) | project q", "q:string"),
        ("T | extend Type = 1 | project Type", "Type:long"),
        ("union T, (T | where a > 1) | where ingestion_time() > ago(1h) | project a", "a:long"),
    ],
)
def test_columns_beyond_the_star(query: str, expected: str) -> None:
    assert schema(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("T | project a, b | join (Other | extend a = 1) on b", "a:long, b:string, b1:string, z:long, a1:long"),
        ("T | project a, b | lookup Other on b", "a:long, b:string, z:long"),
        ("T | project a, b | join kind=leftsemi Other on b", "a:long, b:string"),
        ("T | join kind=rightanti Other on $left.b == $right.b", "b:string, z:long"),
        ("T | project a, b | union (Other | project b = 1)", "a:long, b_string:string, b_long:long"),
        ("T | project a | union withsource=s Other", "s:string, a:long, b:string, z:long"),
        ("T | project a, b | as X | join (X) on a", "a:long, b:string, a1:long, b1:string"),
        ("T | project b, c | mv-expand c to typeof(long)", "b:string, c:long"),
        ("T | project b, c | mv-expand with_itemindex=i x = c.z, c", "b:string, c:dynamic, x:dynamic, i:long"),
        ("T | project b, c | mv-apply c on (summarize max(tolong(c)))", "b:string, max_c:long"),
        (
            "T | project b, c | mv-apply x = c to typeof(long) on (where x > 1 | project x, y = b)",
            "b:string, c:dynamic, x:long, y:string",
        ),
        ('T | project b | parse b with * "x" y:long "z" w', "b:string, y:long, w:string"),
        ("T | project b | parse-kv b as (x: string, y: long)", "b:string, x:string, y:long"),
        ("T | project a | scan declare (x: long = 0) with (step s: true => x = s.x + a;)", "a:long, x:long"),
        ("T | project a, b | partition by b (summarize count())", "count_:long"),
        ("T | evaluate narrow()", "Row:long, Column:string, Value:string"),
        ("T | evaluate bag_unpack(c): (a: long, z: string)", "a:long, z:string"),
        ('search in (Other) "x"', "$table:string, b:string, z:long"),
        ("search in (Other) *", "$table:string, b:string, z:long"),
        ("find in (T, Other) where z > 1 project b", "source_:string, b:string"),
        ("T | find 'x'", "source_:string, pack_:dynamic"),
        ("T | find where a > 1 and b == 'x'", "source_:string, a:long, b:string, pack_:dynamic"),
        ("T | project a, b | find where a > 1 project b", "source_:string, b:string"),
        ("range x from 1 to 10 step 1", "x:long"),
        ('print x = 1, strlen("a"), 1.5', "x:long, print_1:long, print_2:real"),
        ("datatable(a: int, b: string) [1, 'x']", "a:int, b:string"),
        ("externaldata(a: string) [h'https://host/x.csv']", "a:string"),
    ],
)
def test_tables(query: str, expected: str) -> None:
    assert schema(query) == expected


@pytest.mark.parametrize(
    ("expression", "type_"),
    [
        ("f + f", "long"), ("a / e", "real"), ("d - d", "timespan"), ("d + 1h", "datetime"), ("t / t", "real"),
        ("t * 2", "timespan"), ("c.x + 1", "long"), ("c.x + e", "real"), ("-f", "long"), ("a % f", "long"),
        (
            "iff(g, c, 1)",
            "long"), ('iff(g, c.x, "s")', "string"), ("case(g, 1, 2.0)", "real"), ("max_of(a, f, e)", "real",
        ),
        ("coalesce(a, f)", "long"), ("hourofday(d)", "int"), ("dayofweek(d)", "timespan"), ("abs(f)", "long"),
        ("round(e)", "real"), ('extract("x", 1, b)', "string"), ('extract("x", 1, b, typeof(long))', "long"),
        ('datetime_diff("day", d, d)', "long"), ("bin(d, 1d)", "datetime"), ('split(b, ",")', "dynamic"),
        ("todynamic(b).x", "dynamic"), ("ago(1d)", "datetime"), ("a in (1, 2)", "bool"), ("b has_any (c)", "bool"),
        ("toscalar(T | project e)", "real"), ("prev(a)", "long"), ("row_number()", "long"), ("c == 1", "bool"),
    ],
)  # fmt: skip
def test_types(expression: str, type_: str) -> None:
    assert schema(f"T | project x = {expression}") == f"x:{type_}"


def test_names_differ_by_case() -> None:
    assert schema("T | project A = 1, a") == "A:long, a:long"


def test_an_alias_resolves_but_is_no_column() -> None:
    assert schema("T | where When > ago(1d) | project When, a") == "When:datetime, a:long"
    assert "When" not in schema("T")


def test_a_projected_alias_still_answers_to_the_columns_name() -> None:
    assert schema("T | project When | summarize count() by bin(d, 1h)") == "d:datetime, count_:long"


def test_open_schemas_take_any_name() -> None:
    assert schema("T | evaluate bag_unpack(c) | project a, new, strlen(new)") == "a:long, new:dynamic, strlen_new:long"


def test_percentile_of_int_is_long() -> None:
    found = analyze_kql("datatable(a: int, b: real)[] | summarize percentile(a, 50), percentiles(b, 5)")
    assert found.columns == [("percentile_a_50", "long"), ("percentile_b_5", "real")]
