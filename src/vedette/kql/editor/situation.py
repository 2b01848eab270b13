"""Where a position of an unfinished query stands: which operator, in which pipeline, at the beginning of what word.

Decided on tokens alone, since a query in the making has no tree where the cursor is.
"""

import dataclasses
import enum

from vedette.kql.diagnostics import Diagnostics
from vedette.kql.errors import Span
from vedette.kql.lexer import NAME, STRING, Tokens, tokenize
from vedette.kql.parser.cursor import WORDS

_OPENERS = frozenset(["(", "[", "{"])
_CLOSERS = frozenset([")", "]", "}"])
_TABLE_OPERATORS = frozenset(["join", "lookup", "union"])
_TABLE_CALLS = frozenset(["toscalar", "totable", "materialize"])
_SUBQUERY_OPERATORS = frozenset(["mv-apply", "partition", "fork", "facet"])


class Place(enum.Enum):
    """What can be written at a position."""

    NOTHING = "inside a string or a comment, or a new name"
    SOURCE = "a table, or an operator that begins a query"
    OPERATOR = "an operator, behind a pipe"
    OPERAND = "an expression, within an operator"
    MEMBER = "a part of the value before the dot"


@dataclasses.dataclass(frozen=True, slots=True)
class Situation:
    """`word` is what is already written of the word at the position. `operator` is the keyword of the operator.

    `pipeline` is a query whose result columns are the ones in reach, empty where there are none; `variables` are the
    names of the let statements before the position.
    """

    place: Place
    word: Span
    operator: str | None
    pipeline: str
    variables: tuple[str, ...]
    path: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class _Level:
    """The tokens between an unclosed bracket (or the beginning) and the position: indices of its marks."""

    opener: int
    statement: int
    first_pipe: int | None
    last_pipe: int | None


def situation_at(text: str, position: int) -> Situation:
    """The situation at a position from 0 to the length of the text."""
    before = text[:position]
    tokens = tokenize(before, Diagnostics(before))
    count = len(tokens.kinds) - 2
    word = Span(position, 0)
    if count and tokens.ends[count - 1] == position and tokens.kinds[count - 1] in WORDS:
        count -= 1
        word = Span(tokens.starts[count], position - tokens.starts[count])
    variables = _variables(tokens, count)
    nothing = Situation(Place.NOTHING, word, None, "", variables)
    return nothing if _in_text_or_comment(before, tokens, count, word) else _situation(tokens, count, nothing)


def _in_text_or_comment(before: str, tokens: Tokens, count: int, word: Span) -> bool:
    if count and tokens.ends[count - 1] == len(before) and tokens.kinds[count - 1] == STRING:
        return True
    gap = before[tokens.ends[count - 1] if count else 0 : word.start]
    return "//" in gap.rpartition("\n")[2]


def _variables(tokens: Tokens, count: int) -> tuple[str, ...]:
    kinds = tokens.kinds
    return tuple(
        tokens.text[tokens.starts[at + 1] : tokens.ends[at + 1]]
        for at in range(count - 2)
        if kinds[at] == "let" and kinds[at + 2] == "=" and kinds[at + 1] in WORDS
    )


def _levels(tokens: Tokens, count: int) -> list[_Level]:
    """Levels of brackets that are open at `count`, the innermost last."""
    levels = [_Level(-1, 0, None, None)]
    for at in range(count):
        kind = tokens.kinds[at]
        if kind in _OPENERS:
            levels.append(_Level(at, at + 1, None, None))
        elif kind in _CLOSERS and len(levels) > 1:
            levels.pop()
        elif kind == ";":
            levels[-1] = _Level(levels[-1].opener, at + 1, None, None)
        elif kind == "|":
            level = levels[-1]
            levels[-1] = dataclasses.replace(level, first_pipe=level.first_pipe or at, last_pipe=at)
    return levels


def _situation(tokens: Tokens, count: int, nothing: Situation) -> Situation:
    """The situation behind the first `count` tokens; `nothing` has what holds in any case."""
    levels = _levels(tokens, count)
    declarations = tokens.text[: tokens.starts[levels[0].statement]]
    while True:
        level = levels.pop()
        begin = _pipeline_begin(tokens, level.statement)
        if level.last_pipe is not None:
            pipeline = declarations + tokens.text[tokens.starts[begin] : tokens.starts[level.last_pipe]]
            operator = tokens.kinds[level.last_pipe + 1] if level.last_pipe + 1 < count else None
            return _in_operator(tokens, count, dataclasses.replace(nothing, operator=operator, pipeline=pipeline))
        if not levels or _begins_query(tokens, level.opener, levels[-1]):
            if begin >= count:
                return dataclasses.replace(nothing, place=Place.SOURCE)
            return _in_operator(tokens, count, dataclasses.replace(nothing, operator=tokens.kinds[begin]))


def _pipeline_begin(tokens: Tokens, statement: int) -> int:
    """Index behind `let name =` if the statement begins so."""
    is_let = tokens.kinds[statement] == "let" and tokens.kinds[statement + 1 : statement + 3][-1:] == ["="]
    return statement + 3 if is_let else statement


def _begins_query(tokens: Tokens, opener: int, outer: _Level) -> bool:
    """Whether the bracket at `opener` encloses a query of its own, not operands."""
    if tokens.kinds[opener] == "{":
        return True
    previous = tokens.kinds[opener - 1] if opener else None
    if previous in _TABLE_CALLS or previous in {None, ";"}:
        return True
    if outer.last_pipe is None:
        return previous == "=" or tokens.kinds[outer.statement] == "union"
    operator = tokens.kinds[outer.last_pipe + 1]
    return operator in _TABLE_OPERATORS and "on" not in tokens.kinds[outer.last_pipe : opener]


def _in_operator(tokens: Tokens, count: int, known: Situation) -> Situation:
    """The place within the operator of `known`, from the token before the position."""
    last = tokens.kinds[count - 1]
    operator = known.operator
    path = None
    place = Place.OPERAND
    if last == ".":
        place = Place.MEMBER
        path = tokens.text[tokens.starts[count - 2] : tokens.ends[count - 2]] if count > 1 else None
    elif operator is None or (operator in _SUBQUERY_OPERATORS and last == "("):
        place, operator = Place.OPERATOR, None
    elif operator in _TABLE_OPERATORS and last in {operator, NAME, ",", "("} and "on" not in _since(tokens, count):
        place = Place.SOURCE
    elif operator == "let" and last == "let":
        place = Place.NOTHING
    return dataclasses.replace(known, place=place, operator=operator, path=path)


def _since(tokens: Tokens, count: int) -> list[str]:
    """Kinds of the tokens since the last pipe."""
    kinds = tokens.kinds[:count]
    return kinds[len(kinds) - kinds[::-1].index("|") :] if "|" in kinds else kinds
