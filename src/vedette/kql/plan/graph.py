"""Graphs: nodes and edges are relations of their own, whose rows have numbers."""

from __future__ import annotations

from vedette.kql.plan.nodes import Column, Relation, node


@node
class Carried:
    """A value collected along a path: of each step or, if `inner`, of each node between two steps.

    `source` is a column of `GraphPaths.steps`: with fold `list` any value, with `all` and `any` a condition.
    """

    output: Column
    source: Column
    fold: str
    inner: bool


@node
class GraphPaths(Relation):
    """Walks of `low` to `high` steps from each node in `seeds` (one column of node numbers).

    `steps` are edges as they can be walked, from `origin` to `target`. Columns: first node, last node, the edges'
    numbers, the inner nodes' numbers (two lists that only `path_*` functions read), then one per `carried`.
    `distinct` forbids repeating `edges`, `nodes` or nothing (`""`). `passable`, a condition among the columns of
    `steps`, must hold where a step begins at an inner node. `backwards`: lists are in the reverse order of the walk.
    `shortest` keeps, for each pair of first and last node, the shortest walks: `any` one of them, or `all`.
    """

    seeds: Relation
    steps: Relation
    origin: Column
    target: Column
    number: Column
    low: int
    high: int
    distinct: str
    carried: tuple[Carried, ...] = ()
    passable: Column | None = None
    backwards: bool = False
    shortest: str | None = None


@node
class GraphComponents(Relation):
    """Node number and number of the connected component, from 0 within each `partition`, in order of the edges.

    `nodes` has the node numbers first, `edges` edge number, source and target. `strong`: along the edges' direction.
    """

    nodes: Relation
    edges: Relation
    partition: Column | None
    strong: bool
