"""`declare pattern`: a call whose constant arguments, and the name behind it, select one of several bodies."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import constant
from vedette.kql.binder.context import Binder, Bound
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.scopes import PatternVariable, ScalarVariable, Scope
from vedette.kql.binder.statements import bind_statements


def bind_pattern_call(
    binder: Binder,
    pattern: PatternVariable,
    call: syntax.FunctionCall,
    scope: Scope,
    path: syntax.NameReference | None = None,
) -> Bound:
    """The body whose arguments are the call's. A pattern without bodies, or a call that none fits, is an error."""
    declaration = pattern.declaration
    name = declaration.name.text
    if len(call.arguments) != len(declaration.parameters):
        return binder.fail("argument_count", call.span, name=name, count=len(call.arguments))
    given = [constant(binder.scalar(binder, each, scope)) for each in call.arguments]
    for found, written in zip(given, call.arguments, strict=True):
        if found is None:
            return binder.fail("constant_expected", written.span, expected="string")
    wanted = [found.value for found in given if found is not None]
    for match in declaration.matches:
        if _values(binder, match.arguments, scope) == wanted and _path(binder, match, scope) == (path and path.name):
            return _body(binder, pattern, match, call)
    return binder.fail("pattern_without_match", call.span, name=name)


def _values(binder: Binder, written: tuple[syntax.Expression, ...], scope: Scope) -> list[object]:
    found = [constant(binder.scalar(binder, each, scope)) for each in written]
    return [None if each is None else each.value for each in found]


def _path(binder: Binder, match: syntax.PatternMatch, scope: Scope) -> object:
    return _values(binder, (match.path,), scope)[0] if match.path is not None else None


def _body(binder: Binder, pattern: PatternVariable, match: syntax.PatternMatch, call: syntax.FunctionCall) -> Bound:
    inner = Scope({}, pattern.scope)
    for parameter, argument in zip(pattern.declaration.parameters, match.arguments, strict=False):
        if isinstance(parameter.type, syntax.TypeName):
            value: plan.Expression = binder.scalar(binder, argument, pattern.scope)
            inner.variables[parameter.name.text] = ScalarVariable(convert(value, parameter.type.type))
    bind_statements(binder, match.body.statements, inner)
    if match.body.expression is None:
        return binder.fail("function_without_result", call.span, name=pattern.declaration.name.text)
    return binder.anything(binder, match.body.expression, inner)
