"""Scalar expressions: literals, names, paths and operators. Calls of functions are in `calls`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from vedette.kql import plan, syntax
from vedette.kql.binder.calls import bind_call
from vedette.kql.binder.context import Binder, Bound, is_unknown, similar, unknown
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.scopes import ScalarVariable, Scope, Table, reference
from vedette.kql.functions.registry import operator_named
from vedette.kql.functions.resolution import resolve
from vedette.kql.plan import Call, Expression, Literal
from vedette.kql.types import ScalarType

_T = ScalarType


def bind_scalar(binder: Binder, expression: syntax.Expression, scope: Scope) -> Expression:
    """Bind an expression that has to be scalar."""
    handler = _HANDLERS.get(type(expression))
    bound = handler(binder, expression, scope) if handler else binder.anything(binder, expression, scope)
    if isinstance(bound, Table):
        return binder.fail("scalar_expected", expression.span)
    return bound


def bind_boolean(binder: Binder, expression: syntax.Expression, scope: Scope, *, dynamic: bool = True) -> Expression:
    """Bind a condition. `dynamic` says whether a dynamic value will do."""
    bound = bind_scalar(binder, expression, scope)
    if bound.type is _T.BOOL or (bound.type is _T.DYNAMIC and (dynamic or is_unknown(bound))):
        return convert(bound, _T.BOOL)
    return binder.fail("bool_expected", expression.span, found=bound.type)


def call_operator(
    binder: Binder, name: str, operands: tuple[Expression, ...], at: syntax.Node, symbol: str
) -> Expression:
    """A call of an operator over bound operands, converted to the types its signature asks for."""
    resolution = resolve("operator", name, tuple(each.type for each in operands))
    if resolution is None or resolution.result is None:
        if any(map(is_unknown, operands)) or binder.may_be_guessed(*(each.type for each in operands)):
            return unknown()
        return binder.fail(
            "operand_types", at.span, operator=symbol, types=" and ".join(each.type for each in operands)
        )
    arguments = tuple(convert(each, type_) for each, type_ in zip(operands, resolution.types, strict=True))
    return Call(resolution.result, name, arguments)


def bind_name(binder: Binder, expression: syntax.NameReference, scope: Scope) -> Bound:
    """A name where a scalar is asked for first: a column, then a variable, then a table or function."""
    name = expression.name
    sides = [side for side in (scope.table, scope.left, scope.right) if side is not None]
    for side in sides:
        column = side.find(name)
        if column is not None:
            return reference(column)
    variable = scope.variable(name)
    if isinstance(variable, ScalarVariable):
        return variable.expression if binder.spend(expression.span, variable.size) else unknown()
    if variable is not None or not sides:
        return binder.anything(binder, expression, scope.lexical)
    if sides[0].open:
        return reference(binder.guessed(sides[0], name))
    candidates = [*(each for side in sides for each in side.names), *scope.variable_names()]
    return binder.fail("unknown_name", expression.span, name=name, hint=similar(name, candidates))


def _literal(binder: Binder, expression: syntax.Literal, scope: Scope) -> Expression:
    value = "" if expression.type is _T.STRING and expression.value is None else expression.value
    return Literal(expression.type, value)


def _dynamic(binder: Binder, expression: syntax.DynamicLiteral, scope: Scope) -> Expression:
    return Literal(_T.DYNAMIC, expression.json)


def _path(binder: Binder, expression: syntax.PathExpression, scope: Scope) -> Bound:
    """`a.b`: `$left.x`, a step's column in scan, a function's database, or a property of a dynamic value."""
    source, selector = expression.source, expression.selector
    if not isinstance(selector, syntax.NameReference):
        return binder.anything(binder, expression, scope)
    if isinstance(source, syntax.NameReference):
        side = {"$left": scope.left, "$right": scope.right}.get(source.name)
        if side is not None:
            return _of_side(binder, side, selector)
        if scope.steps is not None and source.name in scope.steps:
            return _of_step(binder, scope.steps[source.name], selector)
    bound = bind_scalar(binder, source, scope)
    if bound.type is not _T.DYNAMIC:
        return binder.fail("not_dynamic", source.span, found=bound.type)
    return Call(_T.DYNAMIC, "property", (bound, Literal(_T.STRING, selector.name)))


def _of_side(binder: Binder, side: Table, selector: syntax.NameReference) -> Expression:
    """`$left.x`: a column of one side of a join."""
    column = side.find(selector.name)
    if column is None and side.open:
        column = binder.guessed(side, selector.name)
    if column is None:
        hint = similar(selector.name, side.names)
        return binder.fail("unknown_name", selector.span, name=selector.name, hint=hint)
    return reference(column)


def _of_step(binder: Binder, state: dict[str, plan.Column], selector: syntax.NameReference) -> Expression:
    """`step.x`: a column as a step of scan has last seen it."""
    column = state.get(selector.name)
    if column is None:
        return binder.fail("unknown_name", selector.span, name=selector.name, hint=similar(selector.name, state))
    return reference(column)


def _element(binder: Binder, expression: syntax.ElementExpression, scope: Scope) -> Expression:
    source = bind_scalar(binder, expression.source, scope)
    index = bind_scalar(binder, expression.index, scope)
    if source.type is not _T.DYNAMIC:
        return binder.fail("not_dynamic", expression.source.span, found=source.type)
    if isinstance(index, Literal) and index.type is _T.STRING:
        return Call(_T.DYNAMIC, "property", (source, index))
    if index.type is _T.INT:
        index = convert(index, _T.LONG)
    return Call(_T.DYNAMIC, "element", (source, index))


def _unary(binder: Binder, expression: syntax.UnaryExpression, scope: Scope) -> Expression:
    operand = bind_scalar(binder, expression.operand, scope)
    if expression.operator == "+":
        return operand
    if isinstance(operand, Literal) and isinstance(operand.value, int | float) and operand.type is not _T.BOOL:
        return Literal(_T.LONG if operand.type is _T.INT else operand.type, -operand.value)
    return call_operator(binder, "negate", (operand,), expression, "-")


def _binary(binder: Binder, expression: syntax.BinaryExpression, scope: Scope) -> Expression:
    """Chains lean to the left: go down to the first operand, then bind upwards in a loop."""
    chain: list[syntax.BinaryExpression] = []
    current: syntax.Expression = expression
    while isinstance(current, syntax.BinaryExpression):
        chain.append(current)
        current = current.left
    if isinstance(current, syntax.StarExpression):
        left: Expression | None = None
    else:
        left = bind_scalar(binder, current, scope)
    for each in reversed(chain):
        right = bind_scalar(binder, each.right, scope)
        left = _apply(binder, each, left, right) if left is not None else _any_column(binder, each, right, scope)
    assert left is not None
    return left


def _apply(binder: Binder, expression: syntax.BinaryExpression, left: Expression, right: Expression) -> Expression:
    symbol = expression.operator
    name = "has" if symbol == ":" else operator_named(symbol)
    return call_operator(binder, name, (left, right), expression, symbol)


def _any_column(binder: Binder, expression: syntax.BinaryExpression, right: Expression, scope: Scope) -> Expression:
    """`* has "x"`: true where any column fulfils it."""
    if scope.table is None:
        return binder.fail("star_without_table", expression.span)
    name = "has" if expression.operator == ":" else operator_named(expression.operator)
    terms = []
    for column in scope.table.columns:
        resolution = resolve("operator", name, (column.type, right.type))
        if resolution is None or (name in {"equal", "not_equal"} and column.type is not right.type):
            continue
        types = resolution.types
        terms.append(Call(_T.BOOL, name, (convert(reference(column), types[0]), convert(right, types[1]))))
    return any_of(tuple(terms))


def any_of(terms: tuple[Expression, ...]) -> Expression:
    """True where any of `terms` is."""
    if not terms:
        return Literal(_T.BOOL, False)
    return terms[0] if len(terms) == 1 else Call(_T.BOOL, "or", terms)


def all_of(terms: tuple[Expression, ...]) -> Expression:
    """True where all of `terms` are."""
    if not terms:
        return Literal(_T.BOOL, True)
    return terms[0] if len(terms) == 1 else Call(_T.BOOL, "and", terms)


def _logical(binder: Binder, expression: syntax.LogicalExpression, scope: Scope) -> Expression:
    operands = tuple(bind_boolean(binder, each, scope) for each in expression.operands)
    return Call(_T.BOOL, expression.operator, operands)


def _between(binder: Binder, expression: syntax.BetweenExpression, scope: Scope) -> Expression:
    operand = bind_scalar(binder, expression.operand, scope)
    low = bind_scalar(binder, expression.low, scope)
    high = bind_scalar(binder, expression.high, scope)
    if operand.type is _T.DATETIME and high.type is _T.TIMESPAN:
        # A timespan as upper bound is relative to the lower one.
        high = Call(_T.DATETIME, "add", (convert(low, _T.DATETIME), high))
    if _T.STRING in {operand.type, low.type, high.type}:
        types = " and ".join(each.type for each in (operand, low, high))
        return binder.fail("operand_types", expression.span, operator="between", types=types)
    name = "not_between" if expression.negated else "between"
    return call_operator(binder, name, (operand, low, high), expression, "between")


def _in(binder: Binder, expression: syntax.InExpression, scope: Scope) -> Expression:
    name = operator_named(expression.operator)
    if isinstance(expression.operand, syntax.StarExpression):
        return _star_in(binder, expression, scope)
    operand = bind_scalar(binder, expression.operand, scope)
    return _membership(binder, name, expression, operand, scope)


def _star_in(binder: Binder, expression: syntax.InExpression, scope: Scope) -> Expression:
    if scope.table is None:
        return binder.fail("star_without_table", expression.span)
    name = operator_named(expression.operator)
    strings = [each for each in scope.table.columns if each.type is _T.STRING]
    return any_of(tuple(_membership(binder, name, expression, reference(each), scope) for each in strings))


_TEXT_MEMBERSHIP = frozenset({"in_ci", "not_in_ci", "has_any", "has_all"})


def _membership(
    binder: Binder, name: str, expression: syntax.InExpression, operand: Expression, scope: Scope
) -> Expression:
    bound = [binder.anything(binder, each, scope) for each in expression.members]
    if len(bound) == 1 and isinstance(bound[0], Table):
        return _in_table(binder, name, operand, bound[0])
    members: list[Expression] = []
    for each, member in zip(bound, expression.members, strict=True):
        if isinstance(each, Table):
            members.append(binder.fail("scalar_expected", member.span))
        else:
            members.append(each)
    if name in _TEXT_MEMBERSHIP:
        operand = convert(operand, _T.STRING)
    elif operand.type is _T.DYNAMIC:
        static = next((each.type for each in members if each.type is not _T.DYNAMIC), None)
        operand = convert(operand, static) if static is not None else operand
    arguments = tuple(_member(each, operand.type) for each in members)
    return Call(_T.BOOL, name, (operand, *arguments))


def _member(member: Expression, type_: ScalarType) -> Expression:
    """A member of a list; a dynamic one is an array of members and stays as it is."""
    if member.type is _T.DYNAMIC:
        return member
    if type_ is _T.REAL or type_ is member.type:
        return convert(member, type_)
    if type_ in {_T.INT, _T.LONG} and member.type in {_T.INT, _T.LONG, _T.REAL, _T.DECIMAL}:
        return member
    return convert(member, type_) if type_ is not _T.DYNAMIC else member


def _in_table(binder: Binder, name: str, operand: Expression, table: Table) -> Expression:
    relation = table.relation
    if relation.columns and relation.columns[0].type is not operand.type:
        first = relation.columns[0]
        target = _T.STRING if name in _TEXT_MEMBERSHIP else operand.type
        if first.type is not target and target is not _T.DYNAMIC:
            column = binder.column(first.name, target)
            relation = plan.Project((column,), relation, (convert(reference(first), target),))
    if name in _TEXT_MEMBERSHIP:
        operand = convert(operand, _T.STRING)
    elif operand.type is _T.DYNAMIC and relation.columns:
        operand = convert(operand, relation.columns[0].type)
    return plan.InSubquery(_T.BOOL, name, operand, relation)


def _to_scalar(binder: Binder, expression: syntax.ToScalar, scope: Scope) -> Expression:
    bound = binder.anything(binder, expression.query, scope.lexical)
    if not isinstance(bound, Table):
        return bound
    if not bound.columns:
        return Literal(_T.DYNAMIC, None)
    return plan.ScalarSubquery(bound.columns[0].type, bound.relation)


def _named(binder: Binder, expression: syntax.NamedExpression, scope: Scope) -> Expression:
    return bind_scalar(binder, expression.expression, scope)


def _typeof(binder: Binder, expression: syntax.TypeofLiteral, scope: Scope) -> Expression:
    name = expression.type.type.value if isinstance(expression.type, syntax.TypeName) else "dynamic"
    return Literal(_T.STRING, name)


def _star(binder: Binder, expression: syntax.StarExpression, scope: Scope) -> Expression:
    return binder.fail("star_not_allowed", expression.span)


def array_literal(items: list[object]) -> Literal:
    """A dynamic constant."""
    return Literal(_T.DYNAMIC, json.dumps(items))


_HANDLERS: dict[type[syntax.Expression], Callable[[Binder, Any, Scope], Bound]] = {
    syntax.Literal: _literal,
    syntax.DynamicLiteral: _dynamic,
    syntax.NameReference: bind_name,
    syntax.PathExpression: _path,
    syntax.ElementExpression: _element,
    syntax.FunctionCall: bind_call,
    syntax.UnaryExpression: _unary,
    syntax.BinaryExpression: _binary,
    syntax.LogicalExpression: _logical,
    syntax.BetweenExpression: _between,
    syntax.InExpression: _in,
    syntax.ToScalar: _to_scalar,
    syntax.NamedExpression: _named,
    syntax.TypeofLiteral: _typeof,
    syntax.StarExpression: _star,
}


def is_scalar_node(expression: syntax.Expression) -> bool:
    """Whether nodes of this kind are bound here."""
    return type(expression) in _HANDLERS
