"""make-series: rows into buckets of an axis, buckets into one array per group and aggregate, gaps filled."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.plan import Column, ColumnReference, Expression, Relation
from vedette.kql.sql import tree
from vedette.kql.sql.base import Scalars, UnsupportedError
from vedette.kql.sql.blocks import Block, unique_names
from vedette.kql.sql.dynamic import embed
from vedette.kql.sql.relations import STEPS, Relations, step
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

_AXIS_TEXT = {ScalarType.DATETIME: "kql_texts_of_datetimes", ScalarType.TIMESPAN: "kql_texts_of_timespans"}


@step(plan.MakeSeries)
def _make_series(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.MakeSeries)
    bucketed, start, stop = _bucketed(emitter, block, node)
    values, columns = _aggregated(emitter, bucketed, node, start)
    return _collected(emitter, values, node, columns, _Bounds(start, stop))


def _bucketed(emitter: Relations, block: Block, node: plan.MakeSeries) -> tuple[Block, Expression, Expression]:
    """The rows inside the bounds, and the bounds: constants, or columns with those of the group's data."""
    columns = list(node.input.columns)
    if block.limit is not None:
        block = emitter.closed(block, columns)
    block = emitter.prepared(block, columns, [node.axis, *node.keys, *node.aggregates])
    scalars = emitter.scalars(block)
    bounds: list[Expression] = []
    for given, function in ((node.start, "min"), (node.stop, "max")):
        if given is not None:
            bounds.append(given)
            continue
        edge = tree.over(tree.call(function, scalars.value(node.axis)), scalars.values(node.keys))
        if function == "min":
            edge = tree.call(f"kql_bin_{_macro(node)}", edge, scalars.value(node.step))
        else:
            edge = tree.binary(exp.Add, edge, scalars.value(node.step))
        column = Column(emitter.fresh_column(), f"_{function}", node.axis.type)
        block.bindings[column.id] = edge
        columns.append(column)
        bounds.append(ColumnReference(node.axis.type, column))
    if len(columns) > len(node.input.columns):
        block = emitter.closed(block, columns)
    scalars = emitter.scalars(block)
    if node.axis.type is ScalarType.DECIMAL:
        raise UnsupportedError("make-series", "the axis must not be decimal: convert it with todouble()")
    axis = scalars.value(node.axis)
    block.where.append(tree.binary(exp.GTE, axis, scalars.value(bounds[0])))
    if node.stop is not None:
        block.where.append(tree.binary(exp.LT, axis, scalars.value(bounds[1])))
    block.order = ()
    return block, bounds[0], bounds[1]


def _macro(node: plan.MakeSeries) -> str:
    return "real" if node.axis.type is ScalarType.REAL else "long"


def _aggregated(
    emitter: Relations, block: Block, node: plan.MakeSeries, start: Expression
) -> tuple[Block, list[Column]]:
    """One row per group and bucket, by way of a Summarize over the same block: keys, aggregates, bucket."""
    bucket = Column(emitter.fresh_column(), "_bucket", ScalarType.LONG)
    scalars = emitter.scalars(block)
    number = tree.call(f"kql_bucket_{_macro(node)}", *scalars.values([node.axis, start, node.step]))
    inner = Column(emitter.fresh_column(), "_number", ScalarType.LONG)
    block.bindings[inner.id] = number
    keys = [
        Column(emitter.fresh_column(), column.name, each.type)
        for column, each in zip(node.columns, node.keys, strict=False)
    ]
    group_by: list[Expression] = [*node.keys, ColumnReference(ScalarType.LONG, inner)]
    carried = [start] if isinstance(start, ColumnReference) else []
    keyed = [*keys, bucket]
    if carried:
        group_by += carried
        keyed.append(start.column)  # type: ignore[attr-defined]
    outputs = [Column(emitter.fresh_column(), f"_value{i}", each.type) for i, each in enumerate(node.aggregates)]
    rows = plan.Project((*node.input.columns, inner, *(each.column for each in carried)), node.input, ())
    summarize = plan.Summarize((*keyed, *outputs), rows, tuple(group_by), node.aggregates)
    return STEPS[plan.Summarize](emitter, block, summarize), [*keys, *outputs, bucket]


@dataclasses.dataclass(frozen=True, slots=True)
class _Bounds:
    """First and last value of the axis: constants, or columns."""

    start: Expression
    stop: Expression


def _collected(
    emitter: Relations, block: Block, node: plan.MakeSeries, columns: Sequence[Column], bounds: _Bounds
) -> Block:
    """One row per group: its buckets as a map, then arrays with the gaps filled."""
    keys, outputs, bucket = columns[: len(node.keys)], columns[len(node.keys) : -1], columns[-1]
    number = block.bindings[bucket.id]
    items = [block.bindings[column.id] for column in keys]
    for output in outputs:
        entry = tree.call(
            "struct_pack",
            exp.PropertyEQ(this=exp.Identifier(this="k"), expression=tree.used_once(number)),
            exp.PropertyEQ(this=exp.Identifier(this="v"), expression=embed(block.bindings[output.id], output.type)),
        )
        items.append(tree.call("kql_bucket_map", tree.call("list", entry)))
    count = Column(emitter.fresh_column(), "_count", ScalarType.LONG)
    items.append(tree.binary(exp.Add, tree.call("max", number), tree.number(1)))
    made = [*keys, *outputs, count]
    if isinstance(bounds.start, ColumnReference):
        made.append(bounds.start.column)
        items.append(tree.call("any_value", block.bindings[bounds.start.column.id]))
    names = unique_names(made)
    query = block.select([tree.aliased(v, n) for v, n in zip(items, names, strict=True)], ordered=False)
    if keys:
        query.set("group", exp.Group(expressions=[tree.number(i + 1) for i in range(len(keys))]))
    elif not (node.nonempty and node.start is not None and node.stop is not None):
        query.set("having", exp.Having(this=tree.binary(exp.GT, tree.call("count", number), tree.number(0))))
    result = emitter.relation(query, made, names)
    return _filled(emitter, result, node, [*keys, *outputs, count], bounds)


def _filled(
    emitter: Relations, result: Block, node: plan.MakeSeries, columns: Sequence[Column], bounds: _Bounds
) -> Block:
    """`columns` are the keys, the aggregates' maps and the number of buckets."""
    scalars: Scalars = emitter.scalars(result)
    first, step_ = scalars.value(bounds.start), scalars.value(node.step)
    length: Sql = result.bindings[columns[-1].id]
    if node.stop is not None:
        length = tree.call(f"kql_bucket_count_{_macro(node)}", first, scalars.value(bounds.stop), step_)
    axis = tree.call(f"kql_axis_{_macro(node)}", first, step_, length)
    if node.axis.type in _AXIS_TEXT:
        axis = tree.call(_AXIS_TEXT[node.axis.type], axis)
    keys, outputs = columns[: len(node.keys)], columns[len(node.keys) : -1]
    arrays = [
        tree.call("kql_series_values", result.bindings[output.id], length, embed(scalars.value(default), default.type))
        for output, default in zip(outputs, node.defaults, strict=True)
    ]
    values = [*(result.bindings[key.id] for key in keys), *arrays, tree.call("to_json", axis)]
    result.bindings = {column.id: value for column, value in zip(node.columns, values, strict=True)}
    return result
