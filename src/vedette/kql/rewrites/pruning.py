"""Column pruning: what nothing reads is not carried. Columns are identities: one set of live ones serves the plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from vedette.kql import plan
from vedette.kql.plan import Column, ColumnReference, Expression, Relation
from vedette.kql.rewrites.context import Context
from vedette.kql.traversal import (
    children_of,
    expressions_of,
    inputs_of,
    map_expressions,
    map_plans,
    rebuild,
    relations,
    subqueries_of,
)

Dependencies = dict[int, set[int]]
Item = TypeVar("Item")

_PASSING = (
    plan.Filter, plan.Sort, plan.Limit, plan.Sample, plan.Unnest, plan.RowNumbers, plan.Least, plan.FirstOfGroups,
    plan.Neighbours,
)  # fmt: skip
"""Nodes whose columns are those of their input (or new ones that are computed by all means)."""


def prune(root: Relation, _: Context) -> Relation:
    """The plan without columns that do not matter to its result."""
    live = _live(root)

    def within(relation: Relation) -> Relation:
        return rebuild(relation, change)

    def change(original: Relation, renewed: Relation) -> Relation:
        renewed = map_expressions(renewed, lambda each: map_plans(each, within))
        narrow = _NARROW.get(type(renewed))
        return renewed if narrow is None else narrow(original, renewed, live)

    return within(root)


# --- what is live ---------------------------------------------------------------------------------------------------


def _references(expressions: Iterable[Expression]) -> set[int]:
    found: set[int] = set()
    stack = list(expressions)
    while stack:
        node = stack.pop()
        if isinstance(node, ColumnReference):
            found.add(node.column.id)
        stack.extend(children_of(node))
    return found


def _live(root: Relation) -> set[int]:
    """Columns of the result and whatever they, the filters and the orders depend on."""
    roots = {column.id for column in root.columns}
    needs: Dependencies = {}
    for node in relations(root):
        roots |= _always(node)
        for expression in expressions_of(node):
            roots |= {inner.columns[0].id for inner in subqueries_of(expression) if inner.columns}
        for column, sources in _derived(node):
            needs.setdefault(column, set()).update(sources)
    live: set[int] = set()
    waiting = list(roots)
    while waiting:
        column = waiting.pop()
        if column not in live:
            live.add(column)
            waiting.extend(needs.get(column, ()))
    return live


def _derived(node: Relation) -> list[tuple[int, set[int]]]:
    """Columns that matter only if they are read, each with what it is computed from."""
    if isinstance(node, (plan.Project, plan.Window)):
        return [
            (c.id, {each.column.id} if type(each) is ColumnReference else _references([each]))
            for c, each in zip(node.columns, node.expressions, strict=True)
        ]
    if isinstance(node, plan.Summarize):
        outputs = node.columns[len(node.keys) :]
        return [(c.id, _references([each])) for c, each in zip(outputs, node.aggregates, strict=True)]
    if isinstance(node, plan.Join):
        return [(c.id, {source.id}) for c, source in zip(node.columns, node.sources, strict=True)]
    if isinstance(node, plan.Union):
        return [
            (column.id, {legs[position].id for legs in node.sources if legs[position] is not None})  # type: ignore[union-attr]
            for position, column in enumerate(node.columns)
        ]
    if isinstance(node, plan.Shared):
        return [(outer.id, {inner.id}) for outer, inner in zip(node.columns, node.input.columns, strict=True)]
    return []


def _always(node: Relation) -> set[int]:
    """Columns that matter whether the node's own are read or not."""
    if isinstance(node, (plan.Project, plan.Window)):
        return set()
    if isinstance(node, plan.Summarize):
        return _references(node.keys)
    if isinstance(node, (plan.Join, *_PASSING)):
        return _references(expressions_of(node))
    if isinstance(node, (plan.Union, plan.Shared, plan.Scan, plan.CorrelatedRows)):
        return set()
    every = {column.id for each in inputs_of(node) for column in each.columns}
    return every | _references(expressions_of(node))


# --- narrowing ------------------------------------------------------------------------------------------------------


def _kept(columns: Sequence[Column], live: set[int]) -> list[int]:
    return [position for position, column in enumerate(columns) if column.id in live]


def _at(values: Sequence[Item], positions: Sequence[int]) -> tuple[Item, ...]:
    return tuple(values[position] for position in positions)


def _narrow_scan(_: Relation, node: Relation, live: set[int]) -> Relation:
    assert isinstance(node, plan.Scan)
    kept = _kept(node.columns, live) or [0]
    return dataclasses.replace(node, columns=_at(node.columns, kept), physical=_at(node.physical, kept))


def _narrow_project(_: Relation, node: Relation, live: set[int]) -> Relation:
    assert isinstance(node, (plan.Project, plan.Window))
    kept = _kept(node.columns, live)
    return dataclasses.replace(node, columns=_at(node.columns, kept), expressions=_at(node.expressions, kept))


def _narrow_summarize(_: Relation, node: Relation, live: set[int]) -> Relation:
    assert isinstance(node, plan.Summarize)
    first = len(node.keys)
    kept = [position for position in range(len(node.aggregates)) if node.columns[first + position].id in live]
    columns = node.columns[:first] + tuple(node.columns[first + position] for position in kept)
    return dataclasses.replace(node, columns=columns, aggregates=_at(node.aggregates, kept))


def _narrow_join(_: Relation, node: Relation, live: set[int]) -> Relation:
    assert isinstance(node, plan.Join)
    kept = _kept(node.columns, live)
    return dataclasses.replace(node, columns=_at(node.columns, kept), sources=_at(node.sources, kept))


def _narrow_union(_: Relation, node: Relation, live: set[int]) -> Relation:
    assert isinstance(node, plan.Union)
    kept = _kept(node.columns, live)
    sources = tuple(_at(legs, kept) for legs in node.sources)
    return dataclasses.replace(node, columns=_at(node.columns, kept), sources=sources)


def _narrow_shared(original: Relation, node: Relation, _: set[int]) -> Relation:
    """Columns stand by position for those of the input, which has been narrowed already."""
    assert isinstance(node, plan.Shared)
    assert isinstance(original, plan.Shared)
    remaining = {column.id for column in node.input.columns}
    pairs = zip(original.columns, original.input.columns, strict=True)
    return dataclasses.replace(node, columns=tuple(outer for outer, inner in pairs if inner.id in remaining))


def _narrow_passing(_original: Relation, node: Relation, _live: set[int]) -> Relation:
    (below,) = inputs_of(node)
    return dataclasses.replace(node, columns=below.columns)


def _narrow_numbers(_original: Relation, node: Relation, _live: set[int]) -> Relation:
    assert isinstance(node, plan.RowNumbers)
    return dataclasses.replace(node, columns=(node.number, *node.input.columns))


def _narrow_unnest(_original: Relation, node: Relation, _live: set[int]) -> Relation:
    assert isinstance(node, plan.Unnest)
    made = {column.id for column, _ in node.items} | ({node.index.id} if node.index is not None else set())
    available = made | {column.id for column in node.input.columns}
    return dataclasses.replace(node, columns=tuple(each for each in node.columns if each.id in available))


def _narrow_apply(_original: Relation, node: Relation, _live: set[int]) -> Relation:
    assert isinstance(node, plan.Apply)
    made = {column.id for column, _ in node.items} | ({node.index.id} if node.index is not None else set())
    available = {column.id for column in node.input.columns}
    outer = tuple(each for each in node.outer if each.id in available)
    expanded = tuple(each for each in node.expanded if each.id in available | made)
    return dataclasses.replace(node, columns=outer + node.body.columns, outer=outer, expanded=expanded)


_NARROW: dict[type[Relation], Callable[[Relation, Relation, set[int]], Relation]] = {
    plan.Scan: _narrow_scan,
    plan.Project: _narrow_project,
    plan.Window: _narrow_project,
    plan.Summarize: _narrow_summarize,
    plan.Join: _narrow_join,
    plan.Union: _narrow_union,
    plan.Shared: _narrow_shared,
    plan.Filter: _narrow_passing,
    plan.Sort: _narrow_passing,
    plan.Limit: _narrow_passing,
    plan.Sample: _narrow_passing,
    plan.RowNumbers: _narrow_numbers,
    plan.Least: _narrow_passing,
    plan.FirstOfGroups: _narrow_passing,
    plan.Neighbours: _narrow_passing,
    plan.Unnest: _narrow_unnest,
    plan.Apply: _narrow_apply,
}
