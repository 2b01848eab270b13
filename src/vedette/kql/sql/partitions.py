"""partition: a subquery for each part of the rows.

Where every operator of the subquery has a form that works on all parts at once (keyed by one more column), that is what
runs. Otherwise the subquery stands beside the distinct keys as a lateral join.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.plan import Call, Column, ColumnReference, Expression, Literal, Relation
from vedette.kql.sql import tree
from vedette.kql.sql.blocks import Block, unique_names
from vedette.kql.sql.relations import Relations, leaf
from vedette.kql.types import ScalarType


@leaf(plan.Partition)
def _partition(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.Partition)
    key = Column(emitter.fresh_column(), "_key", node.key.type)
    everything = keyed(node, key, emitter)
    if everything is None:
        return _lateral(emitter, node, key)
    return emitter.block(plan.Project(node.columns, everything, tuple(_reference(each) for each in node.columns)))


def _reference(column: Column) -> Expression:
    return ColumnReference(column.type, column)


# --- all parts at once ----------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class _Part:
    """The partition whose subquery is being changed, and the column that tells its parts apart."""

    node: plan.Partition
    key: Column
    emitter: Relations

    def fresh(self, column: Column) -> Column:
        """Another column of that name and type."""
        return Column(self.emitter.fresh_column(), column.name, column.type)

    @property
    def reference(self) -> Expression:
        """The key as an expression."""
        return _reference(self.key)


def keyed(node: plan.Partition, key: Column, emitter: Relations) -> Relation | None:
    """The subquery with the key behind its columns, over all parts; None where an operator has no such form."""
    part = _Part(node, key, emitter)
    body = node.body
    pipeline: list[Relation] = []
    while type(body) in _FORMS:
        pipeline.append(body)
        body = body.input  # type: ignore[attr-defined]
    if not isinstance(body, plan.CorrelatedRows) or body.scope != part.node.scope:
        return None
    rows = part.node.input
    values = (*(_reference(each) for each in rows.columns), part.node.key)
    result: Relation = plan.Project((*rows.columns, part.key), rows, values)
    for each in reversed(pipeline):
        changed = _FORMS[type(each)](each, result, part)
        if changed is None:
            return None
        result = changed
    return result


def _widened(node: Any, below: Relation, part: _Part) -> Relation:
    """The same operator with one more column that it hands through."""
    columns = (*node.columns, part.key)
    return dataclasses.replace(node, columns=columns, input=below)  # type: ignore[no-any-return]


def _project(node: plan.Project, below: Relation, part: _Part) -> Relation:
    return plan.Project((*node.columns, part.key), below, (*node.expressions, part.reference))


def _sort(node: plan.Sort, below: Relation, part: _Part) -> Relation:
    columns = (*node.columns, part.key)
    if node.limit is not None:
        return plan.FirstOfGroups(columns, below, (part.reference,), node.keys, node.limit)
    return plan.Sort(columns, below, node.keys)


def _limit(node: plan.Limit, below: Relation, part: _Part) -> Relation:
    return plan.FirstOfGroups((*node.columns, part.key), below, (part.reference,), (), node.count)


def _summarize(node: plan.Summarize, below: Relation, part: _Part) -> Relation:
    if not node.keys:
        return _one_row_each(node, below, part)
    width = len(node.keys)
    columns = (*node.columns[:width], part.key, *node.columns[width:])
    grouped = plan.Summarize(columns, below, (*node.keys, part.reference), node.aggregates)
    return plan.Project((*node.columns, part.key), grouped, tuple(map(_reference, (*node.columns, part.key))))


def _one_row_each(node: plan.Summarize, below: Relation, part: _Part) -> Relation:
    """A row for each part, even for one that a filter has emptied: there what aggregates say of no rows at all."""
    found = part.fresh(part.key)
    grouped = plan.Summarize((found, *node.columns), below, (part.reference,), node.aggregates)
    there = part.fresh(Column(0, "_there", ScalarType.BOOL))
    marked = plan.Project(
        (*grouped.columns, there),
        grouped,
        (*map(_reference, grouped.columns), Literal(ScalarType.BOOL, True)),
    )
    rows = plan.Project((part.key,), part.node.input, (part.node.key,))
    keys = plan.Distinct((part.key,), rows)
    on = ((part.reference, _reference(found)),)
    columns = (part.key, *node.columns, there)
    joined = plan.Join(columns, keys, marked, "leftouter", on, columns)
    nothing = plan.Filter(below.columns, below, Literal(ScalarType.BOOL, False))
    defaults = tuple(part.fresh(each) for each in node.columns)
    empty = plan.Summarize(defaults, nothing, (), node.aggregates)
    beside = (*columns, *defaults)
    both = plan.Join(beside, joined, empty, "inner", (), beside)
    outputs = tuple(part.fresh(each) for each in node.columns)
    present = Call(ScalarType.BOOL, "isnotnull", (_reference(there),))
    values = (
        Call(one.type, "iff", (present, _reference(one), _reference(other)))
        for one, other in zip(node.columns, defaults, strict=True)
    )
    named = plan.Project((*outputs, part.key), both, (*values, part.reference))
    return plan.Project((*node.columns, part.key), named, (*map(_reference, outputs), part.reference))


def _scan(node: plan.ScanSteps, below: Relation, part: _Part) -> Relation:
    """The key has to stand among the input's columns, behind which the declared ones follow."""
    width = len(node.input.columns)
    states = tuple((*each[:width], part.key, *each[width:]) for each in node.states)
    columns = (*node.columns[:width], part.key, *node.columns[width:])
    partition = (*node.partition, part.reference)
    scan = dataclasses.replace(node, columns=columns, input=below, states=states, partition=partition)
    return plan.Project((*node.columns, part.key), scan, tuple(map(_reference, (*node.columns, part.key))))


def _apply(node: plan.Apply, below: Relation, part: _Part) -> Relation:
    columns = (*node.outer, part.key, *node.columns[len(node.outer) :])
    expanded, outer = (*node.expanded, part.key), (*node.outer, part.key)
    apply = dataclasses.replace(node, columns=columns, input=below, expanded=expanded, outer=outer)
    return plan.Project((*node.columns, part.key), apply, tuple(map(_reference, (*node.columns, part.key))))


_FORMS: dict[type[Relation], Callable[[Any, Relation, _Part], Relation | None]] = {
    plan.Filter: _widened,
    plan.Unnest: _widened,
    plan.Distinct: _widened,
    plan.Project: _project,
    plan.Sort: _sort,
    plan.Limit: _limit,
    plan.Summarize: _summarize,
    plan.ScanSteps: _scan,
    plan.Apply: _apply,
}


# --- part by part ---------------------------------------------------------------------------------------------------


def _lateral(emitter: Relations, node: plan.Partition, key: Column) -> Block:
    rows = plan.Project(
        (*node.input.columns, key), node.input, (*(_reference(each) for each in node.input.columns), node.key)
    )
    made = emitter.closed(emitter.block(rows), rows.columns)
    keys = exp.Select(expressions=[tree.aliased(made.bindings[key.id], "_key")], distinct=exp.Distinct())
    assert made.source is not None
    keys = keys.from_(tree.used_once(made.source))
    outer = emitter.alias()
    same = tree.same(made.bindings[key.id], tree.column("_key", outer))
    emitter.scopes[node.scope] = Block(made.source, dict(made.bindings), where=[same], order=made.order)
    emitter.nested += 1
    body = emitter.block(node.body)
    names = unique_names(node.body.columns)
    items = [tree.aliased(body.bindings[c.id], name) for c, name in zip(node.body.columns, names, strict=True)]
    query = body.select(items, ordered=body.limit is not None)
    emitter.nested -= 1
    inner = emitter.alias()
    lateral = exp.Lateral(this=exp.Subquery(this=query), alias=exp.TableAlias(this=exp.Identifier(this=inner)))
    source = exp.Subquery(this=keys, alias=exp.TableAlias(this=exp.Identifier(this=outer)))
    bindings: dict[int, tree.Sql] = {
        column.id: tree.column(name, inner) for column, name in zip(node.columns, names, strict=True)
    }
    return Block(source, bindings, joins=[exp.Join(this=lateral, kind="CROSS")])
