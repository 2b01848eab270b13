"""Tokens of `$filter` and `$orderby` text.

A plus sign between tokens is a blank: some clients write `alertCreationTime+gt+…` and encode that once more.
"""

import dataclasses
import re
from typing import Literal

from vedette.odata.dates import DATE_TIME
from vedette.odata.errors import ODataError

TokenKind = Literal[
    "word", "string", "quoted", "typed", "number", "datetime", "guid", "(", ")", "[", "]", ",", "/", ":", "end"
]
"""`string`: as OData quotes it; `quoted`: as JSON does, which lists of `in` may hold."""

_TOKEN = re.compile(
    rf"""
      (?P<blank>[\s+]+)
    | (?P<guid>[0-9A-Fa-f]{{8}}(?:-[0-9A-Fa-f]{{4}}){{3}}-[0-9A-Fa-f]{{12}}\b)
    | (?P<datetime>{DATE_TIME}\b)
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)
    | (?P<typed>[A-Za-z_][\w.]*'(?:[^']|'')*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"\\]|\\.)*")
    | (?P<word>[$@]?[A-Za-z_][\w.]*)
    | (?P<punctuation>[()\[\],/:])
    """,
    re.VERBOSE,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Token:
    """One token; `text` as written, `position` its offset."""

    kind: TokenKind
    text: str
    position: int


def tokenize(text: str) -> list[Token]:
    """All tokens of `text`, closed by one of kind `end`. Raises ODataError at a character that starts none."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ODataError("InvalidFilterSyntax", position=position, found=text[position], expected="an expression")
        kind = match.lastgroup
        if kind == "punctuation":
            kind = match.group()
        if kind != "blank":
            tokens.append(Token(kind, match.group(), position))  # type: ignore[arg-type]  # groups are the kinds
        position = match.end()
    tokens.append(Token("end", "", len(text)))
    return tokens
