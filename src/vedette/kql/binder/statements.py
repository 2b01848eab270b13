"""Statements in front of a query or inside a function's body: let, set, declare."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.context import Binder, Bound
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.restriction import bind_restriction
from vedette.kql.binder.result_tables import ResultTables
from vedette.kql.binder.scopes import (
    FunctionVariable,
    PatternVariable,
    ScalarVariable,
    Scope,
    Table,
    TableVariable,
    Variable,
)
from vedette.kql.types import ScalarType


def bind_statements(binder: Binder, statements: tuple[syntax.Statement, ...], scope: Scope) -> list[Bound]:
    """Bind statements in order. Names are added to `scope`; the results of expression statements come back."""
    results: list[Bound] = []
    for statement in statements:
        if isinstance(statement, syntax.LetStatement):
            _bind_let(binder, statement, scope)
        elif isinstance(statement, syntax.ExpressionStatement):
            results.append(binder.anything(binder, statement.expression, scope))
        elif isinstance(statement, syntax.DeclareQueryParametersStatement):
            _bind_query_parameters(binder, statement, scope)
        elif isinstance(statement, syntax.SetStatement):
            _bind_option(binder, statement, scope)
        elif isinstance(statement, syntax.DeclarePatternStatement):
            scope.variables[statement.name.text] = PatternVariable(
                statement, Scope(dict(scope.variables), scope.parent)
            )
        elif isinstance(statement, syntax.RestrictStatement):
            bind_restriction(binder, statement)
        else:
            what = type(statement).__name__.removesuffix("Statement").lower()
            binder.report("unsupported_statement", statement.span, what=what)
    return results


def _bind_let(binder: Binder, statement: syntax.LetStatement, scope: Scope) -> None:
    name, expression = statement.name.text, statement.expression
    if name in scope.variables:
        binder.report("name_declared_twice", statement.name.span, name=name)
    # A later statement must not change what functions declared before it see.
    if isinstance(expression, syntax.FunctionDeclaration):
        snapshot = Scope(dict(scope.variables), scope.parent)
        scope.variables[name] = FunctionVariable(expression, snapshot, binder.catalog)
        return
    bound = binder.anything(binder, expression, scope)
    if isinstance(bound, ResultTables):
        binder.report("several_tables", expression.span)
    scope.variables[name] = as_variable(binder, bound)


def as_variable(binder: Binder, bound: Bound) -> Variable:
    """What a name stands for that is given to something bound."""
    if isinstance(bound, Table):
        return TableVariable(bound, binder.share())
    return ScalarVariable(bound, _size(bound, {}))


def _size(expression: plan.Expression, known: dict[int, int]) -> int:
    """Nodes of an expression written out; shared parts count each time but are visited once."""
    if not isinstance(expression, plan.Call):
        return 1
    found = known.get(id(expression))
    if found is None:
        found = known[id(expression)] = 1 + sum(_size(each, known) for each in expression.arguments)
    return found


def _bind_query_parameters(binder: Binder, statement: syntax.DeclareQueryParametersStatement, scope: Scope) -> None:
    """Parameters take the values that came with the query, or their defaults."""
    for parameter in statement.parameters:
        name = parameter.name.text
        if isinstance(parameter.type, syntax.RowSchema) or (name not in binder.parameters and not parameter.default):
            if not binder.analysis:
                binder.report("query_parameter_without_value", parameter.span, name=name)
            type_ = ScalarType.DYNAMIC if isinstance(parameter.type, syntax.RowSchema) else parameter.type.type
            value: plan.Expression = plan.Literal(type_, "" if type_ is ScalarType.STRING else None)
        elif name in binder.parameters:
            value = _given(binder.parameters[name], parameter.type.type)
        else:
            assert parameter.default is not None
            value = convert(binder.scalar(binder, parameter.default, scope), parameter.type.type)
        scope.variables[name] = ScalarVariable(value)


def _given(value: str | float | bool, type_: ScalarType) -> plan.Expression:
    """A value from outside as a constant of the declared type; text is converted as by the to… functions."""
    found = ScalarType.STRING
    if isinstance(value, bool):
        found = ScalarType.BOOL
    elif isinstance(value, int):
        found = ScalarType.LONG
    elif isinstance(value, float):
        found = ScalarType.REAL
    return convert(plan.Literal(found, value), type_)


def _bind_option(binder: Binder, statement: syntax.SetStatement, scope: Scope) -> None:
    """Request options: hints for Microsoft's service, but for those that functions read (`bin_auto`)."""
    name = statement.name.text.lower()
    if statement.value is not None and name in READ_OPTIONS:
        binder.options[name] = binder.scalar(binder, statement.value, scope)


READ_OPTIONS = frozenset({"query_bin_auto_size", "query_bin_auto_at"})
