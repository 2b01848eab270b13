"""The meaning of filters: run on SQLite rows, compared with the rows they should pick."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Column, Connection, Integer, MetaData, String, Table, create_engine, select
from sqlalchemy.dialects import sqlite

from vedette.odata.errors import ODataError
from vedette.odata.options import decode_query, parse_options
from vedette.odata.parser import parse_filter, parse_order_by
from vedette.odata.sql import CollectionProperty, Property, to_condition, to_order

METADATA = MetaData()
ALERTS = Table(
    "alerts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("title", String),
    Column("severity", String),
    Column("assigned_to", String),
    Column("created", BigInteger),
    Column("open", Boolean),
)
TAGS = Table("tags", METADATA, Column("alert_id", Integer), Column("tag", String))
LEVELS = {"unknown": "unknown", "informational": "informational", "low": "low", "medium": "medium", "high": "high"}
PROPERTIES = {
    "id": Property(ALERTS.c.id, "integer"),
    "title": Property(ALERTS.c.title, "string"),
    "severity": Property(ALERTS.c.severity, "enum", LEVELS),
    "assignedTo": Property(ALERTS.c.assigned_to, "string"),
    "createdDateTime": Property(ALERTS.c.created, "datetime"),
    "open": Property(ALERTS.c.open, "boolean"),
    "secret": Property(ALERTS.c.title, "string", filterable=False),
    "tags": CollectionProperty(TAGS, TAGS.c.alert_id == ALERTS.c.id, Property(TAGS.c.tag, "string")),
    "notes": CollectionProperty(TAGS, TAGS.c.alert_id == ALERTS.c.id, {"tag": Property(TAGS.c.tag, "string")}),
}
DAY = 864_000_000_000
NEW_YEAR = 638_396_640_000_000_000


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    with engine.connect() as connection:
        rows = [
            (1, "Mimikatz 50% off", "high", "ann@contoso.test", NEW_YEAR, True),
            (2, "it's odd", "low", None, NEW_YEAR + DAY, False),
            (3, "PsExec", "medium", "bob@contoso.test", NEW_YEAR + 2 * DAY + 1, True),
        ]
        names = [column.name for column in ALERTS.columns]
        connection.execute(ALERTS.insert(), [dict(zip(names, row, strict=True)) for row in rows])
        connection.execute(
            TAGS.insert(), [{"alert_id": 1, "tag": "vip"}, {"alert_id": 1, "tag": "x"}, {"alert_id": 3, "tag": "vip"}]
        )
        yield connection
    engine.dispose()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("severity eq 'High'", [1]),
        ("severity ne 'high'", [2, 3]),
        ("severity eq microsoft.graph.security.alertSeverity'high'", [1]),
        ("severity ge 'medium'", [1, 3]),
        ("severity in ('low','medium')", [2, 3]),
        ("severity in ['low','medium']", [2, 3]),
        ("assignedTo eq null", [2]),
        ("assignedTo ne null", [1, 3]),
        ("assignedTo ne 'ann@contoso.test'", [2, 3]),
        ("not (assignedTo eq 'ann@contoso.test')", [2, 3]),
        ("not startswith(assignedTo,'ann')", [2, 3]),
        ("title eq 'it''s odd'", [2]),
        ("startswith(title,'Mimi')", [1]),
        ("endswith(title, 'Exec') or id eq 2", [2, 3]),
        ("contains(title,'%')", [1]),
        ("startswith(tolower(title),'psexec')", [3]),
        ("startswith(title,'Mimi') eq true", [1]),
        ("createdDateTime gt 2024-01-02T00:00:00Z", [3]),
        ("createdDateTime ge '2024-01-02'", [2, 3]),
        ("createdDateTime eq 2024-01-03T00:00:00.0000001Z", [3]),
        ("2024-01-02Z le createdDateTime", [2, 3]),
        ("id eq '3'", [3]),
        ("ID gt 1 and (severity eq 'low' or severity eq 'high')", [2]),
        ("open", [1, 3]),
        ("open eq false", [2]),
        ("tags/any(t: t eq 'vip')", [1, 3]),
        ("tags/all(t: t eq 'vip')", [2, 3]),
        ("tags/any()", [1, 3]),
        ("tags/$count gt 1", [1]),
        ("notes/any(n: n/tag eq 'x' and severity eq 'high')", [1]),
    ],
)
def test_filter(connection: Connection, text: str, expected: list[int]) -> None:
    condition = to_condition(parse_filter(text), PROPERTIES)
    assert list(connection.scalars(select(ALERTS.c.id).where(condition).order_by(ALERTS.c.id))) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nothing eq 1", "UnknownProperty"),
        ("secret eq 'x'", "PropertyNotFilterable"),
        ("tags eq 'x'", "PropertyNotFilterable"),
        ("title/x eq 'y'", "UnknownProperty"),
        ("severity eq 'enormous'", "UnknownEnumMember"),
        ("createdDateTime gt 'yesterday'", "InvalidLiteral"),
        ("id eq 'one'", "InvalidLiteral"),
        ("id eq 99999999999999999999", "InvalidLiteral"),
        ("id eq '99999999999999999999'", "InvalidLiteral"),
        ("id eq '9223372036854775808'", "InvalidLiteral"),
        ("id eq '--1'", "InvalidLiteral"),
        ("title", "NotABooleanExpression"),
        ("title eq assignedTo", "ComparisonNotSupported"),
        ("substringof('x', title)", "NotABooleanExpression"),
        ("length(title) gt 3", "FunctionNotSupported"),
        ("contains(severity,'h')", "FunctionNotSupported"),
    ],
)
def test_what_cannot_be_filtered(text: str, code: str) -> None:
    with pytest.raises(ODataError) as caught:
        to_condition(parse_filter(text), PROPERTIES)
    assert caught.value.code == code


def test_values_are_bound_never_text() -> None:
    condition = to_condition(parse_filter("title eq '''; drop table alerts --'"), PROPERTIES)
    assert "drop" not in str(condition)
    assert "'; drop table alerts --" in condition.compile().params.values()


def test_order_is_total_where_values_are_missing(connection: Connection) -> None:
    [(column, descending)] = to_order(parse_order_by("assignedTo desc"), PROPERTIES)
    assert descending
    assert list(connection.scalars(select(ALERTS.c.id).order_by(column.desc()))) == [3, 1, 2]


def test_options() -> None:
    pairs = decode_query(
        "$filter=createdDateTime+ge+2024-01-01T00:00:00+00:00&%24top=5&$count=true&$expand=alerts,%20x&a=b"
    )
    options = parse_options(pairs)
    assert options.top == 5
    assert options.count
    assert options.expand == ("alerts", "x")
    assert options.filter == parse_filter("createdDateTime ge 2024-01-01T00:00:00 00:00")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("$top=-1", "InvalidQueryOption"),
        ("$top=ten", "InvalidQueryOption"),
        ("$count=maybe", "InvalidQueryOption"),
        ("$apply=x", "UnsupportedQueryOption"),
        ("$top=1&$TOP=2", "RepeatedQueryOption"),
        ("$filter=%ff", "QueryNotUtf8"),
    ],
)
def test_options_that_are_wrong(query: str, code: str) -> None:
    with pytest.raises(ODataError) as caught:
        parse_options(decode_query(query))
    assert caught.value.code == code


FRAGMENTS = st.sampled_from(
    [
        "id",
        "title",
        "tags",
        "severity",
        "createdDateTime",
        "open",
        "/",
        "any",
        "all",
        "(",
        ")",
        "t",
        ":",
        ",",
        "eq",
        "ne",
        "gt",
        "in",
        "and",
        "or",
        "not",
        "null",
        "true",
        "'x'",
        "12",
        "-1.5e9",
        "2024-01-01T00:00:00Z",
        "startswith",
        "Ns.Enum'high'",
        "$count",
        "'",
        "#",
        "é",
        "11111111-1111-1111-1111-111111111111",
    ]
)


@given(st.lists(FRAGMENTS, max_size=14))
@example(["11111111-1111-1111-1111-111111111111", "eq", "$count"])
def test_any_text_is_a_filter_or_an_odata_error(parts: list[str]) -> None:
    try:
        condition = to_condition(parse_filter(" ".join(parts)), PROPERTIES)
    except ODataError:
        return
    select(ALERTS.c.id).where(condition).compile(dialect=sqlite.dialect())
