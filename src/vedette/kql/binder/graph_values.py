"""Graphs as the binder has them: no rows of their own, but two relations, of nodes and of edges."""

from __future__ import annotations

import dataclasses

from vedette.kql import plan
from vedette.kql.binder.context import Binder
from vedette.kql.binder.scopes import Table
from vedette.kql.plan import Column, Relation


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class GraphPart:
    """The nodes or the edges of a graph. The first `hidden` columns are the graph's own, the others properties."""

    relation: Relation
    shared: int
    hidden: int

    def rows(self, binder: Binder) -> GraphRows:
        """A reference to them, with fresh columns."""
        columns = tuple(binder.fresh(each) for each in self.relation.columns)
        return GraphRows(plan.Shared(columns, self.shared, self.relation, once=True), self.hidden)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class GraphRows:
    """Nodes (number, id, …) or edges (number, source's number, target's number, …) where a query reads them."""

    relation: Relation
    hidden: int

    @property
    def number(self) -> Column:
        """What tells a node or edge from others."""
        return self.relation.columns[0]

    @property
    def node_id(self) -> Column:
        """Of nodes: the value that identifies them."""
        return self.relation.columns[1]

    @property
    def partition(self) -> Column:
        """Of nodes of a partitioned graph: which part they belong to."""
        return self.relation.columns[2]

    @property
    def source(self) -> Column:
        """Of edges: the number of the node they start at."""
        return self.relation.columns[1]

    @property
    def target(self) -> Column:
        """Of edges: the number of the node they lead to."""
        return self.relation.columns[2]

    @property
    def properties(self) -> tuple[Column, ...]:
        """The columns a query can name."""
        return self.relation.columns[self.hidden :]


@dataclasses.dataclass(slots=True, eq=False)
class Graph(Table):
    """What make-graph yields. As a table it has no columns: operators on tables refuse it.

    `partition` is the property by which the graph falls into separate ones.
    """

    nodes: GraphPart = dataclasses.field(kw_only=True)
    edges: GraphPart = dataclasses.field(kw_only=True)
    partition: str | None = None

    def renewed(self, *, nodes: GraphPart | None = None, edges: GraphPart | None = None) -> Graph:
        """The graph with other nodes or edges."""
        return Graph(self.relation, nodes=nodes or self.nodes, edges=edges or self.edges, partition=self.partition)
