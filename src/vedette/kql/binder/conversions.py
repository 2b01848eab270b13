"""Explicit conversions: the plan has them wherever KQL converts by itself."""

from __future__ import annotations

from vedette.kql.plan import Call, ColumnReference, Expression, Literal
from vedette.kql.types import ScalarType

CONVERSIONS = {
    ScalarType.BOOL: "tobool",
    ScalarType.INT: "toint",
    ScalarType.LONG: "tolong",
    ScalarType.REAL: "todouble",
    ScalarType.DECIMAL: "todecimal",
    ScalarType.STRING: "tostring",
    ScalarType.DATETIME: "todatetime",
    ScalarType.TIMESPAN: "totimespan",
    ScalarType.GUID: "toguid",
    ScalarType.DYNAMIC: "as_dynamic",
}
"""The function that converts to each type. `as_dynamic` wraps a scalar as it is; text is not parsed."""

_EXPLICIT = frozenset(CONVERSIONS.values()) - {"as_dynamic"}
_INTEGERS = frozenset({ScalarType.INT, ScalarType.LONG})


def convert(expression: Expression, type_: ScalarType) -> Expression:
    """The expression as a value of `type_`; constants are converted here where that is trivially exact."""
    if expression.type is type_:
        return expression
    if isinstance(expression, Literal):
        if expression.value is None:
            return Literal(type_, "" if type_ is ScalarType.STRING else None)
        if isinstance(expression.value, int) and not isinstance(expression.value, bool):
            if expression.type in _INTEGERS and type_ is ScalarType.LONG:
                return Literal(type_, expression.value)
            if expression.type in _INTEGERS and type_ is ScalarType.REAL:
                return Literal(type_, float(expression.value))
    return Call(type_, CONVERSIONS[type_], (expression,))


def unconverted(expression: Expression) -> Expression:
    """The column itself where it is converted to the type that it has: as a key, or ordering `*`, it stays that column.

    The official analyser has it so: `summarize arg_max(x, *) by tostring(Text)` answers with one column `Text`.
    """
    if isinstance(expression, Call) and expression.function in _EXPLICIT and len(expression.arguments) == 1:
        (argument,) = expression.arguments
        if isinstance(argument, ColumnReference) and argument.type is expression.type:
            return argument
    return expression
