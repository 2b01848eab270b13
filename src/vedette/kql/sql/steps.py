"""Operators over one input that filter, project, order and limit its rows."""

from __future__ import annotations

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.plan import Relation
from vedette.kql.sql import tree
from vedette.kql.sql.blocks import Block, OrderKey, unique_names
from vedette.kql.sql.ordering import order_keys
from vedette.kql.sql.relations import Relations, step


@step(plan.Filter)
def _filter(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Filter)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block = emitter.prepared(block, node.input.columns, [node.predicate])
    block.where.append(emitter.scalars(block).condition(node.predicate))
    return block


@step(plan.Project)
def _project(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Project)
    computed = [each for each in node.expressions if not isinstance(each, plan.ColumnReference)]
    block = emitter.prepared(block, node.input.columns, computed)
    scalars = emitter.scalars(block)
    block.bindings = {c.id: scalars.value(each) for c, each in zip(node.columns, node.expressions, strict=True)}
    return block


@step(plan.Sort)
def _sort(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Sort)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block = emitter.prepared(block, node.input.columns, [key.expression for key in node.keys])
    scalars = emitter.scalars(block)
    block.order = order_keys(scalars, node.keys)
    if node.limit is not None:
        block.limit = emitter.constant(node.limit)
    return block


@step(plan.Limit)
def _limit(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Limit)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block.limit = emitter.constant(node.count)
    return block


@step(plan.Sample)
def _sample(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Sample)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block.order = (OrderKey(tree.call("random"), False, False),)
    block.limit = emitter.constant(node.count)
    block = emitter.closed(block, node.input.columns)
    block.order = ()
    return block


@step(plan.Distinct)
def _distinct(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Distinct)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block.order = ()
    names = unique_names(node.input.columns)
    items = [tree.aliased(block.bindings[c.id], name) for c, name in zip(node.input.columns, names, strict=True)]
    query = block.select(items, ordered=False)
    query.set("distinct", exp.Distinct())
    result = emitter.relation(query, node.input.columns, names)
    return emitter.renamed(result, node.input.columns, node.columns)
