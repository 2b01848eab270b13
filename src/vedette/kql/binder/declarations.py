"""Checks a function before it is stored: that its declaration parses, and that its body binds."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.bind import make_binder
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.scopes import ScalarVariable, Scope, Table, TableVariable, Variable
from vedette.kql.binder.statements import bind_statements
from vedette.kql.catalog import Catalog
from vedette.kql.errors import Diagnostic, KqlError
from vedette.kql.parser import parse_function
from vedette.kql.types import ScalarType

_SAMPLES: dict[ScalarType, str | int | float | bool] = {
    ScalarType.BOOL: True,
    ScalarType.INT: 1,
    ScalarType.LONG: 1,
    ScalarType.REAL: 1.0,
    ScalarType.STRING: "a",
    ScalarType.DATETIME: 0,
    ScalarType.TIMESPAN: 1,
}
"""Constants that stand for the arguments, since some operators ask for one; null for the other types."""


def check_function(text: str, catalog: Catalog) -> tuple[Diagnostic, ...]:
    """The errors of a declaration `(parameters) { body }`, in places of `text`.

    `catalog` does not have the function itself yet, nor one that calls it: so none that is stored calls itself.
    """
    try:
        declaration = parse_function(text)
    except KqlError as error:
        return error.diagnostics
    binder = make_binder(text, catalog)
    scope = Scope()
    for parameter in declaration.parameters:
        scope.variables[parameter.name.text] = _argument(binder, parameter, scope)
    body = declaration.body
    bind_statements(binder, body.statements, scope)
    if body.expression is None:
        binder.report("function_without_result", body.span, name="")
    else:
        binder.anything(binder, body.expression, scope)
    return tuple(each for each in binder.diagnostics.found() if each.severity == "error")


def _argument(binder: Binder, parameter: syntax.FunctionParameter, scope: Scope) -> Variable:
    """What stands for a parameter while the body is bound: rows of its schema, its default, or a constant."""
    if isinstance(parameter.type, syntax.RowSchema):
        columns = tuple(binder.column(each.name.text, each.type.type) for each in parameter.type.columns)
        return TableVariable(Table(plan.Values(columns, ()), open=parameter.type.open), binder.share())
    type_ = parameter.type.type
    if parameter.default is not None:
        return ScalarVariable(convert(binder.scalar(binder, parameter.default, scope), type_))
    return ScalarVariable(plan.Literal(type_, _SAMPLES.get(type_)))
