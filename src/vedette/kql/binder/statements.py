"""Statements in front of a query or inside a function's body: let, set, declare."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.context import Binder, Bound
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.scopes import FunctionVariable, ScalarVariable, Scope, Table, TableVariable, Variable
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
            continue  # request options: hints for Microsoft's service
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
        scope.variables[name] = FunctionVariable(expression, snapshot)
        return
    scope.variables[name] = as_variable(binder, binder.anything(binder, expression, scope))


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
    """Parameters take their defaults: this interface has no way to send values."""
    for parameter in statement.parameters:
        if isinstance(parameter.type, syntax.RowSchema) or parameter.default is None:
            binder.report("query_parameter_without_value", parameter.span, name=parameter.name.text)
            value: plan.Expression = plan.Literal(ScalarType.DYNAMIC, None)
        else:
            value = convert(binder.scalar(binder, parameter.default, scope), parameter.type.type)
        scope.variables[parameter.name.text] = ScalarVariable(value)
