"""Operators that go by the place of rows: numbers, the least of a group, the neighbours of rows."""

from __future__ import annotations

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.plan import Column, Relation
from vedette.kql.sql import tree
from vedette.kql.sql.blocks import Block, OrderKey
from vedette.kql.sql.ordering import order_keys
from vedette.kql.sql.relations import Relations, step
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType


@step(plan.RowNumbers)
def _row_numbers(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.RowNumbers)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    number = tree.over(tree.call("row_number"), order=[key.ordered() for key in block.order])
    block.bindings[node.number.id] = number
    return emitter.closed(block, node.columns)


@step(plan.Least)
def _least(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Least)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block = emitter.prepared(block, node.input.columns, [*node.keys, node.measure])
    scalars = emitter.scalars(block)
    order = [tree.ordered(scalars.value(node.measure), False, True)]
    ranking = tree.over(tree.call("row_number" if node.single else "rank"), scalars.values(node.keys), order)
    place = Column(emitter.fresh_column(), "_place", ScalarType.LONG)
    block.bindings[place.id] = ranking
    block = emitter.closed(block, [*node.input.columns, place])
    block.where.append(tree.equal(block.bindings[place.id], tree.number(1)))
    return block


@step(plan.FirstOfGroups)
def _first_of_groups(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.FirstOfGroups)
    columns = node.input.columns
    if block.limit is not None:
        block = emitter.closed(block, columns)
    block = emitter.prepared(block, columns, [*node.keys, *(key.expression for key in node.order)])
    scalars = emitter.scalars(block)
    order = order_keys(scalars, node.order) or block.order
    number = tree.over(tree.call("row_number"), scalars.values(node.keys), [key.ordered() for key in order])
    place = Column(emitter.fresh_column(), "_place", ScalarType.LONG)
    block.bindings[place.id] = number
    block.order = order
    block = emitter.closed(block, [*columns, place])
    block.where.append(tree.binary(exp.LTE, block.bindings[place.id], emitter.constant(node.count)))
    return block


@step(plan.Neighbours)
def _neighbours(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Neighbours)
    columns = node.input.columns
    if block.limit is not None:
        block = emitter.closed(block, columns)
    block = emitter.prepared(block, columns, [node.condition])
    place, hit = (Column(emitter.fresh_column(), name, type_) for name, type_ in _PLACED)
    order = [key.ordered() for key in block.order]
    block.bindings[hit.id] = emitter.scalars(block).value(node.condition)
    block.bindings[place.id] = tree.over(tree.call("row_number"), order=order)
    block.order = ()
    block = emitter.closed(block, [*columns, hit, place])
    near = Column(emitter.fresh_column(), "_near", ScalarType.BOOL)
    frame = exp.WindowSpec(
        kind="ROWS", start=tree.number(node.after), start_side="PRECEDING", end=tree.number(node.before),
        end_side="FOLLOWING",
    )  # fmt: skip
    window = tree.over(tree.call("bool_or", block.bindings[hit.id]), order=[_by(block, place)])
    window.set("spec", frame)
    block.bindings[near.id] = window
    block = emitter.closed(block, [*columns, place, near])
    block.where.append(block.bindings[near.id])
    block.order = (OrderKey(block.bindings[place.id], False, False),)
    return block


_PLACED = (("_place", ScalarType.LONG), ("_hit", ScalarType.BOOL))


def _by(block: Block, place: Column) -> Sql:
    return tree.ordered(block.bindings[place.id], False, False)
