"""Values of string literals: quoted, verbatim (`@`), multi-line (triple back-ticks or tildes), obfuscated (`h`)."""

import re

from vedette.kql.diagnostics import Diagnostics
from vedette.kql.errors import Span

_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}
_ESCAPE = re.compile(
    r"\\(?:(?P<simple>[abfnrtv\\'\"])|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|x(?P<byte>[0-9a-fA-F]{2})"
    r"|(?P<octal>[0-7]{1,3})|(?P<bad>.|\Z))"
)
_HINT = "write \\\\ for a backslash, or a verbatim string @"


def is_hidden(literal: str) -> bool:
    """Whether it is an obfuscated literal."""
    return literal[0] in "hH"


def decode_string(literal: str, start: int, diagnostics: Diagnostics) -> str:
    """Value of one string token that begins at `start`; wrong escapes are reported."""
    body = literal[1:] if is_hidden(literal) else literal
    offset = start + len(literal) - len(body)
    if body[:3] in {"```", "~~~"}:
        return body[3:].removesuffix(body[:3])
    if body[0] == "@":
        quote = body[1]
        return body[2:].removesuffix(quote).replace(quote * 2, quote)
    inner = body[1:]
    if inner.endswith(body[0]):
        inner = inner[:-1]
    if "\\" not in inner:
        return inner
    return _ESCAPE.sub(lambda match: _unescape(match, offset + 1, diagnostics, body[0]), inner)


def _unescape(match: re.Match[str], base: int, diagnostics: Diagnostics, quote: str) -> str:
    kind, text = match.lastgroup, match[match.lastgroup or 0]
    if kind == "simple":
        return _SIMPLE[text]
    if kind in {"short", "long", "byte"}:
        code = int(text, 16)
        if code <= 0x10FFFF:
            return chr(code)
    elif kind == "octal":
        return chr(int(text, 8))
    span = Span(base + match.start(), match.end() - match.start())
    diagnostics.report("invalid_escape", span, text=match[0], hint=f"{_HINT}{quote}…{quote}")
    return match[0]
