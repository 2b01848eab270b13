"""graph-match and graph-shortest-paths: a pattern becomes joins of nodes, edges and paths, cheapest beginning first."""

from __future__ import annotations

import dataclasses
import itertools

from vedette.kql import plan, syntax
from vedette.kql.binder.assignments import bind_assignments
from vedette.kql.binder.constants import word
from vedette.kql.binder.context import Binder
from vedette.kql.binder.expressions import all_of, bind_boolean
from vedette.kql.binder.graph_joins import apart, beginnings, no_common_edge, oriented, unequal, with_degree, without
from vedette.kql.binder.graph_patterns import (
    Pattern,
    PatternEdge,
    PatternNode,
    PatternPath,
    columns_of,
    conjuncts,
)
from vedette.kql.binder.graph_values import Graph
from vedette.kql.binder.names import OutputNames
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.scopes import Scope, Table, reference
from vedette.kql.plan import Call, Column, Expression, Literal, Relation
from vedette.kql.types import ScalarType

_T = ScalarType

EDGES, NODES, NOTHING = "edges", "nodes", ""
_CYCLES = {"all": NOTHING, "none": NODES, "unique_edges": EDGES}
_OUTPUTS = frozenset({"any", "all"})


@operator(syntax.GraphMatchOperator)
def bind_graph_match(binder: Binder, written: syntax.GraphMatchOperator, table: Table, scope: Scope) -> Table:
    """`graph-match`: a row for each way in which the pattern is found."""
    return _bind(binder, written, table, scope, shortest=None)


@operator(syntax.GraphShortestPathsOperator)
def bind_shortest_paths(
    binder: Binder, written: syntax.GraphShortestPathsOperator, table: Table, scope: Scope
) -> Table:
    """`graph-shortest-paths`: one (any) or all of the shortest ways between the ends of the pattern."""
    output = word(written.parameter("output")) or "any"
    if output not in _OUTPUTS:
        fields = {"name": "output", "expected": "any, all", "found": output}
        return binder.fail_table("invalid_parameter_value", written.span, **fields)
    variable = any(isinstance(each, syntax.GraphEdge) and each.variable for each in written.patterns[0].elements)
    if len(written.patterns) > 1 or not variable:
        return binder.fail_table("graph_shortest_pattern", written.patterns[-1].span)
    return _bind(binder, written, table, scope, shortest=output)


def _bind(
    binder: Binder,
    written: syntax.GraphMatchOperator | syntax.GraphShortestPathsOperator,
    graph: Table,
    scope: Scope,
    *,
    shortest: str | None,
) -> Table:
    assert isinstance(graph, Graph)
    cycles = word(written.parameter("cycles")) or "unique_edges"
    if cycles not in _CYCLES:
        fields = {"name": "cycles", "expected": ", ".join(_CYCLES), "found": cycles}
        return binder.fail_table("invalid_parameter_value", written.span, **fields)
    if not written.project:
        return binder.fail_table("graph_without_project", written.span)
    pattern = Pattern(binder, graph)
    pattern.read(written.patterns)
    conditions: list[Expression] = []
    if written.where is not None:
        bound = bind_boolean(binder, written.where, pattern.scope(scope, condition=True))
        conditions = conjuncts(bound)
    for path in pattern.paths():
        conditions = path.take_conditions(conditions)
    names = OutputNames()
    assignments = bind_assignments(binder, written.project, pattern.scope(scope, condition=False))
    columns = tuple(binder.column(names.automatic(each.name), each.expression.type) for each in assignments)
    values = tuple(each.expression for each in assignments)
    _check_single_edges(binder, pattern, (*conditions, *values), written)
    if binder.diagnostics.has_errors:
        return Table(plan.Values(columns, ()))
    wanted = _Wanted(conditions, values, _CYCLES[cycles], shortest)
    relation = _Matching(binder, pattern, wanted).relation()
    return Table(plan.Project(columns, relation, values))


def _check_single_edges(
    binder: Binder, pattern: Pattern, expressions: tuple[Expression, ...], written: syntax.TabularOperator
) -> None:
    """Properties of a path's single edges mean something only in conditions on nothing else."""
    used = columns_of(expressions)
    for path in pattern.paths():
        if any(PatternEdge.owns(path, each) for each in used):
            binder.report("graph_path_property", written.span, name=path.name or "")


@dataclasses.dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked of a pattern: conditions still to be applied, values to project, what must not repeat."""

    conditions: list[Expression]
    values: tuple[Expression, ...]
    distinct: str
    shortest: str | None


class _Matching:
    """The joins of one pattern, growing from one node or edge along the pattern's edges."""

    def __init__(self, binder: Binder, pattern: Pattern, wanted: _Wanted) -> None:
        self._binder = binder
        self._pattern = pattern
        self._waiting = list(wanted.conditions)
        self._distinct = wanted.distinct
        self._shortest = wanted.shortest
        self._used = columns_of((*wanted.conditions, *wanted.values))
        self._stops_early = self._walks_shortest()
        self._relation: Relation | None = None
        self._keys: dict[int, Column] = {}
        self._done: list[PatternEdge] = []

    def relation(self) -> Relation:
        """All matches, with the columns of every element that where and project read."""
        self._begin()
        while len(self._done) < len(self._pattern.edges):
            edge = self._next()
            if isinstance(edge, PatternPath):
                self._walk(edge)
            else:
                self._follow(edge)
            self._tell_apart(edge)
            self._done.append(edge)
            self._filter()
        assert self._relation is not None
        if self._shortest is not None and not self._stops_early:
            return self._least(self._relation, self._shortest)
        return self._relation

    # --- where to begin, how to go on

    def _begin(self) -> None:
        """With the node that most conditions are about; with an edge where no node is asked about."""
        scores = [self._score(node) for node in self._pattern.nodes]
        best = max(range(len(scores)), key=lambda place: scores[place])
        fixed = [each for each in self._pattern.edges if not isinstance(each, PatternPath)]
        if scores[best] == 0 and fixed:
            self._follow(fixed[0])
            self._done.append(fixed[0])
        else:
            self._relation = self._node_rows(self._pattern.nodes[best])
            self._keys[best] = self._pattern.nodes[best].rows.number
        self._filter()

    def _score(self, node: PatternNode) -> int:
        about = (columns_of([each]) for each in self._waiting)
        return sum(1 for columns in about if columns and all(node.owns(each) for each in columns))

    def _next(self) -> PatternEdge:
        """An edge at the matched part: single edges before paths."""
        reachable = [
            each
            for each in self._pattern.edges
            if each not in self._done and self._keys.keys() & {each.left, each.right}
        ]
        return min(reachable, key=lambda each: isinstance(each, PatternPath))

    def _filter(self) -> None:
        """Apply the conditions all of whose columns are there."""
        assert self._relation is not None
        there = {each.id for each in self._relation.columns}
        ready = [each for each in self._waiting if columns_of([each]) <= there]
        if ready:
            self._waiting = [each for each in self._waiting if each not in ready]
            self._relation = plan.Filter(self._relation.columns, self._relation, all_of(tuple(ready)))

    # --- nodes

    def _is_read(self, node: PatternNode) -> bool:
        return any(node.owns(each) for each in self._used)

    def _node_rows(self, node: PatternNode) -> Relation:
        relation: Relation = node.rows.relation
        for direction in node.degrees:
            relation = with_degree(self._binder, self._pattern.graph, relation, node, direction)
        return relation

    def _reach(self, place: int, key: Column) -> None:
        """A node that the part matched so far leads to: its properties come in where they are read."""
        node = self._pattern.nodes[place]
        self._keys[place] = key
        if self._is_read(node):
            self._join(self._node_rows(node), [(key, node.rows.number)])

    def _join(self, right: Relation, on: list[tuple[Column, Column]]) -> None:
        left = self._relation
        if left is None:
            self._relation = right
            return
        columns = (*left.columns, *right.columns)
        pairs = tuple((reference(one), reference(other)) for one, other in on)
        self._relation = plan.Join(columns, left, right, "inner", pairs, columns)

    # --- edges

    def _follow(self, edge: PatternEdge) -> None:
        """A single edge, from whichever of its ends is there."""
        rows, begin, end = oriented(self._binder, self._pattern.graph, edge)
        known = [(place, column) for place, column in ((edge.left, begin), (edge.right, end)) if place in self._keys]
        self._join(rows, [(self._keys[place], column) for place, column in known])
        if edge.left == edge.right and not known:
            self._require(Call(_T.BOOL, "equal", (reference(begin), reference(end))))
        for place, column in ((edge.left, begin), (edge.right, end)):
            if place not in self._keys:
                self._reach(place, column)

    def _walk(self, path: PatternPath) -> None:
        """A path, walked from whichever of its ends is there, from there only."""
        assert self._relation is not None
        backwards = path.left not in self._keys
        here, there = (path.right, path.left) if backwards else (path.left, path.right)
        shared = self._binder.share()
        self._relation = plan.Shared(self._relation.columns, shared, self._relation)
        seeds = beginnings(self._binder, self._relation, self._keys[here])
        paths = self._paths(path, seeds, backwards=backwards)
        first, last = paths.columns[:2]
        on = [(self._keys[here], first)]
        if there in self._keys:
            on.append((self._keys[there], last))
        self._join(paths, on)
        if there not in self._keys:
            self._reach(there, last)

    def _paths(self, path: PatternPath, seeds: Relation, *, backwards: bool) -> plan.GraphPaths:
        read = [(each, value) for each, value in path.carried if each.output.id in self._used]
        rows, begin, end = oriented(self._binder, self._pattern.graph, path)
        origin, target = (end, begin) if backwards else (begin, end)
        if path.conditions:
            rows = plan.Filter(rows.columns, rows, all_of(tuple(path.conditions)))
        if path.inner_conditions or any(each.inner for each, _ in read):
            inner = self._node_rows(path.inner)
            columns = (*rows.columns, *inner.columns)
            on = ((reference(origin), reference(path.inner.rows.number)),)
            rows = plan.Join(columns, rows, inner, "inner", on, columns)
        sources: list[tuple[Column, Expression]] = [(each.source, value) for each, value in read]
        passable = None
        if path.inner_conditions:
            passable = self._binder.column("$passable", _T.BOOL)
            sources.append((passable, all_of(tuple(path.inner_conditions))))
        number = path.rows.number
        kept = (origin, target, number)
        steps = plan.Project(
            (*kept, *(column for column, _ in sources)),
            rows,
            (*(reference(each) for each in kept), *(value for _, value in sources)),
        )
        first, last = self._binder.column("$first", _T.LONG), self._binder.column("$last", _T.LONG)
        outputs = (first, last, path.edges, path.nodes, *(each.output for each, _ in read))
        return plan.GraphPaths(
            outputs, seeds, steps, origin, target, number, path.low, path.high, self._distinct,
            tuple(each for each, _ in read), passable, backwards, self._shortest if self._stops_early else None,
        )  # fmt: skip

    # --- cycles

    def _tell_apart(self, edge: PatternEdge) -> None:
        if self._distinct == EDGES:
            for other in self._done:
                self._require(no_common_edge(edge, other))
        elif self._distinct == NODES:
            self._tell_nodes_apart(edge)

    def _tell_nodes_apart(self, edge: PatternEdge) -> None:
        """No node twice, and no way back by another edge: what is matched is a tree."""
        loose = [each for each in self._pattern.paths() if each.low == 0]
        for one, two in itertools.combinations(sorted(self._keys), 2):
            if not any({one, two} == {each.left, each.right} for each in loose):
                self._require(unequal(self._keys[one], self._keys[two]))
        if len(self._done) + 1 == len(self._pattern.edges) and len(self._pattern.edges) >= len(self._pattern.nodes):
            self._require(Literal(_T.BOOL, False))
        if isinstance(edge, PatternPath):
            for key in self._keys.values():
                self._require(without(edge.nodes, key))
            for other in self._done:
                if isinstance(other, PatternPath):
                    self._require(apart(edge.nodes, other.nodes))
        else:
            for other in self._done:
                if isinstance(other, PatternPath):
                    for key in self._keys.values():
                        self._require(without(other.nodes, key))

    def _require(self, condition: Expression) -> None:
        assert self._relation is not None
        self._relation = plan.Filter(self._relation.columns, self._relation, condition)

    # --- shortest paths

    def _walks_shortest(self) -> bool:
        """Whether the walk itself can stop at the shortest paths: nothing later refuses one of them."""
        if self._shortest is None or len(self._pattern.edges) > 1:
            return False
        edge = self._pattern.edges[0]
        if not isinstance(edge, PatternPath) or edge.low > 1:
            return False
        return not any(edge.owns(column) for each in self._waiting for column in columns_of([each]))

    def _least(self, relation: Relation, output: str) -> Relation:
        length: Expression = Literal(_T.LONG, sum(1 for each in self._done if not isinstance(each, PatternPath)))
        for path in self._pattern.paths():
            length = Call(_T.LONG, "add", (length, Call(_T.LONG, "path_length", (reference(path.edges),))))
        ends = self._keys[self._pattern.edges[0].left], self._keys[self._pattern.edges[-1].right]
        keys = tuple(reference(each) for each in ends)
        return plan.Least(relation.columns, relation, keys, length, output == "any")
