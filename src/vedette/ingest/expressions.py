"""The expression language of mapping rules: text to a small syntax tree. What the functions mean is in `vocabulary`.

A name before `(` is a function, any other name a field. In a string a backslash is literal, except that two are one.
"""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from vedette.ingest.errors import RuleError


class Field(NamedTuple):
    """The value of an event's field."""

    name: str


class Text(NamedTuple):
    """A string literal."""

    value: str


class Number(NamedTuple):
    """An integer literal."""

    value: int


class Null(NamedTuple):
    """The literal `None`."""


class Call(NamedTuple):
    """A function call; `and`, `or`, `not` are calls of these names."""

    function: str
    arguments: "tuple[Expression, ...]" = ()
    named: "tuple[tuple[str, Expression], ...]" = ()


Expression: TypeAlias = Field | Text | Number | Null | Call

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']*)'|"(?:[^"]*)")
    | (?P<number>\d+)
    | (?P<name>[A-Za-z_@][\w@]*)
    | (?P<mark>[(),=])
    )""",
    re.VERBOSE,
)
_KEYWORDS = frozenset({"and", "or", "not", "None"})


class _Token(NamedTuple):
    kind: str
    value: str


def parse_expression(text: str, where: str) -> Expression:
    """The syntax tree of `text`. Raises RuleError, saying `where` it stands."""
    parser = _Parser(_tokens(text, where), where)
    expression = parser.disjunction()
    parser.expect_end()
    return expression


def fields_of(expression: Expression) -> frozenset[str]:
    """Names of all fields that `expression` reads. `field('a name')` reads one whose name is no word."""
    if isinstance(expression, Field):
        return frozenset({expression.name})
    if not isinstance(expression, Call):
        return frozenset()
    if expression.function == "field" and len(expression.arguments) == 1:
        (name,) = expression.arguments
        return frozenset({name.value}) if isinstance(name, Text) else frozenset()
    children = [*expression.arguments, *(value for _, value in expression.named)]
    return frozenset().union(*(fields_of(child) for child in children))


def _tokens(text: str, where: str) -> list[_Token]:
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise RuleError(where, f"cannot read {text[position:]!r}")
        kind = match.lastgroup or ""
        value = match.group(kind)
        tokens.append(_Token(kind, value[1:-1].replace("\\\\", "\\") if kind == "text" else value))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[_Token], where: str) -> None:
        self._tokens = tokens
        self._where = where
        self._at = 0

    def disjunction(self) -> Expression:
        return self._chain("or", self._conjunction)

    def _conjunction(self) -> Expression:
        return self._chain("and", self._negation)

    def _chain(self, word: str, operand: Callable[[], Expression]) -> Expression:
        parts = [operand()]
        while self._take("name", word):
            parts.append(operand())
        return parts[0] if len(parts) == 1 else Call(word, tuple(parts))

    def _negation(self) -> Expression:
        if self._take("name", "not"):
            return Call("not", (self._negation(),))
        return self._primary()

    def _primary(self) -> Expression:
        token = self._next()
        if token.kind == "text":
            return Text(token.value)
        if token.kind == "number":
            return Number(int(token.value))
        if token.kind == "name" and token.value == "None":
            return Null()
        if token.kind == "name" and token.value not in _KEYWORDS:
            return self._call(token.value) if self._take("mark", "(") else Field(token.value)
        if token == _Token("mark", "("):
            inner = self.disjunction()
            self._expect("mark", ")")
            return inner
        raise RuleError(self._where, f"unexpected {token.value!r}")

    def _call(self, function: str) -> Call:
        arguments: list[Expression] = []
        named: list[tuple[str, Expression]] = []
        while not self._take("mark", ")"):
            if arguments or named:
                self._expect("mark", ",")
            key = self._keyword()
            if key is None:
                arguments.append(self.disjunction())
            else:
                named.append((key, self.disjunction()))
        return Call(function, tuple(arguments), tuple(named))

    def _keyword(self) -> str | None:
        following = self._tokens[self._at : self._at + 2]
        if len(following) == 2 and following[0].kind == "name" and following[1] == _Token("mark", "="):
            self._at += 2
            return following[0].value
        return None

    def expect_end(self) -> None:
        if self._at < len(self._tokens):
            raise RuleError(self._where, f"unexpected {self._tokens[self._at].value!r}")

    def _take(self, kind: str, value: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == _Token(kind, value):
            self._at += 1
            return True
        return False

    def _expect(self, kind: str, value: str) -> None:
        if not self._take(kind, value):
            raise RuleError(self._where, f"expected {value!r}")

    def _next(self) -> _Token:
        if self._at >= len(self._tokens):
            raise RuleError(self._where, "ends too early")
        self._at += 1
        return self._tokens[self._at - 1]
