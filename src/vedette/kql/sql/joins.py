"""Joins and unions. Null keys match each other; text that outer joins leave open is empty, not null."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.plan import Column, Expression, Relation
from vedette.kql.sql import tree
from vedette.kql.sql.base import Scalars, never_null
from vedette.kql.sql.blocks import Block, unique_names
from vedette.kql.sql.literals import default
from vedette.kql.sql.relations import Relations, leaf
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

_SIDES = {
    "inner": "", "innerunique": "", "leftouter": "LEFT", "rightouter": "RIGHT", "fullouter": "FULL",
    "leftsemi": "SEMI", "leftanti": "ANTI", "rightsemi": "SEMI", "rightanti": "ANTI",
}  # fmt: skip
_OPEN_LEFT = frozenset({"rightouter", "fullouter"})
_OPEN_RIGHT = frozenset({"leftouter", "fullouter"})


@leaf(plan.Join)
def _join(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.Join)
    left = emitter.source(emitter.block(node.left), node.left.columns)
    if node.kind == "innerunique":
        left = _first_of_each_key(emitter, left, node)
    right = emitter.source(emitter.block(node.right), node.right.columns)
    left, right = _apart(emitter, left, node.left.columns), _apart(emitter, right, node.right.columns)
    both = {**left.bindings, **right.bindings}
    condition = _condition(Scalars(emitter.dialect, both, emitter), node)
    if node.kind.startswith("right") and node.kind != "rightouter":
        left, right = right, left
    joined = exp.Join(this=right.source, on=condition)
    if kind := _SIDES[node.kind]:
        joined.set("kind" if kind in {"SEMI", "ANTI"} else "side", kind)
    opened = _opened(node)
    bindings = {
        column.id: _filled(both[source.id], source) if source.id in opened else tree.used_once(both[source.id])
        for column, source in zip(node.columns, node.sources, strict=True)
    }
    return Block(left.source, bindings, joins=[joined])


def _apart(emitter: Relations, block: Block, columns: Sequence[Column]) -> Block:
    """The source with nodes of its own, so that both sides may come from one relation."""
    source = block.source
    assert source is not None
    alias = emitter.alias()
    names = {each: binding.name for each, binding in block.bindings.items()}
    copy = source.copy()
    known = copy.args.get("alias")
    if isinstance(known, exp.TableAlias) and known.columns:  # names of columns are part of it
        known.set("this", exp.Identifier(this=alias))
    else:
        copy.set("alias", exp.TableAlias(this=exp.Identifier(this=alias)))
    return Block(copy, {column.id: tree.column(names[column.id], alias) for column in columns})


def _first_of_each_key(emitter: Relations, left: Block, node: plan.Join) -> Block:
    """`innerunique` keeps one row of the left side for each key: the first."""
    keys = emitter.scalars(left).values([pair[0] for pair in node.on])
    names = unique_names(node.left.columns)
    items = [tree.aliased(left.bindings[c.id], name) for c, name in zip(node.left.columns, names, strict=True)]
    query = left.select(items, ordered=False)
    query.set("distinct", exp.Distinct(on=exp.Tuple(expressions=[tree.used_once(each) for each in keys])))
    return emitter.relation(query, node.left.columns, names)


def _condition(scalars: Scalars, node: plan.Join) -> Sql:
    tests = [_matches(scalars, *pair) for pair in node.on]
    if node.residual is not None:
        tests.append(scalars.condition(node.residual))
    return tree.both(*tests) if tests else tree.boolean(True)


def _matches(scalars: Scalars, left: Expression, right: Expression) -> Sql:
    sides = scalars.value(left), scalars.value(right)
    if left.type is ScalarType.DYNAMIC:
        sides = tree.call("kql_tostring_dynamic", sides[0]), tree.call("kql_tostring_dynamic", sides[1])
    return tree.equal(*sides) if never_null(left) and never_null(right) else tree.same(*sides)


def _opened(node: plan.Join) -> set[int]:
    """Columns of a side whose rows may be missing."""
    opened: set[int] = set()
    if node.kind in _OPEN_LEFT:
        opened |= {column.id for column in node.left.columns}
    if node.kind in _OPEN_RIGHT:
        opened |= {column.id for column in node.right.columns}
    return opened


def _filled(value: Sql, column: Column) -> Sql:
    if column.type is ScalarType.STRING:
        return tree.coalesce(value, tree.text(""))
    return tree.used_once(value)


@leaf(plan.Union)
def _union(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.Union)
    names = unique_names(node.columns)
    legs = [_leg(emitter, node, position, names) for position in range(len(node.inputs))]
    query: exp.Query = legs[0]
    for each in legs[1:]:
        query = exp.Union(this=query, expression=each, distinct=False)
    return emitter.relation(query, node.columns, names)


def _leg(emitter: Relations, node: plan.Union, position: int, names: Sequence[str]) -> exp.Select:
    inner = node.inputs[position]
    block = emitter.block(inner)
    if block.limit is not None:
        block = emitter.closed(block, inner.columns)
    block.order = ()
    items = [
        tree.aliased(block.bindings[source.id] if source is not None else default(column.type), name)
        for column, source, name in zip(node.columns, node.sources[position], names, strict=True)
    ]
    return block.select(items or [tree.aliased(tree.number(1), "_row")], ordered=False)
