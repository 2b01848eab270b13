"""make-series."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.names import OutputNames, default_name
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.scopes import Scope, Table
from vedette.kql.binder.summaries import bind_aggregates, bind_keys
from vedette.kql.plan import Expression, Literal
from vedette.kql.types import ScalarType


@operator(syntax.MakeSeriesOperator)
def bind_make_series(binder: Binder, written: syntax.MakeSeriesOperator, table: Table, scope: Scope) -> Table:
    """`make-series`: the keys, an array per aggregate, the array of the axis."""
    names = OutputNames(table.names)
    keys = bind_keys(binder, written.keys, table, scope, names)
    expressions = tuple(each.expression for each in written.aggregates)
    aggregates = bind_aggregates(binder, expressions, table, scope, keys=keys, names=names)
    inner = scope.over(table)
    axis_written = written.axis
    name = default_name(axis_written)
    if isinstance(axis_written, syntax.NamedExpression):
        name, axis_written = axis_written.name.text, axis_written.expression
    axis = binder.scalar(binder, axis_written, inner)
    columns = (
        *keys.columns,
        *(binder.column(column.name, ScalarType.DYNAMIC) for column, _ in aggregates),
        binder.column(names.automatic(name), ScalarType.DYNAMIC),
    )
    span = ScalarType.TIMESPAN if axis.type in {ScalarType.DATETIME, ScalarType.TIMESPAN} else axis.type
    relation = plan.MakeSeries(
        columns,
        table.relation,
        tuple(expression for _, expression in aggregates),
        tuple(_default(binder, each, scope) for each in written.aggregates)[: len(aggregates)],
        axis,
        _bound(binder, written.start, axis.type, scope),
        _bound(binder, written.stop, axis.type, scope),
        convert(binder.scalar(binder, written.step, scope.lexical), span),
        tuple(keys.expressions),
    )
    return Table(relation)


def _default(binder: Binder, written: syntax.SeriesAggregate, scope: Scope) -> Expression:
    if written.default is None:
        return Literal(ScalarType.LONG, 0)
    return binder.scalar(binder, written.default, scope.lexical)


def _bound(binder: Binder, written: syntax.Expression | None, type_: ScalarType, scope: Scope) -> Expression | None:
    return None if written is None else convert(binder.scalar(binder, written, scope.lexical), type_)
