"""From the syntax tree to SQLAlchemy expressions, over a property map that the caller declares.

Nothing outside the map can be named; every value becomes a bound parameter. Comparisons follow OData's null rules:
`ne` holds where exactly one side is null.
"""

import dataclasses
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, FromClause, and_, case, false, func, not_, or_, select, true

from vedette.odata.dates import parse_ticks
from vedette.odata.errors import ODataError
from vedette.odata.syntax import (
    And,
    Boolean,
    Call,
    CollectionLambda,
    Comparison,
    DateTime,
    EnumValue,
    Expression,
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

PropertyType = Literal["string", "integer", "number", "boolean", "datetime", "enum"]
Condition: TypeAlias = ColumnElement[bool]


@dataclasses.dataclass(frozen=True)
class Property:
    """A primitive property: its column, its type, and for an enum its members."""

    column: ColumnElement[Any]
    type: PropertyType
    members: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """For `enum`: accepted spelling in lower case → stored value, in the enum's order."""
    filterable: bool = True
    folds_case: bool = False
    """Whether `column` is in lower case, so that a text to compare with has to be."""


@dataclasses.dataclass(frozen=True)
class CollectionProperty:
    """A collection kept in rows of `table` that `link` ties to the entity; its elements are `element`."""

    table: FromClause
    link: Condition
    element: "Property | PropertyMap"


PropertyMap: TypeAlias = Mapping[str, Property | CollectionProperty]

_OPERATORS: Mapping[str, Callable[[Any, Any], Condition]] = {
    "eq": operator.eq,
    "ne": lambda column, value: column.is_distinct_from(value),
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_FLIPPED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_CASE_FUNCTIONS: Mapping[str, Callable[..., ColumnElement[Any]]] = {"tolower": func.lower, "toupper": func.upper}
_TEXT_FUNCTIONS = frozenset({"startswith", "endswith", "contains"})
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_LITERALS = (Null, Boolean, Number, String, DateTime, EnumValue)


def to_condition(expression: Expression, properties: PropertyMap) -> Condition:
    """The WHERE condition of a parsed `$filter`. Raises ODataError naming what cannot be filtered."""
    return _Translator(properties).condition(expression)


def to_order(keys: tuple[OrderBy, ...], properties: PropertyMap) -> list[tuple[ColumnElement[Any], bool]]:
    """Sort keys as (expression that is never NULL, descending). Enums are ordered as their values are, not by name."""
    translator = _Translator(properties)
    return [(_never_null(translator.primitive(key.path)), key.descending) for key in keys]


def _never_null(prop: Property) -> ColumnElement[Any]:
    if prop.type == "enum":
        ranks = {name: rank for rank, name in enumerate(dict.fromkeys(prop.members.values()))}
        return case(ranks, value=prop.column, else_=-1)
    if not getattr(prop.column, "nullable", True):
        return prop.column  # as it is, so that an index on it serves
    return func.coalesce(prop.column, "" if prop.type == "string" else 0)


class _Translator:
    def __init__(
        self, properties: PropertyMap, variables: "Mapping[str, Property | PropertyMap] | None" = None
    ) -> None:
        self._properties = {name.lower(): prop for name, prop in properties.items()}
        self._variables = variables or {}

    def condition(self, expression: Expression) -> Condition:  # noqa: PLR0911 — one case per node
        """A truth value."""
        match expression:
            case And(operands):
                return and_(*(self.condition(operand) for operand in operands))
            case Or(operands):
                return or_(*(self.condition(operand) for operand in operands))
            case Not(operand):
                # A comparison with null is false, not unknown: its negation has to be true.
                return not_(func.coalesce(self.condition(operand), false()))
            case Comparison():
                return self._comparison(expression)
            case Membership(left, right):
                column, prop = self._operand(left)
                return or_(*(_compare("eq", column, prop, item) for item in right.items))
            case CollectionLambda():
                return self._collection(expression)
            case Call(name) if name in _TEXT_FUNCTIONS:
                return self._text_function(expression)
            case Path():
                prop = self.primitive(expression)
                if prop.type == "boolean":
                    return prop.column.is_(true())
            case Boolean(value):
                return true() if value else false()
        raise ODataError("NotABooleanExpression")

    def _comparison(self, comparison: Comparison) -> Condition:
        left, right, symbol = comparison.left, comparison.right, str(comparison.operator)
        if isinstance(left, _LITERALS):
            left, right, symbol = right, left, _FLIPPED[symbol]
        if not isinstance(right, _LITERALS):
            raise ODataError("ComparisonNotSupported", position=comparison.position)
        column, prop = self._operand(left)
        return _compare(symbol, column, prop, right)

    def _operand(self, expression: Expression) -> tuple[ColumnElement[Any], Property]:
        """The left side of a comparison: a property, its length as a collection, or a function of a property."""
        if isinstance(expression, Path) and expression.segments[-1] == "$count":
            return self._element_count(expression)
        if isinstance(expression, Path):
            prop = self.primitive(expression)
            return prop.column, prop
        if isinstance(expression, CollectionLambda):  # `tags/any(…) eq true`
            found = func.coalesce(self._collection(expression), false())
            return found, Property(found, "boolean")
        if isinstance(expression, Call) and expression.name in _CASE_FUNCTIONS and len(expression.arguments) == 1:
            column, prop = self._operand(expression.arguments[0])
            if prop.type != "string":
                raise ODataError("FunctionNotSupported", function=expression.name)
            return _CASE_FUNCTIONS[expression.name](column), prop
        if isinstance(expression, Call):
            if expression.name in _TEXT_FUNCTIONS:  # `startswith(…) eq true`
                column = func.coalesce(self._text_function(expression), false())
                return column, Property(column, "boolean")
            raise ODataError("FunctionNotSupported", function=expression.name)
        raise ODataError("NotABooleanExpression")

    def _text_function(self, call: Call) -> Condition:
        if len(call.arguments) != 2 or not isinstance(call.arguments[1], String):
            raise ODataError("FunctionNotSupported", function=call.name)
        column, prop = self._operand(call.arguments[0])
        if prop.type != "string":
            raise ODataError("FunctionNotSupported", function=call.name)
        method = getattr(column, call.name)
        return method(_value(prop, call.arguments[1]), autoescape=True)  # type: ignore[no-any-return]

    def _element_count(self, path: Path) -> tuple[ColumnElement[Any], Property]:
        if len(path.segments) == 1:  # `$count` of nothing
            raise ODataError("UnknownProperty", property=path.text)
        collection = self._resolve(Path(path.segments[:-1], path.position))
        if not isinstance(collection, CollectionProperty):
            raise ODataError("PropertyNotFilterable", property=path.text)
        count = select(func.count()).select_from(collection.table).where(collection.link).scalar_subquery()
        return count, Property(count, "integer")

    def _collection(self, expression: CollectionLambda) -> Condition:
        collection = self._resolve(expression.collection)
        if not isinstance(collection, CollectionProperty):
            raise ODataError("PropertyNotFilterable", property=expression.collection.text)
        rows = select(1).select_from(collection.table).where(collection.link)
        if expression.predicate is None or expression.variable is None:
            return rows.exists()
        inner = _Translator(self._properties, {**self._variables, expression.variable: collection.element})
        predicate = func.coalesce(inner.condition(expression.predicate), false())
        if expression.quantifier == "any":
            return rows.where(predicate).exists()
        return not_(rows.where(not_(predicate)).exists())

    def primitive(self, path: Path) -> Property:
        """The primitive property that `path` names."""
        prop = self._resolve(path)
        if not isinstance(prop, Property) or not prop.filterable:
            raise ODataError("PropertyNotFilterable", property=path.text)
        return prop

    def _resolve(self, path: Path) -> Property | CollectionProperty:
        first, *rest = path.segments
        if first in self._variables:
            element = self._variables[first]
            if isinstance(element, Property):
                if not rest:
                    return element
            elif len(rest) == 1 and (found := _find(element, rest[0])):
                return found
        elif found := _find(self._properties, path.text):
            return found
        raise ODataError("UnknownProperty", property=path.text)


def _find(properties: PropertyMap, name: str) -> Property | CollectionProperty | None:
    return next((prop for key, prop in properties.items() if key.lower() == name.lower()), None)


def _compare(symbol: str, column: ColumnElement[Any], prop: Property, literal: LiteralValue) -> Condition:
    if isinstance(literal, Null):
        if symbol not in ("eq", "ne"):
            return false()
        return column.is_(None) if symbol == "eq" else column.is_not(None)
    if prop.type == "enum":
        return _compare_enum(symbol, column, prop, literal)
    value = _value(prop, literal)
    return _OPERATORS[symbol](column, value)


def _compare_enum(symbol: str, column: ColumnElement[Any], prop: Property, literal: LiteralValue) -> Condition:
    text = literal.member if isinstance(literal, EnumValue) else getattr(literal, "value", None)
    stored = prop.members.get(text.lower()) if isinstance(text, str) else None
    if stored is None:
        raise ODataError("UnknownEnumMember", value=text)
    if symbol == "eq":
        return column == stored
    if symbol == "ne":
        return column.is_distinct_from(stored)
    order = list(dict.fromkeys(prop.members.values()))
    place = order.index(stored)
    within = {"gt": order[place + 1 :], "ge": order[place:], "lt": order[:place], "le": order[: place + 1]}[symbol]
    return column.in_(within)


def is_long(value: int) -> bool:
    """Whether a database can hold the value: 64 bits with a sign."""
    return -(2**63) <= value < 2**63


def _value(prop: Property, literal: LiteralValue) -> object:  # noqa: PLR0911 — one case per pair of types
    """The literal as a value of the property's type; strings are read leniently, as the services do."""
    match prop.type, literal:
        case "string", String(value):
            return value.lower() if prop.folds_case else value
        case "string", Number(value):
            return str(value)
        case (("integer" | "number"), Number(value)) if isinstance(value, float) or is_long(value):
            return value
        case "integer", String(value) if _INTEGER.fullmatch(value) and is_long(int(value)):
            return int(value)
        case "boolean", Boolean(value):
            return value
        case "datetime", DateTime(ticks):
            return ticks
        case "datetime", String(value) if (parsed := parse_ticks(value)) is not None:
            return parsed
    shown = getattr(literal, "value", None) or getattr(literal, "text", None) or getattr(literal, "member", None)
    raise ODataError("InvalidLiteral", value=shown, type=prop.type, position=0)
