"""Takes out of a query what is broken in it, and no more: of `project a, b = | where …` only `, b =` goes.

The parser leaves out a whole operator that it cannot read; an editor wants to know the columns of the part it can.
"""

import dataclasses

from vedette.kql.diagnostics import Diagnostics
from vedette.kql.lexer import END, Tokens, tokenize
from vedette.kql.parser import parse_tolerant

_OPENERS = {"(": ")", "[": "]", "{": "}"}
_CLOSERS = frozenset(_OPENERS.values())


@dataclasses.dataclass(slots=True)
class _Level:
    """Within one pair of brackets: the token of the last pipe, and of the last comma behind it."""

    pipe: int | None = None
    comma: int | None = None


def repaired(text: str) -> str:
    """The text without the items of operators that hold its errors; what has no such items stays as it is."""
    _, diagnostics = parse_tolerant(text)
    tokens = tokenize(text, Diagnostics(text))
    for each in reversed([each.span.start for each in diagnostics if each.severity == "error"]):
        cut = _broken_item(tokens, each)
        if cut is not None and cut[1] <= len(text):
            text = text[: cut[0]] + text[cut[1] :]
    return text


def _broken_item(tokens: Tokens, offset: int) -> tuple[int, int] | None:
    """From the comma in front of the item at `offset` to the end of its operator; None where no comma is."""
    levels = [_Level()]
    at = 0
    while tokens.kinds[at] != END and tokens.starts[at] < offset:
        kind = tokens.kinds[at]
        if kind in _OPENERS:
            levels.append(_Level())
        elif kind in _CLOSERS and len(levels) > 1:
            levels.pop()
        elif kind in {"|", ";"}:
            levels[-1] = _Level(pipe=at if kind == "|" else None)
        elif kind == ",":
            levels[-1].comma = at
        at += 1
    depth = next((index for index in range(len(levels) - 1, -1, -1) if levels[index].pipe is not None), None)
    if depth is None or (comma := levels[depth].comma) is None:
        return None
    return tokens.starts[comma], tokens.starts[_operator_end(tokens, at, len(levels) - 1 - depth)]


def _operator_end(tokens: Tokens, at: int, open_brackets: int) -> int:
    """The token that ends the operator: a pipe or semicolon of its level, or the bracket that closes the level.

    `open_brackets` are those of the broken item; a pipe ends it though they are not closed.
    """
    depth = open_brackets
    while (kind := tokens.kinds[at]) != END:
        if kind in _OPENERS:
            depth += 1
        elif kind in _CLOSERS:
            depth -= 1
            if depth < 0:
                return at
        elif kind == ";" or (kind == "|" and depth <= open_brackets):
            return at
        at += 1
    return at
