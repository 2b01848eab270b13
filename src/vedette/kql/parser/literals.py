"""Literals of every type, dynamic ones included, and the type names and schemas that stand next to them."""

import decimal
import json
import math
from collections.abc import Callable
from typing import NoReturn

from vedette.kql import literals, syntax
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.lexer import BOOLEAN, GUID, INTEGER, REAL, STRING, TIMESPAN, TYPED, Tokens
from vedette.kql.parser.cursor import Cursor
from vedette.kql.string_literals import is_hidden
from vedette.kql.syntax import Expression, Literal, Name
from vedette.kql.types import ScalarType

# Names of types in schemas and typeof, old ones included (scalar-data-types/index.md).
TYPE_NAMES = {each.value: each for each in ScalarType} | {
    "boolean": ScalarType.BOOL,
    "date": ScalarType.DATETIME,
    "time": ScalarType.TIMESPAN,
    "double": ScalarType.REAL,
    "float": ScalarType.REAL,
    "int32": ScalarType.INT,
    "int64": ScalarType.LONG,
    "uuid": ScalarType.GUID,
    "uniqueid": ScalarType.GUID,
}

_VALUE_PARSERS: dict[ScalarType, Callable[[str], object]] = {
    ScalarType.BOOL: literals.parse_bool,
    ScalarType.INT: lambda text: literals.parse_integer(text, 32),
    ScalarType.LONG: lambda text: literals.parse_integer(text, 64),
    ScalarType.REAL: literals.parse_real,
    ScalarType.DECIMAL: literals.parse_decimal,
    ScalarType.GUID: literals.parse_guid,
    ScalarType.DATETIME: literals.parse_datetime,
    ScalarType.TIMESPAN: literals.parse_timespan,
}


class LiteralParser(Cursor):
    """Parses literals. `primaries` maps the kind of a token to what reads an operand that begins with it."""

    def __init__(self, tokens: Tokens, diagnostics: Diagnostics) -> None:
        super().__init__(tokens, diagnostics)
        self.primaries: dict[str, Callable[[], Expression]] = {
            STRING: self.string,
            INTEGER: self._integer,
            REAL: self._real,
            TIMESPAN: self._timespan,
            BOOLEAN: self._boolean,
            TYPED: self.typed,
            GUID: self._bare_guid,
            "dynamic": self.dynamic,
        }
        self._json_parsers: dict[str, Callable[[], str]] = {
            **dict.fromkeys((STRING, INTEGER, REAL, TIMESPAN, BOOLEAN, TYPED, GUID), self._json_literal),
            "null": self._json_null,
            "[": self._json_array,
            "{": self._json_bag,
            "dynamic": self._json_dynamic,
            "-": self._json_signed,
            "+": self._json_signed,
        }

    def string(self) -> Literal:
        """One string literal, or adjacent ones that make one value."""
        first = self.index
        value = self.decode(first)
        hidden = is_hidden(self.word(first))
        self.index += 1
        while self.kinds[self.index] == STRING:
            value += self.decode(self.index)
            hidden = hidden or is_hidden(self.word())
            self.index += 1
        return Literal(self.span_since(first), ScalarType.STRING, value, hidden)

    def _plain(self, type_: ScalarType, value: object) -> Literal:
        """The next token as a literal; a value of None is a malformed one and is reported."""
        if value is None:
            self._report_malformed(type_)
        self.index += 1
        return Literal(self.token_span(self.index - 1), type_, value)

    def _integer(self) -> Literal:
        return self._plain(ScalarType.LONG, literals.parse_integer(self.word(), 64))

    def smallest_long(self, first: int) -> Literal | None:
        """The literal -9223372036854775808, whose digits alone are out of range; the sign at `first` is taken."""
        if self.kinds[self.index] != INTEGER or self.word() != str(2**63):
            return None
        self.index += 1
        return Literal(self.span_since(first), ScalarType.LONG, -(2**63))

    def _real(self) -> Literal:
        return self._plain(ScalarType.REAL, float(self.word()))

    def _timespan(self) -> Literal:
        return self._plain(ScalarType.TIMESPAN, literals.parse_timespan(self.word()))

    def _boolean(self) -> Literal:
        return self._plain(ScalarType.BOOL, self.word().lower() == "true")

    def _bare_guid(self) -> NoReturn:
        self.fail("bare_guid", text=self.word(), hint=f"write guid({self.word()})")

    def _report_malformed(self, type_: ScalarType, text: str | None = None) -> None:
        self.diagnostics.report("malformed_literal", self.token_span(), text=text or self.word(), type=type_.value)

    def typed(self) -> Expression:
        """`datetime(2020-01-01)`, `long(null)`, …: a token with a type name and a text."""
        type_name, _, rest = self.word().partition("(")
        type_ = TYPE_NAMES[type_name]
        text = rest[:-1].strip()
        if text[:1] in {'"', "'"}:
            text = text[1:-1]
        if text == "null":
            self.index += 1
            return Literal(self.token_span(self.index - 1), type_, None)
        if type_ is ScalarType.DATETIME and (computed := self._datetime_of_today(text)) is not None:
            return computed
        value = _VALUE_PARSERS[type_](text)
        if value is None:
            self._report_malformed(type_, text)
        self.index += 1
        return Literal(self.token_span(self.index - 1), type_, value)

    def _datetime_of_today(self, text: str) -> Expression | None:
        """`datetime()` is now, and a time without a date is of today: calls, since neither is a constant."""
        time = literals.parse_time_of_day(text) if text else 0
        if time is None:
            return None
        self.index += 1
        span = self.token_span(self.index - 1)
        now = syntax.FunctionCall(span, Name(span, "now"), ())
        if not text:
            return now
        today = syntax.FunctionCall(span, Name(span, "startofday"), (now,))
        return syntax.BinaryExpression(span, "+", today, Literal(span, ScalarType.TIMESPAN, time))

    # --- dynamic ---

    def dynamic(self) -> syntax.DynamicLiteral:
        """`dynamic(…)`: JSON, with KQL's literals allowed as values."""
        first = self.index
        self.index += 1
        self.expect("(")
        text = self._json_value()
        self.expect(")")
        return syntax.DynamicLiteral(self.span_since(first), None if text == "null" else text)

    def _json_value(self) -> str:
        parse = self._json_parsers.get(self.kinds[self.index])
        if parse is None:
            return self.fail("missing", what="a JSON value", found=self.found())
        self.enter()
        text = parse()
        self.depth -= 1
        return text

    def _json_null(self) -> str:
        self.index += 1
        return "null"

    def _json_array(self) -> str:
        return self._json_items("[", "]", self._json_value)

    def _json_bag(self) -> str:
        return self._json_items("{", "}", self._json_pair)

    def _json_dynamic(self) -> str:
        return self.dynamic().json or "null"

    def _json_signed(self) -> str:
        sign = "-" if self.accept("-") else ""
        self.index += not sign
        if self.kinds[self.index] not in {INTEGER, REAL}:
            self.fail("missing", what="a number", found=self.found())
        return sign + self._json_literal()

    def _json_items(self, opener: str, closer: str, item: Callable[[], str]) -> str:
        self.index += 1
        items: list[str] = []
        while self.kinds[self.index] != closer:
            if items:
                if self.kinds[self.index] != ",":
                    self.fail_expected(f"',' or '{closer}'")
                self.index += 1
            items.append(item())
        self.index += 1
        return opener + ",".join(items) + closer

    def _json_pair(self) -> str:
        if self.kinds[self.index] != STRING:
            self.fail("missing", what="a property name in quotes", found=self.found())
        key = self.decode(self.index)
        self.index += 1
        self.expect(":")
        return f"{json.dumps(key, ensure_ascii=False)}:{self._json_value()}"

    def _json_literal(self) -> str:
        at = self.index
        literal = self.primaries[self.kinds[at]]()
        if not isinstance(literal, Literal) or literal.type is ScalarType.DECIMAL:
            self.index = at
            self.fail("decimal_in_dynamic" if isinstance(literal, Literal) else "computed_in_dynamic")
        return _json_text(literal)


def _json_text(literal: Literal) -> str:
    """A scalar literal as JSON: numbers and booleans as such, everything else as its text."""
    value = literal.value
    if value is None:
        return "null"
    if literal.type is ScalarType.DATETIME:
        value = literals.format_datetime(_ticks(value))
    elif literal.type is ScalarType.TIMESPAN:
        value = literals.format_timespan(_ticks(value))
    elif isinstance(value, float) and not math.isfinite(value):
        value = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    elif isinstance(value, decimal.Decimal):
        value = str(value)
    return json.dumps(value, ensure_ascii=False)


def _ticks(value: object) -> int:
    assert isinstance(value, int)
    return value
