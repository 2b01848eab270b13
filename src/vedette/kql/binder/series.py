"""make-series."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import word
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.names import OutputNames, default_name
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.scopes import Scope, Table
from vedette.kql.binder.summaries import bind_aggregates, bind_keys
from vedette.kql.functions.signature import NUMBERS
from vedette.kql.plan import Call, Expression, Literal
from vedette.kql.types import ScalarType


@operator(syntax.MakeSeriesOperator)
def bind_make_series(binder: Binder, written: syntax.MakeSeriesOperator, table: Table, scope: Scope) -> Table:
    """`make-series`: the keys, an array per aggregate, the array of the axis."""
    kind = word(written.parameter("kind"))
    if kind not in {None, "nonempty"}:
        fields = {"name": "kind", "expected": "nonempty", "found": str(kind)}
        return binder.fail_table("invalid_parameter_value", written.span, **fields)
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
    start, stop = (_bound(binder, each, axis.type, scope) for each in (written.start, written.stop))
    step = convert(binder.scalar(binder, written.step, scope.lexical), span)
    if written.in_range and start is not None and stop is not None:
        start = Call(axis.type, "bin", (start, step))
        stop = Call(axis.type, "add", (Call(axis.type, "bin", (stop, step)), step))
    relation = plan.MakeSeries(
        columns,
        table.relation,
        tuple(expression for _, expression in aggregates),
        tuple(
            _default(binder, each, scope, column.type)
            for each, (column, _) in zip(written.aggregates, aggregates, strict=False)
        ),
        axis,
        start,
        stop,
        step,
        tuple(keys.expressions),
        nonempty=kind == "nonempty",
    )
    return Table(relation)


def _default(binder: Binder, written: syntax.SeriesAggregate, scope: Scope, type_: ScalarType) -> Expression:
    """What fills empty buckets: of the aggregate's type where both are numbers."""
    value: Expression = Literal(ScalarType.LONG, 0)
    if written.default is not None:
        value = binder.scalar(binder, written.default, scope.lexical)
    return convert(value, type_) if {value.type, type_} <= NUMBERS else value


def _bound(binder: Binder, written: syntax.Expression | None, type_: ScalarType, scope: Scope) -> Expression | None:
    return None if written is None else convert(binder.scalar(binder, written, scope.lexical), type_)
