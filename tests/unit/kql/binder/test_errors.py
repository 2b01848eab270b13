"""Everything wrong with a query is reported once, at its place, with what was probably meant."""

import pytest
from tests.unit.kql.binder.analysis import errors


def test_all_errors_of_a_query() -> None:
    found = errors("T\n| where B == 1\n| project nothing, a\n| extend x = strlenn(a)")
    assert [(each.line, each.column, each.code) for each in found] == [
        (2, 9, "KS142"),
        (3, 11, "KS142"),
        (4, 14, "KS211"),
    ]
    assert found[0].hint == "did you mean b?"
    assert found[2].hint == "did you mean strlen?"


def test_one_mistake_is_reported_once() -> None:
    assert len(errors("T | extend x = nothing + 1 | where x > 5 | summarize max(x) by x")) == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Nowhere | take 1", "KS204"),
        ("T | where a", "KS141"),
        ("T | where d > 5", "KS106"),
        ("T | where b has a", "KS106"),
        ("T | where t", "KS141"),
        ("T | project b.x", "KS141"),
        ("T | project x = 1, x = 2", "KS171"),
        ("T | where count() > 1", "KS118"),
        ("T | extend row_number() | sort by row_number()", "VK2001"),
        ("T | summarize a by b", "KS102"),
        ("T | join Other on a", "KS142"),
        ("T | join kind=sideways Other on b", "KS140"),
        ("T | join Other on $left.a == $right.b", "KS205"),
        ("T | evaluate python(typeof(*), 'x')", "VK3003"),
        ("T | evaluate pythonic()", "KS124"),
        ("T | project substring(b)", "KS119"),
        ("T | project hourofday(b)", "KS116"),
        ("T | take b", "KS204"),
        ("cluster('x').database('y').T", "VK3005"),
        ("let x = 1;", "VK2005"),
        ("T | mv-expand b", "KS141"),
        ("union Nothing*", "KS204"),
    ],
)
def test_codes(query: str, code: str) -> None:
    found = errors(query)
    assert (found[0].code if found else "") == code


def test_window_functions_ask_for_an_order() -> None:
    assert errors("T | extend x = prev(a)")
    assert not errors("T | sort by a asc | extend x = prev(a)")
    assert not errors("T | serialize x = row_number()")
    assert errors("T | sort by a | summarize count() by b | extend x = prev(b)")


def test_time_of_ingestion_is_lost_in_groups() -> None:
    assert [each.code for each in errors("T | summarize count() by b | where ingestion_time() > ago(1h)")] == ["VK2006"]


def test_what_doubles_with_every_statement_ends() -> None:
    doubling = "".join(f"let x{n} = x{n - 1} + x{n - 1};" for n in range(1, 60))
    assert "VK2007" in [each.code for each in errors(f"let x0 = strlen('a'); {doubling} print x59")]
    functions = "".join(f"let f{n} = () {{ f{n - 1}() + f{n - 1}() }};" for n in range(1, 30))
    assert "VK2007" in [each.code for each in errors(f"let f0 = () {{ 1 }}; {functions} print f29()")]
