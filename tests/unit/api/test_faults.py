"""Errors and their answers: every code that is raised anywhere has its words on every surface."""

import re
import string
from pathlib import Path

import pytest

import vedette
from vedette.api.faults import FaultContext, is_expected, render_fault
from vedette.contracts.faults import load_faults
from vedette.errors import ApiError, ContractError, NotFoundError
from vedette.identity.errors import RevokedTokenError, TokenError
from vedette.kql.errors import Diagnostic, KqlError, Span

PACKAGE = Path(vedette.__file__).parent
RAISED = re.compile(r'(?:[A-Z]\w*Error)\(\s*"([A-Z][A-Za-z]+)"((?:,\s*\w+=[^()]*(?:\([^()]*\)[^()]*)*)?)\)')
CLASS_CODES = re.compile(r'^    code = "([A-Z][A-Za-z]+)"$', re.MULTILINE)
ROOMS = ("api", "odata", "hunting", "incidents", "errors.py")


def sources() -> list[str]:
    files = [
        path
        for room in ROOMS
        for path in ([PACKAGE / room] if room.endswith(".py") else (PACKAGE / room).rglob("*.py"))
    ]
    return [path.read_text() for path in files if "login" not in path.parts]


def context(surface: str) -> FaultContext:
    return FaultContext(surface, "r-1", "c-1", 1_763_899_200.0, "https://localhost")


@pytest.mark.parametrize("surface", ["graph", "defender", "ingest"])
def test_every_code_has_its_words(surface: str) -> None:
    codes = {match[1] for text in sources() for match in RAISED.finditer(text)}
    codes |= {code for text in sources() for code in CLASS_CODES.findall(text)}
    assert len(codes) > 30
    assert codes <= set(load_faults(surface))


@pytest.mark.parametrize("surface", ["graph", "defender", "ingest"])
def test_every_raise_gives_the_fields_of_its_words(surface: str) -> None:
    faults = load_faults(surface)
    checked = 0
    for text in sources():
        for code, arguments in RAISED.findall(text):
            given = set(re.findall(r"(\w+)=", arguments))
            fault = faults[code]
            templates = (fault.message, *fault.headers.values())
            wanted = {name for template in templates for _, name, _, _ in string.Formatter().parse(template) if name}
            assert wanted <= given, f"{code}: {wanted - given}"
            checked += 1
    assert checked > 30


def test_a_language_error_has_its_place_on_graph() -> None:
    diagnostics = (
        Diagnostic("KS142", "The name 'X' does not refer to any known column.", Span(18, 1), 2, 9, None),
        Diagnostic("KS005", "Expected ')'", Span(30, 1), 3, 1, "Close the parenthesis."),
    )
    answer = render_fault(KqlError(diagnostics), context("graph"))
    assert answer.status == 400
    body = answer.body.decode()
    assert '"code":"BadRequest"' in body
    assert "does not refer to any known column (line 2, column 9)." in body
    assert '{"code":"KS005","message":"Expected \')\'","target":"3:1"}' in body


def test_a_language_error_has_its_place_on_defender() -> None:
    error = KqlError((Diagnostic("KS005", "Expected ')', found the end", Span(30, 1), 3, 1, "Close it."),))
    answer = render_fault(error, context("defender"))
    assert answer.status == 400
    assert answer.body == (
        b'{"error":{"code":"BadRequest","message":"Expected \')\', found the end (line 3, column 1). Close it.",'
        b'"target":"r-1"}}'
    )


def test_fields_are_not_templates() -> None:
    answer = render_fault(NotFoundError(resource="{incident_id} {0} {x.__class__}"), context("defender"))
    assert b"{incident_id} {0} {x.__class__}" in answer.body


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotFoundError(), True),
        (RevokedTokenError(), True),
        (TokenError(), True),
        (ApiError("QueryFailed", incident_id="x"), False),
        (ApiError(), False),
        (ContractError("x"), False),
        (ValueError(), False),
    ],
)
def test_what_is_a_defect(error: Exception, expected: bool) -> None:
    assert is_expected(error) is expected


@pytest.mark.parametrize("surface", ["graph", "defender", "ingest", ""])
def test_a_code_without_words_is_an_internal_error(surface: str) -> None:
    answer = render_fault(ApiError("NoSuchCode"), context(surface))
    assert answer.status == 500
    assert b"NoSuchCode" not in answer.body
