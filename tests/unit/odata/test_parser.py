"""`$filter` and `$orderby` text to syntax tree."""

import pytest

from vedette.odata.errors import ODataError
from vedette.odata.parser import MAX_DEPTH, parse_filter, parse_order_by
from vedette.odata.syntax import (
    And,
    Call,
    CollectionLambda,
    Comparison,
    DateTime,
    EnumValue,
    ListLiteral,
    Membership,
    Not,
    Null,
    Number,
    Or,
    OrderBy,
    Path,
    String,
)


def test_precedence_of_and_over_or() -> None:
    match parse_filter("a eq 1 or b eq 2 and not (c eq 3)"):
        case Or((Comparison("eq", Path(("a",)), Number(1)), And((Comparison(), Not(Comparison("eq")))))):
            pass
        case other:
            pytest.fail(f"parsed as {other}")


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("x eq 'it''s'", String("it's")),
        ("x eq null", Null()),
        ("x eq -12", Number(-12)),
        ("x eq 1.5", Number(1.5)),
        ("x eq Ns.security.incidentStatus'active'", EnumValue("Ns.security.incidentStatus", "active")),
        ("x eq 0f2c6b4e-1111-2222-3333-444455556666", String("0f2c6b4e-1111-2222-3333-444455556666")),
        ("x eq guid'0f2c6b4e-1111-2222-3333-444455556666'", String("0f2c6b4e-1111-2222-3333-444455556666")),
    ],
)
def test_literals(text: str, literal: object) -> None:
    match parse_filter(text):
        case Comparison("eq", Path(("x",)), value):
            assert value == literal
        case other:
            pytest.fail(f"parsed as {other}")


def test_items_of_a_list_may_be_quoted_as_in_json() -> None:
    match parse_filter('id in ("a\'b","c\\"d\\u0065",\'e\')'):
        case Membership(_, ListLiteral((String("a'b"), String('c"de'), String("e")))):
            pass
        case other:
            pytest.fail(f"parsed as {other}")
    for refused in ('id eq "a"', 'id in ("a)', 'id in ("\\x")', 'id in ("\\ud800")', '"id" eq 1'):
        with pytest.raises(ODataError):
            parse_filter(refused)


def test_a_plus_between_tokens_is_a_blank() -> None:
    written = "t+gt+2026-11-18T12:16:10+00:00 and (x+eq+'a+b')"
    assert parse_filter(written) == parse_filter("t gt 2026-11-18T12:16:10+00:00 and (x eq 'a+b')")
    match parse_filter("x eq 'a'and t+gt+2026-11-18T12:16:10Z"):
        case And((Comparison("eq"), Comparison("gt"))):
            pass
        case other:
            pytest.fail(f"parsed as {other}")
    assert parse_order_by("t+desc") == parse_order_by("t desc")


@pytest.mark.parametrize(
    "text",
    [
        "t ge 2024-01-01T00:00:00.0000000Z",
        "t ge 2024-01-01Z",
        "t ge 2024-01-01T00:00:00 00:00",
        "t ge datetime'2024-01-01T00:00:00Z'",
        "t ge datetimeoffset'2024-01-01T00:00:00Z'",
    ],
)
def test_dates(text: str) -> None:
    match parse_filter(text):
        case Comparison("ge", Path(("t",)), DateTime(638_396_640_000_000_000)):
            pass
        case other:
            pytest.fail(f"parsed as {other}")


def test_a_date_is_followed_by_and() -> None:
    assert isinstance(parse_filter("t gt 2024-01-01T00:00:00Z and s eq 'x'"), And)


def test_membership_call_and_lambda() -> None:
    assert isinstance(parse_filter("s in ('a', 'b')"), Membership)
    assert parse_filter("s in ['a', 'b']") == parse_filter("s in ('a', 'b')")
    match parse_filter("startsWith(title,'x')"):
        case Call("startswith", (Path(("title",)), String("x"))):
            pass
        case other:
            pytest.fail(f"parsed as {other}")
    match parse_filter("tags/any(t: t eq 'x')"):
        case CollectionLambda(Path(("tags",)), "any", "t", Comparison("eq", Path(("t",)), String("x"))):
            pass
        case other:
            pytest.fail(f"parsed as {other}")
    match parse_filter("tags/$count gt 1"):
        case Comparison("gt", Path(("tags", "$count")), Number(1)):
            pass
        case other:
            pytest.fail(f"parsed as {other}")


def test_list_items_keep_their_order() -> None:
    match parse_filter("s in ('b','a')"):
        case Membership(_, ListLiteral((String("b"), String("a")))):
            pass
        case other:
            pytest.fail(f"parsed as {other}")


@pytest.mark.parametrize(
    ("text", "position", "found"),
    [
        ("status eq", 9, "the end"),
        ("status eq 'a' status", 14, "status"),
        ("(status eq 'a'", 14, "the end"),
        ("status eq 'a", 10, "'"),
        ("s in 'a'", 5, "'a'"),
        ("status eq #", 10, "#"),
    ],
)
def test_an_error_has_its_place(text: str, position: int, found: str) -> None:
    with pytest.raises(ODataError) as caught:
        parse_filter(text)
    assert caught.value.code == "InvalidFilterSyntax"
    assert caught.value.fields["position"] == position
    assert caught.value.fields["found"] == found


def test_nesting_is_bounded() -> None:
    parse_filter("(" * (MAX_DEPTH - 1) + "a eq 1" + ")" * (MAX_DEPTH - 1))
    with pytest.raises(ODataError, match="FilterTooDeep"):
        parse_filter("(" * 100_0 + "a eq 1" + ")" * 100_0)


def test_order_by() -> None:
    assert parse_order_by("lastUpdateDateTime desc, id") == (
        OrderBy(Path(("lastUpdateDateTime",), 0), descending=True),
        OrderBy(Path(("id",), 25), descending=False),
    )
    with pytest.raises(ODataError):
        parse_order_by("a sideways")


@pytest.mark.parametrize("text", [" or ".join(["a eq 1"] * 501), f"a in ({','.join(['1'] * 502)})"])
def test_too_many_terms(text: str) -> None:
    with pytest.raises(ODataError, match="FilterTooManyTerms"):
        parse_filter(text)
    with pytest.raises(ODataError, match="FilterTooManyTerms"):
        parse_order_by(",".join(["a"] * 501))


def test_a_number_beyond_all_numbers() -> None:
    with pytest.raises(ODataError, match="InvalidLiteral"):
        parse_filter("a eq " + "9" * 5_000)
