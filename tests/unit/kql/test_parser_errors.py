"""What the parser says: code, place and hint, for slips that published queries make."""

import pytest

from vedette.kql.diagnostics import Diagnostics, diagnostic_facts, position
from vedette.kql.errors import KqlError, Span
from vedette.kql.parser import parse, parse_tolerant


@pytest.mark.parametrize(
    ("text", "code", "column", "hint"),
    [
        ("T | wher x == 1", "KS176", 5, "did you mean where?"),
        ("T | WHERE x == 1", "KS176", 5, "did you mean where?"),
        ("T | where x == 1 |", "KS176", 19, None),
        ("T | where x == 1 AND y", "KS005", 18, "write and in lower case"),
        ("T | where f(x) = 1", "KS005", 16, "write == to compare"),
        ("T where x", "KS005", 3, "put a | before where"),
        ("| where x", "KS006", 1, "a query begins with the name of a table"),
        ("where x == 1", "KS174", 1, None),
        ("T | where (x == 1", "KS005", 18, None),
        ("T | where x == 1)", "KS198", 17, None),
        ("T | extend date = 1", "KS006", 12, "write ['date'] to use it as a name"),
        ("T | project a, , b", "KS006", 16, None),
        ("T | where x == 'a\\d'", "KS002", 18, "write \\\\ for a backslash, or a verbatim string @'…'"),
        ("T | join kinf=inner (U) on a", "KS179", 10, None),
        ("T | lookup U", "KS006", 13, None),
        ("T | sort by a nulls", "KS006", 20, None),
        ("datatable (a: strin) []", "KS160", 15, None),
        (".show tables", "VK1002", 1, "only queries can be run here"),
        ("let a = 1\nlet b = 2; T", "KS005", 10, "a statement ends with ;"),
        ("T | where x || y", "KS176", 14, "write or"),
        ("print 74be27de-1e4e-49d9-b579-fe0b331d3642", "KS214", 7, None),
        ("G | graph-match (a)-[e]->", "KS239", 26, None),
        ("T | where a in (['b', 'c'])", "KS005", 21, "brackets hold a name; a list of values is written dynamic([…])"),
        ("print 1;;", "KS198", 9, "leave out this ;"),
        (";print 1", "KS198", 1, "leave out this ;"),
        ("print dynamic({'a' 'b': 1})", "KS005", 20, None),
    ],
)
def test_the_first_error_of_a_query(text: str, code: str, column: int, hint: str | None) -> None:
    with pytest.raises(KqlError) as caught:
        parse(text)
    first = caught.value.diagnostics[0]
    assert (first.code, first.column) == (code, column)
    assert hint is None or first.hint == hint


def test_a_warning_does_not_refuse_a_query() -> None:
    text = "T | where isAudit = true"
    parse(text)
    _, (warning,) = parse_tolerant(text)
    assert (warning.code, warning.severity) == ("VK1003", "warning")


def test_the_error_names_its_place() -> None:
    with pytest.raises(KqlError, match=r"line 2, column 3"):
        parse("T\n| bogus 1")


def test_every_record_has_a_code_and_a_sentence() -> None:
    for name, fact in diagnostic_facts().items():
        assert fact.code[:2] in {"KS", "VK"}, name
        assert not fact.message.endswith("."), name
        assert fact.severity in {"error", "warning"}, name


def test_positions_count_from_one() -> None:
    assert position("ab\ncd", 0) == (1, 1)
    assert position("ab\ncd", 3) == (2, 1)
    assert position("ab\ncd", 5) == (2, 3)


def test_the_same_diagnostic_is_told_once_and_in_order() -> None:
    diagnostics = Diagnostics("abc")
    for start in (2, 0, 2):
        diagnostics.report("unfinished", Span(start, 1), found="x")
    assert [each.span.start for each in diagnostics.found()] == [0, 2]
