"""Where rows come from: tables, values, ranges, external data, and rows that other places of the query share."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.compiled import ExternalRead
from vedette.kql.plan import Relation
from vedette.kql.sql import decimals, tree
from vedette.kql.sql.base import Scalars
from vedette.kql.sql.blocks import Block, unique_names
from vedette.kql.sql.literals import SQL_TYPES
from vedette.kql.sql.relations import Relations, leaf, result_columns
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType


def _taken(column: Sql, type_: ScalarType) -> Sql:
    """Values as they come into the query."""
    return decimals.of_number(column) if type_ is ScalarType.DECIMAL else column


@leaf(plan.Scan)
def _scan(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.Scan)
    alias = emitter.alias()
    name = emitter.table(node.table, node.time_range)
    source = exp.Table(this=tree.identifier(name), alias=exp.TableAlias(this=exp.Identifier(this=alias)))
    columns = zip(node.columns, node.physical, strict=True)
    return Block(source, {c.id: _taken(tree.column(physical, alias), c.type) for c, physical in columns})


@leaf(plan.Values)
def _values(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.Values)
    if len(node.rows) == 1:
        block = Block(None, {})
        scalars = emitter.scalars(block)
        block.bindings = {c.id: scalars.value(each) for c, each in zip(node.columns, node.rows[0], strict=True)}
        return block
    if not node.columns:
        return Block(None, {}, where=[] if node.rows else [tree.boolean(False)])
    names = unique_names(node.columns)
    if not node.rows:
        typed = [tree.aliased(tree.null(SQL_TYPES[c.type]), name) for c, name in zip(node.columns, names, strict=True)]
        empty = Block(None, {}, where=[tree.boolean(False)])
        return emitter.relation(empty.select(typed, ordered=False), node.columns, names)
    alias = emitter.alias()
    rows = [exp.Tuple(expressions=[tree.used_once(emitter.constant(each)) for each in row]) for row in node.rows]
    table = exp.TableAlias(this=exp.Identifier(this=alias), columns=[tree.identifier(name) for name in names])
    source = exp.Values(expressions=rows, alias=table)
    return Block(source, {c.id: tree.column(name, alias) for c, name in zip(node.columns, names, strict=True)})


@leaf(plan.Series)
def _series(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.Series)
    scalars = Scalars(emitter.dialect, {}, emitter)
    (column,) = node.columns
    bounds = scalars.values([node.start, node.stop, node.step])
    constant = all(isinstance(each, (plan.Literal, plan.QueryTime)) for each in (node.start, node.stop, node.step))
    steps = isinstance(node.step, plan.Literal) and bool(node.step.value)
    if constant and steps and column.type not in {ScalarType.REAL, ScalarType.DECIMAL}:
        return _counted(emitter, node, bounds)
    if column.type is ScalarType.DECIMAL:
        values = tree.call("unnest", tree.call("kql_range_real", *map(decimals.as_real, bounds)))
        item = tree.aliased(decimals.of_number(values), column.name)
        return emitter.relation(exp.Select(expressions=[item]), node.columns, [column.name])
    macro = "kql_range_real" if column.type is ScalarType.REAL else "kql_range"
    values = tree.call("unnest", tree.call(macro, *bounds))
    item = tree.aliased(tree.cast(values, SQL_TYPES[column.type]), column.name)
    return emitter.relation(exp.Select(expressions=[item]), node.columns, [column.name])


def _counted(emitter: Relations, node: plan.Series, bounds: Sequence[Sql]) -> Block:
    """Constant bounds: the engine counts without building a list."""
    (column,) = node.columns
    alias = emitter.alias()
    table = exp.TableAlias(this=exp.Identifier(this=alias), columns=[tree.identifier(column.name)])
    source = exp.Table(this=tree.call("generate_series", *bounds), alias=table)
    value = tree.column(column.name, alias)
    return Block(source, {column.id: tree.cast(value, "INTEGER") if column.type is ScalarType.INT else value})


@leaf(plan.Shared)
def _shared(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.Shared)
    return emitter.shared(node)


@leaf(plan.CorrelatedRows)
def _correlated(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.CorrelatedRows)
    rows = emitter.scopes[node.scope]
    return Block(rows.source, dict(rows.bindings), list(rows.joins), list(rows.where), rows.order, rows.limit)


@leaf(plan.ExternalData)
def _external(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.ExternalData)
    name = f"external#{len(emitter.externals) + 1}"
    columns = result_columns(node.columns)
    emitter.externals.append(ExternalRead(name, node.uris, node.format, columns, node.properties))
    alias = emitter.alias()
    source = exp.Table(this=tree.identifier(name), alias=exp.TableAlias(this=exp.Identifier(this=alias)))
    names = unique_names(node.columns)
    found = zip(node.columns, names, strict=True)
    return Block(source, {c.id: _taken(tree.column(each, alias), c.type) for c, each in found})
