"""Operators that order rows: sort, top, top-hitters."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.keys import check_key
from vedette.kql.binder.names import default_name
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.rows import bind_count
from vedette.kql.binder.scopes import Scope, Table, reference
from vedette.kql.plan import Aggregate, SortKey
from vedette.kql.types import ScalarType


def bind_sort_keys(
    binder: Binder, written: tuple[syntax.OrderedExpression, ...], table: Table, scope: Scope
) -> tuple[SortKey, ...]:
    """Sort keys. Descending unless written otherwise; nulls first in ascending order, last in descending."""
    keys = []
    inner = scope.over(table)
    for each in written:
        expression = binder.scalar(binder, each.expression, inner)
        check_key(binder, expression, each.expression, table)
        descending = each.direction != "asc"
        nulls_first = (each.nulls == "first") if each.nulls is not None else not descending
        keys.append(SortKey(expression, descending, nulls_first))
    return tuple(keys)


@operator(syntax.SortOperator)
def bind_sort(binder: Binder, written: syntax.SortOperator, table: Table, scope: Scope) -> Table:
    """`sort by`, `order by`."""
    keys = bind_sort_keys(binder, written.keys, table, scope)
    return table.with_relation(plan.Sort(table.relation.columns, table.relation, keys), serialized=True)


@operator(syntax.TopOperator)
def bind_top(binder: Binder, written: syntax.TopOperator, table: Table, scope: Scope) -> Table:
    """`top n by`."""
    keys = bind_sort_keys(binder, written.keys, table, scope)
    count = bind_count(binder, written.count, scope)
    return table.with_relation(plan.Sort(table.relation.columns, table.relation, keys, count), serialized=True)


@operator(syntax.TopHittersOperator)
def bind_top_hitters(binder: Binder, written: syntax.TopHittersOperator, table: Table, scope: Scope) -> Table:
    """`top-hitters`: the most frequent values, or those with the greatest sum. Exact, where the service estimates."""
    inner = scope.over(table)
    value = binder.scalar(binder, written.of, inner)
    name = default_name(written.of) or "Column1"
    key = binder.column(name, value.type)
    if written.by is None:
        aggregate = Aggregate(ScalarType.LONG, "count", ())
        measure = binder.column(f"approximate_count_{name}", ScalarType.LONG)
    else:
        weight = binder.scalar(binder, written.by, inner)
        type_ = ScalarType.LONG if weight.type is ScalarType.INT else weight.type
        aggregate = Aggregate(type_, "sum", (weight,))
        measure = binder.column(f"approximate_sum_{default_name(written.by) or ''}", aggregate.type)
    columns = (key, measure)
    grouped = plan.Summarize(columns, table.relation, (value,), (aggregate,))
    order = (SortKey(reference(measure), True, False),)
    result = plan.Sort(columns, grouped, order, bind_count(binder, written.count, scope))
    if written.by is None or weight.type is aggregate.type:
        return Table(result, serialized=True)
    shown = binder.column(measure.name, weight.type)  # as the analyser has it; null where the sum does not fit
    values = (reference(key), convert(reference(measure), weight.type))
    return Table(plan.Project((key, shown), result, values), serialized=True)
