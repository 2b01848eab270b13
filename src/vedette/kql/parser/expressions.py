"""Scalar expressions: a loop over binding powers, so that chains of operators cost no stack.

Powers, from loose to tight: `or`, `and`, equality and lists, comparison, sum, product, string operators. String
operators bind tighter than arithmetic (`a + b has "x"` is `a + (b has "x")`), as in Microsoft's parser; operators of
equality, comparison and strings do not chain.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from types import MappingProxyType
from typing import NoReturn, TypeVar

from vedette.kql import syntax
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.errors import Span
from vedette.kql.lexer import INTEGER, NAME, STRING, TIMESPAN, Tokens
from vedette.kql.parser.cursor import MAX_DEPTH, REFERABLE
from vedette.kql.parser.literals import LiteralParser
from vedette.kql.syntax import Expression, Name, NameReference

_T = TypeVar("_T")

_OR, _AND, _EQUALITY, _COMPARISON, _SUM, _PRODUCT, _STRING_OPERATOR = range(1, 8)

_STRING_OPERATORS = """
    =~ !~ : has !has has_cs !has_cs hasprefix !hasprefix hasprefix_cs !hasprefix_cs hassuffix !hassuffix hassuffix_cs
    !hassuffix_cs contains !contains contains_cs !contains_cs startswith !startswith startswith_cs !startswith_cs
    endswith !endswith endswith_cs !endswith_cs like likecs notlike notlikecs notcontains notcontainscs containscs
    matches
"""
_POWERS = MappingProxyType(
    dict.fromkeys(_STRING_OPERATORS.split(), _STRING_OPERATOR)
    | dict.fromkeys(("*", "/", "%"), _PRODUCT)
    | dict.fromkeys(("+", "-"), _SUM)
    | dict.fromkeys(("<", "<=", ">", ">="), _COMPARISON)
    | dict.fromkeys(("==", "!=", "<>", "in", "!in", "in~", "!in~", "has_any", "has_all"), _EQUALITY)
    | dict.fromkeys(("between", "!between"), _EQUALITY)
    | {"and": _AND, "or": _OR}
)
# Old spellings (logical-operators.md, datatypes-string-operators.md) and their present ones.
_OPERATOR_NAMES = MappingProxyType(
    {"<>": "!=", "notcontains": "!contains", "notcontainscs": "!contains_cs", "containscs": "contains_cs"}
)
_PATTERN_PARTS = REFERABLE | {"*", INTEGER, TIMESPAN}
_LIST_OPERATORS = frozenset(["in", "!in", "in~", "!in~", "has_any", "has_all"])


class ExpressionParser(LiteralParser, abc.ABC):
    """Parses expressions. What begins a tabular expression inside them is left to the subclass."""

    def __init__(self, tokens: Tokens, diagnostics: Diagnostics) -> None:
        super().__init__(tokens, diagnostics)
        self.primaries |= {
            "(": self.parenthesized,
            "[": self.bracketed_name,
            "*": self._star_operand,
        }

    @abc.abstractmethod
    def pipe_expression(self) -> Expression:
        """A scalar or tabular expression with its pipes."""

    # --- operators ---

    def expression(self, minimum: int = 0) -> Expression:
        """An expression of operators that bind tighter than `minimum`."""
        if self.depth >= MAX_DEPTH:
            self.enter()
        self.depth += 1
        first = self.index
        kinds = self.kinds
        left = self.operand()
        ceiling = _STRING_OPERATOR
        while (power := _POWERS.get(kinds[self.index], 0)) > minimum and power <= ceiling:
            operator = kinds[self.index]
            self.index += 1
            if power >= _SUM:
                left = self._binary(first, left, operator, power)
                ceiling = power if power != _STRING_OPERATOR else _PRODUCT
            elif power <= _AND:
                left = self._logical(first, left, operator, power)
                ceiling = power
            else:
                left = self._equality(first, left, operator, power)
                ceiling = power - 1
        self.depth -= 1
        return left

    def sum_expression(self) -> Expression:
        """An expression without comparisons, for places where `in` or `between` would belong to what surrounds it."""
        return self.expression(_COMPARISON)

    def _binary(self, first: int, left: Expression, operator: str, power: int) -> Expression:
        if operator == "matches":
            self.expect("regex")
            operator = "matches regex"
        right = self.operand() if power == _STRING_OPERATOR else self.expression(power)
        return syntax.BinaryExpression(self.span_since(first), _OPERATOR_NAMES.get(operator, operator), left, right)

    def _logical(self, first: int, left: Expression, operator: str, power: int) -> Expression:
        operands = [left, self.expression(power)]
        while self.kinds[self.index] == operator:
            self.index += 1
            operands.append(self.expression(power))
        return syntax.LogicalExpression(self.span_since(first), operator, tuple(operands))

    def _equality(self, first: int, left: Expression, operator: str, power: int) -> Expression:
        if operator in _LIST_OPERATORS:
            self.expect("(")
            members = self.list_of(self.pipe_expression)
            self.expect(")")
            return syntax.InExpression(self.span_since(first), operator, left, members)
        if operator in {"between", "!between"}:
            self.expect("(")
            low = self.expression()
            self.expect("..")
            high = self.expression()
            self.expect(")")
            return syntax.BetweenExpression(self.span_since(first), operator[0] == "!", left, low, high)
        right = self.expression(power)
        return syntax.BinaryExpression(self.span_since(first), _OPERATOR_NAMES.get(operator, operator), left, right)

    # --- operands ---

    def operand(self, *, wildcards: bool = False) -> Expression:
        """A sign, or a name, literal, call or parenthesis, and the paths and elements behind it."""
        first = self.index
        kind = self.kinds[first]
        if kind == NAME:
            operand = self._name_or_call()
        elif (primary := self.primaries.get(kind)) is not None:
            operand = primary()
        elif kind in REFERABLE:
            operand = self._name_or_call()
        elif kind in {"-", "+"}:
            return self._signed(kind)
        else:
            self._fail_operand()
        if self.kinds[self.index] in {".", "["}:
            return self._selectors(first, operand, wildcards=wildcards)
        return operand

    def _signed(self, sign: str) -> Expression:
        first = self.index
        self.index += 1
        if self.kinds[self.index] in {"-", "+"}:
            self.fail("missing", what="an expression", found=self.found(), hint="put the inner sign in parentheses")
        if sign == "-" and (smallest := self.smallest_long(first)) is not None:
            return smallest
        operand = self.operand()
        return syntax.UnaryExpression(self.span_since(first), sign, operand)

    def _name_or_call(self) -> Expression:
        index = self.index
        if self.kinds[index + 1] != "(":
            self.index = index + 1
            start, end = self.starts[index], self.ends[index]
            return NameReference(Span(start, end - start), self.text[start:end])
        return self.function_call()

    def function_call(self) -> syntax.FunctionCall:
        """`name(arguments)`: the next token is the name."""
        first = self.index
        self.enter()
        name = Name(self.token_span(first), self.word(first))
        self.index = first + 1
        self.expect("(")
        arguments = () if self.kinds[self.index] == ")" else self.list_of(self._argument)
        self.expect(")")
        self.depth -= 1
        return syntax.FunctionCall(self.span_since(first), name, arguments)

    def _argument(self) -> Expression:
        if self.kinds[self.index] == "*" and self.kind_after(1) in {",", ")"}:
            return self.star()
        return self.named_expression(self.pipe_expression)

    def parenthesized(self) -> Expression:
        """`( … )`, scalar or tabular."""
        self.enter()
        self.expect("(")
        inner = self.pipe_expression()
        self.expect(")")
        self.depth -= 1
        return inner

    def _star_operand(self) -> Expression:
        """`*` on the left of an operator: any column."""
        if _POWERS.get(self.kind_after(1)) not in {_EQUALITY, _STRING_OPERATOR}:
            self._fail_operand()
        return self.star()

    def star(self) -> syntax.StarExpression:
        """Take `*`."""
        self.index += 1
        return syntax.StarExpression(self.token_span(self.index - 1))

    def bracketed_name(self) -> NameReference:
        """`['a name']`."""
        first = self.index
        if not self.at_bracketed_name():
            if self.kind_after(1) == STRING:
                self.index += 2
                self.fail_expected("']'", hint="brackets hold a name; a list of values is written dynamic([…])")
            self._fail_operand()
        name = self.decode(first + 1)
        return NameReference(self.span_of_bracketed_name(), name)

    def _fail_operand(self) -> NoReturn:
        word = self.word()
        if self.kinds[self.index] == word and word.isidentifier():
            hint = f"write ['{word}'] to use it as a name"
            self.fail("missing_keyword_as_name", what="expression", keyword=word, hint=hint)
        self.fail("missing", what="an expression", found=self.found())

    # --- paths and elements ---

    def _selectors(self, first: int, source: Expression, *, wildcards: bool) -> Expression:
        while True:
            kind = self.kinds[self.index]
            if kind == ".":
                self.index += 1
                if self.kinds[self.index] == "[" and not self.at_bracketed_name():
                    source = self._element(first, source)
                    continue
                selector = self._selector(wildcards=wildcards)
                source = syntax.PathExpression(self.span_since(first), source, selector)
            elif kind == "[":
                source = self._element(first, source)
            else:
                return source

    def _selector(self, *, wildcards: bool) -> NameReference | syntax.FunctionCall | syntax.WildcardName:
        kind = self.kinds[self.index]
        if wildcards and self.at_wildcard():
            return self.wildcard_name()
        if kind == "[" and self.at_bracketed_name():
            return self.bracketed_name()
        if kind in REFERABLE:
            if self.kind_after(1) == "(":
                return self.function_call()
            self.index += 1
            return NameReference(self.token_span(self.index - 1), self.word(self.index - 1))
        return self.fail_name("a name")

    def column_reference(self) -> Expression:
        """A name or path that is never a call: `partition by a (…)`."""
        first = self.index
        if self.kinds[first] in REFERABLE:
            self.index += 1
            name = NameReference(self.token_span(first), self.word(first))
        else:
            name = self.bracketed_name()
        source: Expression = name
        while self.accept("."):
            at = self.declared_name()
            source = syntax.PathExpression(self.span_since(first), source, NameReference(at.span, at.text))
        return source

    def _element(self, first: int, source: Expression) -> Expression:
        self.enter()
        self.index += 1
        index = self.expression()
        self.expect("]")
        self.depth -= 1
        return syntax.ElementExpression(self.span_since(first), source, index)

    def at_wildcard(self) -> bool:
        """Whether a name pattern stands next: a `*`, or a name with a `*` right behind it."""
        kind = self.kinds[self.index]
        if kind == "*":
            return True
        if kind == "[" and self.at_bracketed_name():
            return "*" in self.word(self.index + 1)
        return kind in REFERABLE and self.kind_after(1) == "*" and self.adjacent(self.index)

    def wildcard_name(self) -> syntax.WildcardName:
        """A pattern such as `*`, `a*`, `*a*b`, `['a b*']`."""
        first = self.index
        if self.kinds[first] == "[":
            pattern = self.decode(first + 1)
            return syntax.WildcardName(self.span_of_bracketed_name(), pattern)
        self.index += 1
        while self.adjacent(self.index - 1) and self.kinds[self.index] in _PATTERN_PARTS:
            self.index += 1
        span = self.span_since(first)
        return syntax.WildcardName(span, self.text[span.start : span.end])

    # --- lists and names ---

    def list_of(self, item: Callable[[], _T]) -> tuple[_T, ...]:
        """One or more items with commas between."""
        items = [item()]
        while self.kinds[self.index] == ",":
            self.index += 1
            items.append(item())
        return tuple(items)

    def named_expression(self, value: Callable[[], Expression]) -> Expression:
        """`name = value`, `(name, name) = value`, or a value."""
        first = self.index
        kind = self.kinds[first]
        if self.kinds[first + 1 if kind != "END" else first] == "=" and kind not in {"(", ")", ","}:
            name = self.declared_name()
            self.index += 1
            expression = value()
            return syntax.NamedExpression(self.span_since(first), name, expression)
        if kind == "[" and self.at_bracketed_name() and self.kind_after(3) == "=":
            name = self.declared_name()
            self.index += 1
            expression = value()
            return syntax.NamedExpression(self.span_since(first), name, expression)
        if kind == "(" and self._at_compound_names():
            names = self._compound_names()
            expression = value()
            return syntax.CompoundNamedExpression(self.span_since(first), names, expression)
        return value()

    def column_expression(self) -> Expression:
        """An expression that makes a column, perhaps with its name."""
        return self.named_expression(self.expression)

    def _at_compound_names(self) -> bool:
        """Whether `(name, …) =` stands next."""
        at = self.index + 1
        while True:
            if self.kinds[at] == "[" and self.at_bracketed_name(at - self.index):
                at += 3
            elif self.kinds[at] in REFERABLE:
                at += 1
            else:
                return False
            if self.kinds[at] != ",":
                return self.kinds[at] == ")" and self.kinds[at + 1] == "="
            at += 1

    def _compound_names(self) -> tuple[Name, ...]:
        self.expect("(")
        names = self.list_of(self.declared_name)
        self.expect(")")
        self.expect("=")
        return names
