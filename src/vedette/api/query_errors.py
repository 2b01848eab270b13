"""Errors of hunting queries in the words that the real service is documented with, which clients look for.

Where a name cannot be resolved the service names the operator in which it stands (MicrosoftDocs/defender-docs
defender-xdr/advanced-hunting-errors.md); for the rest of what a query can get wrong only the closing words are known.
"""

import re

from vedette.kql.diagnostics import Diagnostics
from vedette.kql.errors import Diagnostic, KqlError
from vedette.kql.lexer import END, Tokens, tokenize
from vedette.kql.parser import parse

SYNTAX = "A recognition error occurred. "
FIX_SYNTAX, FIX_SEMANTICS = "Fix syntax errors in your query.", "Fix semantic errors in your query."
_NAME = re.compile(r"The name '(.+)' does not refer to any known .+")
_UNRESOLVED = {"KS142": "scalar", "KS204": "table or column"}
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


class RefusedQueryError(KqlError):
    """A KqlError with the query that it is about."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], query: str) -> None:
        super().__init__(diagnostics)
        self.query = query


def documented_message(error: RefusedQueryError) -> str:
    """What the first diagnostic of a query says, its place behind."""
    first = error.diagnostics[0]
    place, hint = f"(line {first.line}, column {first.column})", _sentence(first.hint)
    if not _parses(error.query):
        return f"{SYNTAX}{first.message.rstrip('.')} {place}. {hint or FIX_SYNTAX}"
    kind, match = _UNRESOLVED.get(first.code), _NAME.fullmatch(first.message.rstrip("."))
    if kind is None or match is None:
        return plain_message(first)
    operator = operator_around(error.query, first.span.start, is_table=kind != "scalar")
    kind = "scalar" if operator == "print" else kind  # it takes no table
    said = f"Failed to resolve {kind} expression named '{match[1]}'. {FIX_SEMANTICS} {place}"
    return f"'{operator}' operator: {said}{hint and ' ' + hint}" if operator else f"{said}{hint and ' ' + hint}"


def plain_message(diagnostic: Diagnostic) -> str:
    """What a diagnostic says by itself, its place, and what to do."""
    place = f"(line {diagnostic.line}, column {diagnostic.column})"
    return f"{diagnostic.message.rstrip('.')} {place}. {_sentence(diagnostic.hint) or FIX_SEMANTICS}"


def operator_around(query: str, offset: int, *, is_table: bool) -> str | None:
    """The operator in which a name stands; of a table, at the head of a pipe, the one that takes it in."""
    tokens = tokenize(query, Diagnostics(query))
    at = next((index for index, start in enumerate(tokens.starts) if start >= offset), len(tokens.kinds) - 1)
    first, piped = _beginning(tokens, at, through_brackets=not is_table)
    if piped or first < at:
        return _text(tokens, first)
    following = _next_pipe(tokens, at)
    if following is not None:
        return _text(tokens, following + 1)
    outer, piped = _beginning(tokens, at, through_brackets=True)
    return _text(tokens, outer) if piped else None


def _beginning(tokens: Tokens, at: int, *, through_brackets: bool) -> tuple[int, bool]:
    """The first token of the operator that a token is in, and whether a pipe stands before it."""
    depth = 0
    for index in range(at - 1, -1, -1):
        kind = tokens.kinds[index]
        if kind in _CLOSING:
            depth += 1
        elif kind in _OPENING:
            if depth == 0 and not through_brackets:
                return index + 1, False
            depth = max(0, depth - 1)
        elif depth == 0 and kind == "|":
            return index + 1, True
        elif depth == 0 and (kind == ";" or (kind == "=" and not through_brackets)):
            return index + 1, False
    return 0, False


def _next_pipe(tokens: Tokens, at: int) -> int | None:
    """The pipe behind a token, on its own level."""
    depth = 0
    for index in range(at + 1, len(tokens.kinds)):
        kind = tokens.kinds[index]
        if kind in _OPENING:
            depth += 1
        elif kind in _CLOSING or kind in (";", END):
            if depth == 0:
                return None
            depth -= 1
        elif depth == 0 and kind == "|":
            return index
    return None


def _text(tokens: Tokens, index: int) -> str:
    return tokens.text[tokens.starts[index] : tokens.ends[index]]


def _parses(query: str) -> bool:
    try:
        parse(query)
    except KqlError:
        return False
    return True


def _sentence(text: str | None) -> str:
    """A hint as a sentence; nothing if there is none."""
    if not text:
        return ""
    closed = text if text.endswith((".", "?", "!")) else f"{text}."
    return closed[:1].upper() + closed[1:]
