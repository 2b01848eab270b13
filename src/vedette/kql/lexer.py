"""Splits query text into tokens: one compiled expression, one pass, no backtracking into what was read.

A token's kind is its own text for keywords and punctuation, else one of the capitalised kinds below. Text that is no
token at all is reported and left out, so that the parser can go on behind it.
"""

import dataclasses
import re

from vedette.kql.diagnostics import Diagnostics
from vedette.kql.errors import Span
from vedette.kql.keywords import KEYWORDS, MARKED_OPERATORS

NAME = "NAME"
STRING = "STRING"
INTEGER = "INTEGER"
REAL = "REAL"
TIMESPAN = "TIMESPAN"
BOOLEAN = "BOOLEAN"
TYPED = "TYPED"  # a type name with its value in parentheses, such as datetime(2020-01-01), without inner structure
GUID = "GUID"  # a guid that stands bare
END = "END"

_HYPHENATED = sorted((word for word in KEYWORDS if "-" in word), key=len, reverse=True)
_UNITS = (
    "microseconds|microsecond|milliseconds|millisecond|nanoseconds|nanosecond|minutes|minute|seconds|second|micros|micro"
    "|millis|milli|nanos|nano|ticks|tick|hours|hour|days|day|msec|usec|hrs|min|sec|hr|ms|d|h|m|s"
)

_TOKEN = re.compile(
    rf"""
    (?:\s++|//[^\n]*+|(?<![^\n])\#[^\n]*+)*+
    (?:
      (?P<TYPED>(?:bool|datetime|date|decimal|double|guid|int32|int64|int|long|real|timespan|time)
        \([ \t\r\n]*+(?:"[^"\n]*+"[ \t\r\n]*+|'[^'\n]*+'[ \t\r\n]*+|[^)"'\n]*+\s*+)\))
     |(?P<STRING>[hH]?+(?:"(?:[^"\\\r\n]++|\\.)*+"|'(?:[^'\\\r\n]++|\\.)*+'|@"(?:[^"]++|"")*+"|@'(?:[^']++|'')*+'
        |```(?s:.*?)```|~~~(?s:.*?)~~~))
     |(?P<GUID>[0-9a-fA-F]{{8}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{12}}(?![A-Za-z0-9_]))
     |(?P<WORD>(?:{"|".join(_HYPHENATED)})(?![A-Za-z0-9_])|(?:in~)|[A-Za-z_][A-Za-z0-9_]*+|\$[A-Za-z0-9_]*+)
     |(?P<TIMESPAN>[0-9]++(?:\.[0-9]++)?+(?:{_UNITS})(?![A-Za-z0-9_]))
     |(?P<REAL>[0-9]++(?:\.(?:[0-9]++(?:[eE][+-]?+[0-9]++)?+|[eE][+-]?+[0-9]++|(?!\.))|[eE][+-]?+[0-9]++)
        (?![A-Za-z0-9_]))
     |(?P<INTEGER>(?:0[xX][0-9a-fA-F]++|[0-9]++)(?![A-Za-z0-9_]))
     |(?P<DIGITNAME>[0-9][A-Za-z0-9_]*+)
     |(?P<PUNCTUATION>{"|".join(MARKED_OPERATORS)}|[<>=!]=|=~|!~|<>|=>|\.\.|[-+*/%<>=.,;:|()\[\]{{}}?@])
     |(?P<UNCLOSED>[hH]?+(?:```|~~~)(?s:.*)|[hH]?+@"(?s:.*)|[hH]?+@'(?s:.*)|[hH]?+["'].*+)
     |(?P<BAD>&&|.)
     |(?P<END>\Z)
    )
    """,
    re.VERBOSE,
)

_HINTS = {
    "“": 'use a straight quote "',
    "”": 'use a straight quote "',
    "„": 'use a straight quote "',
    "‘": "use a straight quote '",
    "’": "use a straight quote '",
    "&&": "write and",
    "!": "write not(…) or !=",
    "\\": "a backslash can only stand in a string",
    "#": "a comment begins with //",
}
_ASCII_NAME_HINT = "names have the letters a to z; write any other name as ['…']"


_KEYWORD_KINDS = {word: word for word in (*KEYWORDS, "in~")}
_KEYWORD_KINDS |= dict.fromkeys(("true", "false", "True", "False", "TRUE", "FALSE"), BOOLEAN)


@dataclasses.dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a text in parallel lists. The last two are of kind END, so that there is always one to look at."""

    text: str
    kinds: list[str]
    starts: list[int]
    ends: list[int]


def tokenize(text: str, diagnostics: Diagnostics) -> Tokens:
    """All tokens of `text`. What is none goes to `diagnostics`."""
    kinds: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    keywords = _KEYWORD_KINDS
    for match in _TOKEN.finditer(text):
        group = match.lastgroup
        assert group is not None
        start, end = match.span(group)
        if group == "WORD":
            word = text[start:end]
            kind = keywords.get(word, NAME)
        elif group == "PUNCTUATION":
            kind = text[start:end]
        elif group == "BAD":
            _report_bad(text, start, end, diagnostics)
            continue
        elif group == "UNCLOSED":
            _report_unclosed(text, start, end, diagnostics)
            kind = STRING
        else:
            kind = NAME if group == "DIGITNAME" else group
        kinds.append(kind)
        starts.append(start)
        ends.append(end)
        if kind == END:
            break
    kinds.append(END)
    starts.append(len(text))
    ends.append(len(text))
    return Tokens(text, kinds, starts, ends)


def _report_bad(text: str, start: int, end: int, diagnostics: Diagnostics) -> None:
    bad = text[start:end]
    hint = _HINTS.get(bad) or (_ASCII_NAME_HINT if bad.isalpha() else None)
    diagnostics.report("unexpected_text", Span(start, end - start), hint=hint, text=bad)


def _report_unclosed(text: str, start: int, end: int, diagnostics: Diagnostics) -> None:
    body = text[start:end].lstrip("hH@")
    quote = body[:3] if body[:3] in {"```", "~~~"} else body[0]
    hint = None
    if "\\" in body and len(quote) == 1:
        hint = f"a backslash before the closing quote escapes it: write \\\\ or a verbatim string @{quote}…{quote}"
    diagnostics.report("unterminated_string", Span(start, end - start), hint=hint, text=quote)
