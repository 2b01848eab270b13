"""Errors of queries in the words of the real service."""

import pytest

from vedette.api.query_errors import RefusedQueryError, documented_message
from vedette.hunting.catalog import ContractCatalog
from vedette.kql.compile import compile_query
from vedette.kql.errors import KqlError


def message(query: str) -> str:
    with pytest.raises(KqlError) as caught:
        compile_query(query, ContractCatalog(), now=0)
    return documented_message(RefusedQueryError(caught.value.diagnostics, query))


@pytest.mark.parametrize(
    ("query", "operator", "kind", "name"),
    [
        ("X | where FileName == 'a'", "where", "table or column", "X"),
        ("DeviceProcessEvents | project x", "project", "scalar", "x"),
        ("DeviceProcessEvents | summarize count() by X", "summarize", "scalar", "X"),
        ("DeviceProcessEvents\n| where isnotempty(X)\n| take 1", "where", "scalar", "X"),
        ("DeviceProcessEvents | where X == 1", "where", "scalar", "X"),
        ("DeviceProcessEvents | extend a = tostring(strcat(X, 'b'))", "extend", "scalar", "X"),
        ("DeviceProcessEvents | join (NoSuch | take 1) on DeviceId", "take", "table or column", "NoSuch"),
        ("DeviceProcessEvents | join kind=inner (NoSuch) on DeviceId", "join", "table or column", "NoSuch"),
        ("union DeviceEvents, NoSuch | take 1", "union", "table or column", "NoSuch"),
        ("let t = NoSuch | distinct DeviceId; t", "distinct", "table or column", "NoSuch"),
        ("DeviceEvents | where FileName in ((DeviceFileEvents | project Nope))", "project", "scalar", "Nope"),
        ("DeviceEvents | mv-expand Nope", "mv-expand", "scalar", "Nope"),
        ("print Nope", "print", "scalar", "Nope"),
    ],
)
def test_what_cannot_be_resolved(query: str, operator: str, kind: str, name: str) -> None:
    start = (
        f"'{operator}' operator: Failed to resolve {kind} expression named '{name}'. Fix semantic errors in your query."
    )
    assert message(query).startswith(start)
    assert "(line " in message(query)


def test_a_table_alone_has_no_operator() -> None:
    assert message("NoSuch").startswith("Failed to resolve table or column expression named 'NoSuch'. Fix semantic")


@pytest.mark.parametrize("query", ["DeviceEvents |", "DeviceEvents | frobnicate", "DeviceEvents | where (", "| take 1"])
def test_what_cannot_be_read(query: str) -> None:
    said = message(query)
    assert said.startswith("A recognition error occurred. ")
    assert "(line 1, column " in said


def test_what_else_is_wrong_says_what_to_do() -> None:
    said = message("DeviceEvents | summarize nosuch(FileName)")
    assert (said.startswith("A recognition"), "'nosuch'" in said) == (False, True)
