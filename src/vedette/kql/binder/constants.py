"""Constants that the binder itself has to know: counts, percentiles, column names given as text."""

from __future__ import annotations

from vedette.kql import syntax
from vedette.kql.binder.context import Binder
from vedette.kql.binder.scopes import Scope
from vedette.kql.plan import Call, Expression, Literal
from vedette.kql.types import ScalarType


def constant(expression: Expression) -> Literal | None:
    """The literal an expression amounts to, None if it takes a fold the binder does not need to do."""
    if isinstance(expression, Literal):
        return expression
    if isinstance(expression, Call):
        arguments = [constant(each) for each in expression.arguments]
        if any(each is None for each in arguments):
            return None
        values = [each.value for each in arguments if each is not None]
        if expression.function in {"tostring", "strcat"} and all(isinstance(each, str) for each in values):
            return Literal(ScalarType.STRING, "".join(str(each) for each in values))
        if expression.function in {"tolong", "toint"} and len(values) == 1 and isinstance(values[0], int):
            return Literal(expression.type, values[0])
    return None


def constant_text(binder: Binder, expression: syntax.Expression, scope: Scope) -> str | None:
    """The text a constant expression stands for; reports and returns None if it is none."""
    found = constant(binder.scalar(binder, expression, scope))
    if found is None or not isinstance(found.value, str):
        binder.report("constant_expected", expression.span, expected="string")
        return None
    return found.value


def constant_integer(binder: Binder, expression: syntax.Expression, scope: Scope) -> int | None:
    """The whole number a constant expression stands for; reports and returns None if it is none."""
    found = constant(binder.scalar(binder, expression, scope))
    if found is None or not isinstance(found.value, int):
        binder.report("constant_expected", expression.span, expected="long")
        return None
    return found.value


def word(expression: syntax.Expression | None) -> str | None:
    """A parameter's value as a bare word or text (`kind=inner`, `kind="inner"`)."""
    if isinstance(expression, syntax.NameReference):
        return expression.name
    if isinstance(expression, syntax.Literal):
        if isinstance(expression.value, bool):
            return "true" if expression.value else "false"
        return str(expression.value)
    return None
