"""Graph operators and their patterns, `(a)-[e*1..3]->(b)`: arrows are made of single tokens without gaps."""

import abc

from vedette.kql import syntax
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.lexer import Tokens
from vedette.kql.parser.cursor import DECLARABLE
from vedette.kql.parser.scopes import ScopeParser
from vedette.kql.syntax import Expression, NameReference, TabularOperator

_MATCH = frozenset(["cycles"])
_SHORTEST = frozenset(["cycles", "output"])
_COMPONENTS = frozenset(["kind", "with_component_id"])
_TABLE_PARAMETERS = frozenset(["with_node_id", "with_source_id", "with_target_id"])


class GraphParser(ScopeParser, abc.ABC):
    """Parses make-graph and the operators over graphs."""

    def __init__(self, tokens: Tokens, diagnostics: Diagnostics) -> None:
        super().__init__(tokens, diagnostics)
        self.operators |= {
            "make-graph": self._make_graph,
            "graph-match": self._graph_match,
            "graph-shortest-paths": self._graph_shortest_paths,
            "graph-to-table": self._graph_to_table,
            "graph-mark-components": self._graph_mark_components,
            "graph-where-nodes": self._graph_where_nodes,
            "graph-where-edges": self._graph_where_edges,
        }

    # --- making a graph ---

    def _make_graph(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        source = self._column()
        direction = "-->" if self._accept_arrow("-->") else "--"
        if direction == "--" and not self._accept_arrow("--"):
            self.fail_expected("'-->'")
        target = self._column()
        nodes: tuple[syntax.GraphNodesTable, ...] = ()
        node_id = None
        if self.accept("with"):
            nodes = self.list_of(self._nodes_table)
        elif self.accept("with_node_id"):
            self.expect("=")
            node_id = self.declared_name()
        partitioned_by = subquery = None
        if self.accept("partitioned-by"):
            partitioned_by = self._column()
            subquery = self.contextual_subquery()
        span = self.span_since(first)
        return syntax.MakeGraphOperator(
            span, parameters, source, direction, target, nodes, node_id, partitioned_by, subquery
        )

    def _column(self) -> NameReference:
        name = self.declared_name("column name")
        return NameReference(name.span, name.text)

    def _nodes_table(self) -> syntax.GraphNodesTable:
        first = self.index
        table = self.operand()
        self.expect("on")
        key = self._column()
        return syntax.GraphNodesTable(self.span_since(first), table, key)

    def _accept_arrow(self, arrow: str) -> bool:
        """Take the tokens that spell `arrow` without gaps, or none."""
        at = self.index
        for offset, character in enumerate(arrow):
            if self.kind_after(offset) != character or (offset and not self.adjacent(at + offset - 1)):
                return False
        self.index = at + len(arrow)
        return True

    # --- patterns ---

    def _graph_match(self, first: int) -> TabularOperator:
        parameters = self.parameters(_MATCH)
        patterns, where, project = self._patterns()
        return syntax.GraphMatchOperator(self.span_since(first), parameters, patterns, where, project)

    def _graph_shortest_paths(self, first: int) -> TabularOperator:
        parameters = self.parameters(_SHORTEST)
        patterns, where, project = self._patterns()
        return syntax.GraphShortestPathsOperator(self.span_since(first), parameters, patterns, where, project)

    def _patterns(self) -> tuple[tuple[syntax.GraphPattern, ...], Expression | None, tuple[Expression, ...]]:
        if self.kinds[self.index] != "(":
            self.fail("missing_graph_pattern")
        patterns = self.list_of(self._pattern)
        where = self.expression() if self.accept("where") else None
        project = self.list_of(self.column_expression) if self.accept("project") else ()
        return patterns, where, project

    def _pattern(self) -> syntax.GraphPattern:
        first = self.index
        elements: list[syntax.GraphNode | syntax.GraphEdge] = [self._node()]
        while self.kinds[self.index] in {"-", "<"}:
            elements.append(self._edge())
            elements.append(self._node())
        return syntax.GraphPattern(self.span_since(first), tuple(elements))

    def _node(self) -> syntax.GraphNode:
        first = self.index
        if not self.accept("("):
            self.fail("graph_pattern_element", expected="a node in parentheses", found=self.found())
        name = None if self.kinds[self.index] == ")" else self.declared_name("node name")
        self.expect(")")
        return syntax.GraphNode(self.span_since(first), name)

    def _edge(self) -> syntax.GraphEdge:
        first = self.index
        for plain in ("-->", "<--", "--"):
            if self._accept_arrow(plain):
                return syntax.GraphEdge(self.span_since(first), None, plain, False, None, None)
        to_left = self._accept_arrow("<-[")
        if not to_left and not self._accept_arrow("-["):
            self.fail("graph_pattern_element", expected="an edge such as -[e]->", found=self.found())
        name = self.declared_name("edge name") if self.kinds[self.index] in DECLARABLE else None
        low = high = None
        variable = self.accept("*")
        if variable:
            low = self.operand()
            self.expect("..")
            high = self.operand()
        if to_left:
            direction = "<--" if self._accept_arrow("]-") else None
        else:
            direction = "-->" if self._accept_arrow("]->") else "--" if self._accept_arrow("]-") else None
        if direction is None:
            self.fail("graph_pattern_element", expected="']-' or ']->'", found=self.found())
        return syntax.GraphEdge(self.span_since(first), name, direction, variable, low, high)

    # --- the rest ---

    def _graph_to_table(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        outputs = self.list_of(self._table_output)
        return syntax.GraphToTableOperator(self.span_since(first), parameters, outputs)

    def _table_output(self) -> syntax.GraphTableOutput:
        first = self.index
        kind = self.word()
        if kind not in {"nodes", "edges"}:
            self.fail("missing", what="nodes or edges", found=self.found())
        self.index += 1
        name = self.declared_name("table name") if self.accept("as") else None
        parameters = self.parameters(_TABLE_PARAMETERS)
        return syntax.GraphTableOutput(self.span_since(first), kind, name, parameters)

    def _graph_mark_components(self, first: int) -> TabularOperator:
        parameters = self.parameters(_COMPONENTS)
        return syntax.GraphMarkComponentsOperator(self.span_since(first), parameters)

    def _graph_where_nodes(self, first: int) -> TabularOperator:
        parameters, condition = self.parameters(), self.expression()
        return syntax.GraphWhereNodesOperator(self.span_since(first), parameters, condition)

    def _graph_where_edges(self, first: int) -> TabularOperator:
        parameters, condition = self.parameters(), self.expression()
        return syntax.GraphWhereEdgesOperator(self.span_since(first), parameters, condition)
