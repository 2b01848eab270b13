"""Recursive-descent parser of `$filter` and `$orderby`."""

import json
from collections.abc import Callable

from vedette.odata.dates import parse_ticks
from vedette.odata.errors import ODataError
from vedette.odata.lexer import Token, TokenKind, tokenize
from vedette.odata.syntax import (
    And,
    Boolean,
    Call,
    CollectionLambda,
    Comparison,
    DateTime,
    EnumValue,
    Expression,
    ListLiteral,
    LiteralValue,
    Membership,
    Not,
    Null,
    Number,
    Or,
    OrderBy,
    Path,
    String,
)

MAX_DEPTH = 50
"""Nesting of parentheses, `not` and lambdas; beyond it a filter is refused."""

MAX_LENGTH = 16_384
"""Characters of one option."""

MAX_TERMS = 500
"""Conditions, listed values or keys of one option: databases limit how much one statement may chain."""

MAX_DIGITS = 400
"""Of a number: more than the largest that a double holds."""

COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_DATE_TYPES = frozenset({"datetime", "datetimeoffset", "date"})


def parse_filter(text: str) -> Expression:
    """The expression of a decoded `$filter` value. Raises ODataError with position, found and expected."""
    parser = _Parser(text)
    expression = parser.disjunction()
    parser.expect("end", "'and', 'or' or the end")
    return expression


def parse_order_by(text: str) -> tuple[OrderBy, ...]:
    """The keys of a decoded `$orderby` value."""
    parser = _Parser(text)
    keys = [parser.order_key()]
    while parser.accept(","):
        keys.append(parser.order_key())
    parser.expect("end", "',', 'asc', 'desc' or the end")
    return tuple(keys)


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise ODataError("FilterTooLong", limit=MAX_LENGTH)
        self._tokens = tokenize(text)
        self._index = 0
        self._depth = 0
        self._terms = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _take(self) -> Token:
        token = self._token
        self._index += 1
        return token

    def _at_word(self, *words: str) -> bool:
        return self._token.kind == "word" and self._token.text.lower() in words

    def _at(self, kind: TokenKind) -> bool:
        return self._token.kind == kind

    def accept(self, kind: TokenKind) -> Token | None:
        """The next token if it is of `kind`."""
        return self._take() if self._token.kind == kind else None

    def expect(self, kind: TokenKind, expected: str) -> Token:
        """The next token, which has to be of `kind`."""
        if self._token.kind != kind:
            raise self._unexpected(expected)
        return self._take() if kind != "end" else self._token

    def _unexpected(self, expected: str) -> ODataError:
        found = self._token.text or "the end"
        return ODataError("InvalidFilterSyntax", position=self._token.position, found=found, expected=expected)

    def disjunction(self) -> Expression:
        operands = [self._conjunction()]
        while self._at_word("or"):
            self._take()
            operands.append(self._conjunction())
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _conjunction(self) -> Expression:
        operands = [self._predicate()]
        while self._at_word("and"):
            self._take()
            operands.append(self._predicate())
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _count_term(self) -> None:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise ODataError("FilterTooManyTerms", limit=MAX_TERMS)

    def _predicate(self) -> Expression:
        self._count_term()
        if self._at_word("not") and self._tokens[self._index + 1].kind != "/":
            self._take()
            return Not(self._nested(self._predicate))
        left = self._operand()
        token = self._token
        operator = token.text.lower() if token.kind == "word" else ""
        if operator in COMPARISONS:
            self._take()
            return Comparison(operator, left, self._operand(), token.position)  # type: ignore[arg-type]
        if operator == "in":
            self._take()
            return Membership(left, self._list(), token.position)
        return left

    def _nested(self, rule: Callable[[], Expression]) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ODataError("FilterTooDeep", limit=MAX_DEPTH)
        expression = rule()
        self._depth -= 1
        return expression

    def _operand(self) -> Expression:
        if self.accept("("):
            expression = self._nested(self.disjunction)
            self.expect(")", "')'")
            return expression
        if self._token.kind == "word" and not self._at_word("null", "true", "false"):
            return self._path_or_call()
        return self._literal()

    def _path_or_call(self) -> Expression:
        first = self._take()
        if self._at("("):
            return Call(first.text.lower(), self._arguments(), first.position)
        segments = [first.text]
        while self.accept("/"):
            word = self.expect("word", "a property name")
            if word.text in ("any", "all") and self._at("("):
                return self._lambda(Path(tuple(segments), first.position), word.text)
            segments.append(word.text)
        return Path(tuple(segments), first.position)

    def _arguments(self) -> tuple[Expression, ...]:
        self.expect("(", "'('")
        arguments = []
        if self._token.kind != ")":
            arguments.append(self._nested(self.disjunction))
            while self.accept(","):
                arguments.append(self._nested(self.disjunction))
        self.expect(")", "',' or ')'")
        return tuple(arguments)

    def _lambda(self, collection: Path, quantifier: str) -> Expression:
        self.expect("(", "'('")
        if self.accept(")"):
            return CollectionLambda(collection, quantifier, None, None)  # type: ignore[arg-type]
        variable = self.expect("word", "a range variable").text
        self.expect(":", "':'")
        predicate = self._nested(self.disjunction)
        self.expect(")", "')'")
        return CollectionLambda(collection, quantifier, variable, predicate)  # type: ignore[arg-type]

    def _list(self) -> ListLiteral:
        """In round brackets, or as the array that OData 4.01 allows and Defender connectors send."""
        array = self._at("[")
        if array:
            self._take()
        else:
            self.expect("(", "'('")
        items = [self._item()]
        while self.accept(","):
            self._count_term()
            items.append(self._item())
        self.expect("]" if array else ")", "',' or ']'" if array else "',' or ')'")
        return ListLiteral(tuple(items))

    def _item(self) -> LiteralValue:
        if not self._at("quoted"):
            return self._literal()
        try:
            text = str(json.loads(self._token.text, strict=False))
            text.encode()  # half of a surrogate pair is no text
        except ValueError as error:
            raise self._unexpected("a value") from error
        self._take()
        return String(text)

    def _literal(self) -> LiteralValue:
        if self._at_word("null", "true", "false"):
            word = self._take().text.lower()
            return Null() if word == "null" else Boolean(word == "true")
        if self._token.kind not in ("string", "guid", "number", "datetime", "typed"):
            raise self._unexpected("a property, a function or a value")
        return _literal_value(self._take())

    def order_key(self) -> OrderBy:
        self._count_term()
        first = self.expect("word", "a property name")
        segments = [first.text]
        while self.accept("/"):
            segments.append(self.expect("word", "a property name").text)
        descending = self._at_word("desc")
        if descending or self._at_word("asc"):
            self._take()
        return OrderBy(Path(tuple(segments), first.position), descending)


def _literal_value(token: Token) -> LiteralValue:
    match token.kind:
        case "string":
            return String(_unquote(token.text))
        case "guid":
            return String(token.text)
        case "number":
            return _number(token)
        case "datetime":
            return _date(token.text, token)
    type_name, _, quoted = token.text.partition("'")
    text = _unquote("'" + quoted)
    if type_name.lower() in _DATE_TYPES:
        return _date(text, token)
    return String(text) if type_name.lower() == "guid" else EnumValue(type_name, text)


def _number(token: Token) -> Number:
    if len(token.text) > MAX_DIGITS:
        raise ODataError("InvalidLiteral", value=token.text[:MAX_DIGITS], type="number", position=token.position)
    return Number(float(token.text) if any(sign in token.text for sign in ".eE") else int(token.text))


def _date(text: str, token: Token) -> DateTime:
    ticks = parse_ticks(text)
    if ticks is None:
        raise ODataError("InvalidLiteral", value=token.text, type="date and time", position=token.position)
    return DateTime(ticks, text)


def _unquote(text: str) -> str:
    return text[1:-1].replace("''", "'")
