"""Operators that begin a pipeline with rows of their own: print and range."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.assignments import bind_assignments
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.names import unique
from vedette.kql.binder.pipelines import source
from vedette.kql.binder.scopes import Scope, Table
from vedette.kql.plan import Column, Expression
from vedette.kql.types import ScalarType

_T = ScalarType


@source(syntax.PrintOperator)
def bind_print(binder: Binder, written: syntax.PrintOperator, scope: Scope) -> Table:
    """`print`: one row; unnamed values are numbered by their place. One name for several values takes the first."""
    columns: list[Column] = []
    values: list[Expression] = []
    taken: set[str] = set()
    assignments = [
        each
        for one in written.expressions
        for each in bind_assignments(binder, (one,), scope.lexical)[
            : 1 if isinstance(one, syntax.NamedExpression) else None
        ]
    ]
    for index, each in enumerate(assignments):
        name = each.name if each.keeps_name and each.name is not None else f"print_{index}"
        name = unique(name, taken)
        taken.add(name)
        columns.append(binder.column(name, each.expression.type))
        values.append(each.expression)
    return Table(plan.Values(tuple(columns), (tuple(values),)), serialized=True)


@source(syntax.RangeOperator)
def bind_range(binder: Binder, written: syntax.RangeOperator, scope: Scope) -> Table:
    """`range`: the type of the start, or what start and step give together."""
    start, stop, step = (
        binder.scalar(binder, each, scope.lexical) for each in (written.start, written.stop, written.step)
    )
    type_ = _range_type(start.type, stop.type)
    step_type = _T.TIMESPAN if type_ in {_T.DATETIME, _T.TIMESPAN} else type_
    column = binder.column(written.name.text, type_)
    relation = plan.Series((column,), convert(start, type_), convert(stop, type_), convert(step, step_type))
    return Table(relation, serialized=True)


def _range_type(start: ScalarType, stop: ScalarType) -> ScalarType:
    if _T.DATETIME in {start, stop}:
        return _T.DATETIME
    if _T.TIMESPAN in {start, stop}:
        return _T.TIMESPAN
    if _T.REAL in {start, stop}:
        return _T.REAL
    return _T.LONG if start in {_T.INT, _T.DYNAMIC} else start
