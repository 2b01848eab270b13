"""A place in the tokens of a query, with what every part of the parser does there: look, take, complain, recover."""

import sys
from typing import NoReturn

from vedette.kql.diagnostics import Diagnostics
from vedette.kql.errors import Span
from vedette.kql.keywords import DECLARABLE_KEYWORDS, KEYWORDS, NAME_KEYWORDS, REFERABLE_KEYWORDS
from vedette.kql.lexer import END, NAME, STRING, Tokens
from vedette.kql.string_literals import decode_string
from vedette.kql.syntax import Name

MAX_DEPTH = 1_500
"""Levels of nesting: a parenthesis with an operator in front counts as three."""

FRAMES = 9_000
"""Frames of Python that the parser and its successors may nest: trees are as deep as a query, or as a chain is long."""

sys.setrecursionlimit(max(sys.getrecursionlimit(), FRAMES))

REFERABLE = frozenset([NAME]) | NAME_KEYWORDS | REFERABLE_KEYWORDS
DECLARABLE = frozenset([NAME]) | NAME_KEYWORDS | DECLARABLE_KEYWORDS
WORDS = frozenset([NAME]) | KEYWORDS
# What can stand right behind a pipeline.
PIPELINE_ENDS = frozenset([";", ")", "]", "}", ",", END])

_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_ABSENCES = frozenset(["expected", "missing"])


class ParseFailure(Exception):
    """A construct was given up; the diagnostic is already reported. Never leaves the parser."""


class Cursor:
    """The tokens and the index of the next one. The index only grows, save for look-ahead that restores it."""

    def __init__(self, tokens: Tokens, diagnostics: Diagnostics) -> None:
        self.text = tokens.text
        self.kinds = tokens.kinds
        self.starts = tokens.starts
        self.ends = tokens.ends
        self.diagnostics = diagnostics
        self.index = 0
        self.depth = 0

    # --- looking ---

    def word(self, index: int | None = None) -> str:
        """Text of the token at `index`, by default the next one."""
        at = self.index if index is None else index
        return self.text[self.starts[at] : self.ends[at]]

    def kind_after(self, count: int) -> str:
        """Kind of the token `count` behind the next one; END behind the last."""
        at = self.index + count
        return self.kinds[at] if at < len(self.kinds) else END

    def adjacent(self, index: int) -> bool:
        """Whether nothing separates the token at `index` from the one after it."""
        return index + 1 < len(self.starts) and self.ends[index] == self.starts[index + 1]

    def span_since(self, first: int) -> Span:
        """The text from the token at `first` to the one last taken."""
        start = self.starts[first]
        last = self.index - 1
        return Span(start, self.ends[last] - start if last >= first else 0)

    def token_span(self, index: int | None = None) -> Span:
        """The text of one token, by default the next."""
        at = self.index if index is None else index
        return Span(self.starts[at], self.ends[at] - self.starts[at])

    # --- taking ---

    def accept(self, kind: str) -> bool:
        """Take the next token if it is of that kind."""
        if self.kinds[self.index] == kind:
            self.index += 1
            return True
        return False

    def accept_word(self, word: str) -> bool:
        """Take the next token if it reads so, keyword or not."""
        if self.word() == word:
            self.index += 1
            return True
        return False

    def expect(self, kind: str) -> None:
        """Take a token of that kind or give up."""
        if self.kinds[self.index] != kind:
            self.fail_expected(f"'{kind}'")
        self.index += 1

    def expect_word(self, word: str) -> None:
        """Take the token that reads so or give up."""
        if not self.accept_word(word):
            self.fail_expected(f"'{word}'")

    def at_bracketed_name(self, offset: int = 0) -> bool:
        """Whether `['name']` stands `offset` tokens ahead."""
        return (
            self.kind_after(offset) == "["
            and self.kind_after(offset + 1) == STRING
            and self.kind_after(offset + 2) == "]"
        )

    def declared_name(self, what: str = "name") -> Name:
        """Take a name that is introduced here, bracketed or not."""
        first = self.index
        if self.kinds[first] in DECLARABLE:
            self.index += 1
            return Name(self.token_span(first), self.word(first))
        if self.at_bracketed_name():
            return Name(self.span_of_bracketed_name(), self.decode(first + 1))
        return self.fail_name(what)

    def span_of_bracketed_name(self) -> Span:
        """Take `['name']`; its span."""
        first = self.index
        self.index += 3
        return self.span_since(first)

    def decode(self, index: int) -> str:
        """Value of the string token at `index`."""
        return decode_string(self.word(index), self.starts[index], self.diagnostics)

    # --- complaining ---

    def found(self) -> str:
        """The next token for a message."""
        kind = self.kinds[self.index]
        if kind == END:
            return "the end of the query"
        word = self.word()
        return word if len(word) <= 40 else word[:37] + "…"

    def fail(self, name: str, /, *, hint: str | None = None, **fields: str | int) -> NoReturn:
        """Report the diagnostic at the next token and give up.

        What is missing is missing behind the last token: where the next one stands on a later line, the report stays.
        """
        span = self.gap_span() if name in _ABSENCES else self.token_span()
        self.diagnostics.report(name, span, hint=hint, **fields)
        raise ParseFailure

    def gap_span(self) -> Span:
        """The next token, or the end of the last one if a line ends between the two."""
        if not self.index:
            return self.token_span()
        before = self.ends[self.index - 1]
        return Span(before, 0) if "\n" in self.text[before : self.starts[self.index]] else self.token_span()

    def fail_expected(self, expected: str, *, hint: str | None = None) -> NoReturn:
        """Give up because something else should stand here."""
        self.fail("expected", expected=expected, found=self.found(), hint=hint)

    def fail_name(self, what: str) -> NoReturn:
        """Give up because a name should stand here."""
        word = self.word()
        if word in KEYWORDS:
            hint = f"write ['{word}'] to use it as a name"
            self.fail("missing_keyword_as_name", what=what, keyword=word, hint=hint)
        self.fail("missing", what=what, found=self.found())

    # --- recovering ---

    def enter(self) -> None:
        """Go one level deeper, or give up where the parser and its successors would exhaust the stack.

        The caller lowers `depth` again when it is done; whoever catches a `ParseFailure` restores it.
        """
        if self.depth >= MAX_DEPTH:
            self.diagnostics.report("too_deep", self.token_span(), limit=MAX_DEPTH)
            self.index = len(self.kinds) - 2
            raise ParseFailure
        self.depth += 1

    def skip_to(self, stops: frozenset[str]) -> None:
        """Leave out tokens up to one of `stops` on this level of brackets, or to the bracket that closes the level.

        A `;` ends every level of round and square brackets: statements are where a reader starts afresh.
        """
        kinds = self.kinds
        awaited: list[str] = []
        while (kind := kinds[self.index]) != END:
            if kind in _CLOSERS:
                awaited.append(_CLOSERS[kind])
            elif kind == ";" and "}" not in awaited:
                return
            elif kind in _CLOSERS.values():
                if not awaited:
                    return
                awaited.pop()
            elif not awaited and kind in stops:
                return
            self.index += 1
