import pytest

from vedette.kql.diagnostics import Diagnostics
from vedette.kql.lexer import END, tokenize


def kinds(text: str) -> list[str]:
    tokens = tokenize(text, Diagnostics(text))
    assert tokens.kinds[-2:] == [END, END]
    return tokens.kinds[:-2]


def words(text: str) -> list[str]:
    tokens = tokenize(text, Diagnostics(text))
    return [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)][:-2]


@pytest.mark.parametrize("unit", ["d", "day", "h", "hrs", "m", "min", "s", "sec", "ms", "microsecond", "tick", "ticks"])
def test_digits_with_a_unit_are_a_timespan(unit: str) -> None:
    assert kinds(f"2{unit} 1.5{unit}") == ["TIMESPAN", "TIMESPAN"]


@pytest.mark.parametrize("name", ["3rdPartyApp", "1_a", "2w", "1day2", "12e3x", "0xZZ", "1e"])
def test_names_may_begin_with_digits(name: str) -> None:
    assert kinds(name) == ["NAME"]


@pytest.mark.parametrize("number", ["1e5", "1.5e-3", "1.", "1.e5", "0.0", "1E+3"])
def test_real_numbers(number: str) -> None:
    assert kinds(number) == ["REAL"]


@pytest.mark.parametrize("number", ["0", "01", "0x1F", "9223372036854775807"])
def test_integers(number: str) -> None:
    assert kinds(number) == ["INTEGER"]


def test_a_range_is_not_a_real_number() -> None:
    assert words("1..2") == ["1", "..", "2"]
    assert words("1d..2d") == ["1d", "..", "2d"]


@pytest.mark.parametrize(
    "literal",
    ['"a"', "'a'", 'h"a"', "H'a'", '@"a\\"', '@"a""b"', "h@'it''s'", '"a\\"b"', '```a\n"b```', "~~~a~~~", '@"a\nb"'],
)
def test_string_literals_are_one_token(literal: str) -> None:
    assert words(f"print {literal}, 1") == ["print", literal, ",", "1"]
    assert kinds(literal) == ["STRING"]


@pytest.mark.parametrize(
    "literal",
    ["datetime(2020-01-01)", "date(null)", "timespan( 1d )", "long(-1)", "real(+inf)", "bool('x')", "time('1d')"],
)
def test_a_type_name_with_its_text_is_one_token(literal: str) -> None:
    assert kinds(literal) == ["TYPED"]


def test_a_type_name_away_from_its_parenthesis_is_a_keyword() -> None:
    assert kinds("long (1)") == ["long", "(", "INTEGER", ")"]
    assert kinds("tolong(1)") == ["NAME", "(", "INTEGER", ")"]


def test_hyphenated_keywords_and_marked_operators() -> None:
    assert kinds("project-away mv-expand top-nested a-b") == [
        "project-away",
        "mv-expand",
        "top-nested",
        "NAME",
        "-",
        "NAME",
    ]
    assert kinds("!in~ in~ !has_cs !between !contains") == ["!in~", "in~", "!has_cs", "!between", "!contains"]


def test_comments_directives_and_space_leave_no_tokens() -> None:
    assert words("#connect x\nT // | take 1\n\u00a0| take 2") == ["T", "|", "take", "2"]


def test_keywords_are_case_sensitive() -> None:
    assert kinds("where Where WHERE true True tRue") == ["where", "NAME", "NAME", "BOOLEAN", "BOOLEAN", "NAME"]


def test_a_bare_guid_is_one_token() -> None:
    assert kinds("74be27de-1e4e-49d9-b579-fe0b331d3642") == ["GUID"]


@pytest.mark.parametrize(("text", "hint"), [("a && b", "write and"), ("“a”", 'use a straight quote "'), ("é", None)])
def test_what_is_no_token_is_reported_and_left_out(text: str, hint: str | None) -> None:
    diagnostics = Diagnostics(text)
    tokenize(text, diagnostics)
    first = diagnostics.found()[0]
    assert first.code == "KS002"
    assert first.hint == hint or hint is None
    assert text[first.span.start : first.span.end] in first.message


def test_an_unclosed_string_ends_with_its_line() -> None:
    text = 'T | where a == "C:\\"\n| take 1'
    diagnostics = Diagnostics(text)
    tokens = tokenize(text, diagnostics)
    (found,) = diagnostics.found()
    assert (found.code, found.line, found.column) == ("KS001", 1, 16)
    assert found.hint is not None
    assert tokens.kinds[-5:] == ["|", "take", "INTEGER", END, END]
