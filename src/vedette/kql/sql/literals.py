"""Constants of the plan as SQL nodes."""

from __future__ import annotations

import decimal
import json
import math

from vedette.kql.decimals import encoded
from vedette.kql.plan import Literal
from vedette.kql.sql import tree
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

SQL_TYPES = {
    ScalarType.BOOL: "BOOLEAN",
    ScalarType.INT: "INTEGER",
    ScalarType.LONG: "BIGINT",
    ScalarType.REAL: "DOUBLE",
    ScalarType.DECIMAL: "VARCHAR",
    ScalarType.STRING: "VARCHAR",
    ScalarType.DATETIME: "BIGINT",
    ScalarType.TIMESPAN: "BIGINT",
    ScalarType.GUID: "UUID",
    ScalarType.DYNAMIC: "JSON",
}
"""How values of each KQL type are stored while a query runs."""


def literal(type_: ScalarType, value: object) -> Sql:  # noqa: PLR0911 - one line a type
    """The constant, of exactly the SQL type that stands for its KQL type."""
    if type_ is ScalarType.STRING:
        return tree.text("" if value is None else str(value))
    if value is None:
        return tree.null(SQL_TYPES[type_])
    if type_ is ScalarType.BOOL:
        return tree.boolean(bool(value))
    if type_ is ScalarType.REAL:
        return tree.cast(tree.text(_real_text(value)), "DOUBLE")
    if type_ is ScalarType.DYNAMIC and value == "null":
        return tree.null("JSON")
    if type_ is ScalarType.DECIMAL:
        text = encoded(decimal.Decimal(str(value)))
        return tree.null("VARCHAR") if text is None else tree.text(text)
    if type_ in {ScalarType.DYNAMIC, ScalarType.GUID}:
        return tree.cast(tree.text(str(value)), SQL_TYPES[type_])
    number = int(str(value))
    if type_ is not ScalarType.INT and abs(number) > 2**31 and number != -(2**63):
        return tree.number(number)
    return tree.cast(tree.text(str(number)) if number == -(2**63) else tree.number(number), SQL_TYPES[type_])


def default(type_: ScalarType) -> Sql:
    """What stands where a column has no value: the empty text for strings, null for the rest."""
    return literal(type_, None)


def _real_text(value: object) -> str:
    number = float(str(value))
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    return repr(number)


def dynamic_members(array: Literal, type_: ScalarType) -> list[Literal]:
    """The elements of a constant array as constants of a type; those that are nothing of that type are left out."""
    try:
        items = json.loads(str(array.value)) if array.value is not None else []
    except ValueError:
        items = [array.value]
    if not isinstance(items, list):
        items = [items]
    found = (_member(each, type_) for each in items)
    return [each for each in found if each is not None]


def _member(item: object, type_: ScalarType) -> Literal | None:  # noqa: PLR0911 - one line a type
    if item is None:
        return Literal(type_, "") if type_ is ScalarType.STRING else None
    if type_ is ScalarType.STRING:
        return Literal(
            type_, item if isinstance(item, str) else json.dumps(item, separators=(",", ":"), ensure_ascii=False)
        )
    if type_ is ScalarType.BOOL:
        return Literal(type_, item) if isinstance(item, bool) else None
    if type_ in {ScalarType.INT, ScalarType.LONG}:
        return Literal(ScalarType.LONG, _whole(item)) if _integral(item) else None
    if type_ in {ScalarType.REAL, ScalarType.DECIMAL}:
        is_number = isinstance(item, (int, float)) and not isinstance(item, bool)
        return (
            Literal(type_, float(str(item)) if type_ is ScalarType.REAL else decimal.Decimal(str(item)))
            if is_number
            else None
        )
    if type_ is ScalarType.GUID:
        return Literal(type_, item) if isinstance(item, str) else None
    if type_ is ScalarType.DYNAMIC:
        return Literal(type_, json.dumps(item, separators=(",", ":"), ensure_ascii=False))
    return None


def _integral(item: object) -> bool:
    return isinstance(item, (int, float)) and not isinstance(item, bool) and float(item).is_integer()


def _whole(item: object) -> int:
    return item if isinstance(item, int) else int(float(str(item)))
