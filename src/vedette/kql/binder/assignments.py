"""Lists of `name = expression` as extend, project, print and their like take them: names and bound expressions."""

from __future__ import annotations

import dataclasses

from vedette.kql import plan, syntax
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.names import default_name
from vedette.kql.binder.scopes import Scope
from vedette.kql.functions.registry import Function, find
from vedette.kql.plan import Call, Column, Expression, Literal, Relation
from vedette.kql.types import ScalarType


@dataclasses.dataclass(frozen=True, slots=True)
class Assignment:
    """One output value. `name` is None where KQL numbers it; `explicit` if it is written, not derived.

    `keeps_name` tells print, which numbers what has no name of its own, that this has one.
    """

    name: str | None
    explicit: bool
    expression: Expression
    syntax: syntax.Expression
    keeps_name: bool = False


def bind_assignments(binder: Binder, expressions: tuple[syntax.Expression, ...], scope: Scope) -> list[Assignment]:
    """Bind each expression over the operator's input: no assignment sees another one."""
    found: list[Assignment] = []
    for each in expressions:
        found.extend(_bind_one(binder, each, scope))
    return found


def _bind_one(binder: Binder, written: syntax.Expression, scope: Scope) -> list[Assignment]:
    if isinstance(written, syntax.StarExpression):
        columns = scope.table.columns if scope.table is not None else ()
        return [Assignment(each.name, True, plan.ColumnReference(each.type, each), written) for each in columns]
    names: list[str] = []
    expression = written
    if isinstance(written, syntax.NamedExpression):
        names, expression = [written.name.text], written.expression
    elif isinstance(written, syntax.CompoundNamedExpression):
        names, expression = [each.text for each in written.names], written.expression
    several = _function_of_several(expression)
    if several is not None:
        return _bind_several(binder, several, names, expression, scope)
    bound = binder.scalar(binder, expression, scope)
    if len(names) > 1:
        binder.report("not_several_values", expression.span)
    if names:
        return [Assignment(names[0], True, bound, written, True)]
    explicit = isinstance(expression, syntax.NameReference)
    return [Assignment(default_name(_chosen(expression, bound)), explicit, bound, written)]


def _chosen(expression: syntax.Expression, bound: Expression) -> syntax.Expression:
    """Of `column_ifexists` with a column that does not exist its default, whose name is taken then."""
    if isinstance(expression, syntax.FunctionCall) and len(expression.arguments) == 2:
        function = find("scalar", expression.name.text)
        name, default = expression.arguments
        if function is not None and function.record.naming == "column" and isinstance(name, syntax.Literal):
            exists = isinstance(bound, plan.ColumnReference) and bound.column.name == name.value
            return expression if exists else default
    return expression


def _function_of_several(expression: syntax.Expression) -> Function | None:
    if isinstance(expression, syntax.FunctionCall):
        function = find("scalar", expression.name.text)
        if function is not None and function.record.results:
            return function
    return None


def _bind_several(
    binder: Binder, function: Function, names: list[str], expression: syntax.Expression, scope: Scope
) -> list[Assignment]:
    """A function with several named results, such as series_fit_line: each becomes a column."""
    assert isinstance(expression, syntax.FunctionCall)
    bound = binder.scalar(binder, expression, scope)
    found: list[Assignment] = []
    sorts = function.canonical.startswith("array_sort")
    results = function.record.results
    if sorts:
        arrays = [each for each in expression.arguments if not _is_flag(each)]
        results = results * len(arrays)
    for index, result in enumerate(results):
        suffix, _, type_ = result.partition(":")
        argument = expression.arguments[index if sorts else 0] if expression.arguments else None
        unnamed = f"array{index}" if sorts else ""
        first = (default_name(argument) if argument is not None else None) or unnamed
        derived = f"{first}_{suffix}" if sorts else f"{function.name}_{first}_{suffix}"
        value = _part(bound, index if sorts else suffix, ScalarType(type_.strip()), single=sorts and len(results) == 1)
        name = names[index] if index < len(names) else derived
        named = index < len(names)
        found.append(Assignment(name, named, value, expression, named or not sorts or len(results) > 1))
    return found


def _is_flag(expression: syntax.Expression) -> bool:
    return isinstance(expression, syntax.Literal) and expression.type is ScalarType.BOOL


def _part(bound: Expression, key: str | int, type_: ScalarType, *, single: bool) -> Expression:
    if single:
        return bound
    if isinstance(key, int):
        return Call(ScalarType.DYNAMIC, "element", (bound, Literal(ScalarType.LONG, key)))
    return convert(Call(ScalarType.DYNAMIC, "property", (bound, Literal(ScalarType.STRING, key))), type_)


def project(columns: tuple[Column, ...], source: Relation, expressions: tuple[Expression, ...]) -> Relation:
    """A Project, or a Window where an expression calls a window function."""
    if any(has_window_call(each) for each in expressions):
        return plan.Window(columns, source, expressions)
    return plan.Project(columns, source, expressions)


def has_window_call(expression: Expression) -> bool:
    """Whether a window function is called anywhere in an expression."""
    pending = [expression]
    while pending:
        each = pending.pop()
        if isinstance(each, plan.WindowCall):
            return True
        if isinstance(each, Call):
            pending.extend(each.arguments)
    return False


def extend(source: Relation, added: list[tuple[Column, Expression]]) -> Relation:
    """All columns of `source`, those that `added` has by the same name replaced in place, the rest behind."""
    if not added:
        return source
    replacing = {column.name: (column, expression) for column, expression in added}
    columns: list[Column] = []
    expressions: list[Expression] = []
    for old in source.columns:
        column, expression = replacing.pop(old.name, (old, plan.ColumnReference(old.type, old)))
        columns.append(column)
        expressions.append(expression)
    for column, expression in replacing.values():
        columns.append(column)
        expressions.append(expression)
    return project(tuple(columns), source, tuple(expressions))
