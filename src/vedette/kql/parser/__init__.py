"""Query text to syntax tree: the entry points of the parser."""

from vedette.kql import syntax
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.errors import Diagnostic, Span
from vedette.kql.lexer import tokenize
from vedette.kql.parser.cursor import ParseFailure
from vedette.kql.parser.statements import StatementParser

MAX_TEXT_LENGTH = 2_000_000


def parse(text: str) -> syntax.Query:
    """The syntax tree of a query text.

    Raises `KqlError` with every error found.
    """
    query, diagnostics = _parse(text)
    diagnostics.raise_errors()
    return query


def parse_tolerant(text: str) -> tuple[syntax.Query, tuple[Diagnostic, ...]]:
    """What can be understood of a text, and what is wrong with it: broken operators and statements are left out."""
    query, diagnostics = _parse(text)
    return query, diagnostics.found()


def parse_function(text: str) -> syntax.FunctionDeclaration:
    """The declaration of a stored function: `(parameters) { body }`.

    Raises `KqlError` with every error found.
    """
    diagnostics = Diagnostics(text)
    parser = StatementParser(tokenize(text, diagnostics), diagnostics)
    try:
        declaration = parser.function_declaration()
        if parser.kinds[parser.index] != "END":
            parser.fail("unfinished", found=parser.found())
    except ParseFailure:
        diagnostics.raise_errors()
        raise AssertionError("a failure was not reported") from None
    diagnostics.raise_errors()
    return declaration


def _parse(text: str) -> tuple[syntax.Query, Diagnostics]:
    diagnostics = Diagnostics(text)
    if len(text) > MAX_TEXT_LENGTH:
        diagnostics.report("text_too_long", Span(0, 0), length=len(text), limit=MAX_TEXT_LENGTH)
        return syntax.Query(Span(0, 0), ()), diagnostics
    query = StatementParser(tokenize(text, diagnostics), diagnostics).query()
    if not query.statements and not diagnostics:
        diagnostics.report("empty_query", Span(0, 0))
    return query, diagnostics
