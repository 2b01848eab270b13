"""Graph operators and the patterns they match."""

from __future__ import annotations

from vedette.kql.syntax.expressions import ContextualSubquery, NameReference
from vedette.kql.syntax.nodes import Expression, Name, Node, OperatorParameter, TabularOperator, node


@node
class GraphNodesTable(Node):
    """`with table on key` of make-graph."""

    table: Expression
    key: NameReference


@node
class MakeGraphOperator(TabularOperator):
    """`make-graph source --> target with nodes on id, …`; `node_id` for `with_node_id=`.

    `partitioned_by` and `subquery` belong to the form that runs a subquery per partition.
    """

    source: NameReference
    direction: str
    target: NameReference
    nodes: tuple[GraphNodesTable, ...]
    node_id: Name | None
    partitioned_by: NameReference | None
    subquery: ContextualSubquery | None


@node
class GraphNode(Node):
    """`(name)` or `()` in a graph pattern."""

    name: Name | None


@node
class GraphEdge(Node):
    """An edge in a graph pattern. `direction` is `-->`, `<--` or `--` (either way).

    With `*low..high` the edge has variable length, `high` None where open.
    """

    name: Name | None
    direction: str
    variable: bool
    low: Expression | None
    high: Expression | None


@node
class GraphPattern(Node):
    """Nodes and edges in turn, beginning and ending with a node."""

    elements: tuple[GraphNode | GraphEdge, ...]


@node
class GraphMatchOperator(TabularOperator):
    """`graph-match cycles=… patterns where condition project columns`."""

    patterns: tuple[GraphPattern, ...]
    where: Expression | None
    project: tuple[Expression, ...]


@node
class GraphShortestPathsOperator(TabularOperator):
    """`graph-shortest-paths output=… pattern where condition project columns`."""

    patterns: tuple[GraphPattern, ...]
    where: Expression | None
    project: tuple[Expression, ...]


@node
class GraphTableOutput(Node):
    """`nodes as name with_node_id=x`, `edges as name with_source_id=s with_target_id=t` of graph-to-table."""

    kind: str
    name: Name | None
    parameters: tuple[OperatorParameter, ...]


@node
class GraphToTableOperator(TabularOperator):
    """`graph-to-table nodes …, edges …`."""

    outputs: tuple[GraphTableOutput, ...]


@node
class GraphMarkComponentsOperator(TabularOperator):
    """`graph-mark-components kind=weak with_component_id=c`."""


@node
class GraphWhereNodesOperator(TabularOperator):
    """`graph-where-nodes condition`."""

    condition: Expression


@node
class GraphWhereEdgesOperator(TabularOperator):
    """`graph-where-edges condition`."""

    condition: Expression
