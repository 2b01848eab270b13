"""Patterns of graph-match and graph-shortest-paths: their variables, and what where and project say of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import constant_integer
from vedette.kql.binder.context import Binder
from vedette.kql.binder.graph_values import Graph, GraphRows
from vedette.kql.binder.scopes import ScalarVariable, Scope, Table, Variable, reference
from vedette.kql.plan import Call, Carried, Column, Expression, Literal
from vedette.kql.types import ScalarType

_T = ScalarType

INWARD, OUTWARD = "in", "out"


class PatternElement:
    """What nodes and edges of a pattern have in common: a name or none, and rows of the graph."""

    def __init__(self, name: str | None, rows: GraphRows) -> None:
        self.name = name
        self.rows = rows

    @property
    def columns(self) -> dict[str, Column]:
        """Properties by name."""
        return {each.name: each for each in self.rows.properties}

    def bag(self) -> Expression:
        """The element as a value: a bag of its properties."""
        parts: list[Expression] = []
        for each in self.rows.properties:
            parts += [Literal(_T.STRING, each.name), reference(each)]
        return Call(_T.DYNAMIC, "bag_pack", tuple(parts))


class PatternNode(PatternElement):
    """A node variable. `degrees` are the columns of its numbers of edges, made where they are asked for."""

    def __init__(self, binder: Binder, name: str | None, rows: GraphRows) -> None:
        super().__init__(name, rows)
        self._binder = binder
        self.degrees: dict[str, Column] = {}

    def degree(self, direction: str) -> Column:
        """The column of its number of edges in a direction."""
        if direction not in self.degrees:
            self.degrees[direction] = self._binder.column(f"$degree_{direction}", _T.LONG)
        return self.degrees[direction]

    def owns(self, column: int) -> bool:
        """Whether a column is one of the node's."""
        degrees = {each.id for each in self.degrees.values()}
        return column in degrees or any(column == each.id for each in self.rows.relation.columns)


class PatternEdge(PatternElement):
    """An edge variable between two nodes, by their places in the pattern. `arrow` is `-->`, `<--` or `--`."""

    def __init__(self, name: str | None, rows: GraphRows, left: int, right: int, arrow: str) -> None:
        super().__init__(name, rows)
        self.left, self.right, self.arrow = left, right, arrow

    def owns(self, column: int) -> bool:
        """Whether a column is one of the edge's."""
        return any(column == each.id for each in self.rows.relation.columns)


class PatternPath(PatternEdge):
    """An edge of variable length: `low` to `high` edges in a row.

    `inner` stands for the nodes between them. `carried` pairs what is collected along the way with the expression it
    comes from, over the columns of one edge or inner node. `conditions` have to hold for every edge,
    `inner_conditions` for every inner node.
    """

    def __init__(
        self, binder: Binder, written: syntax.GraphEdge, rows: GraphRows, inner: PatternNode, *, left: int, right: int
    ) -> None:
        super().__init__(written.name.text if written.name else None, rows, left, right, written.direction)
        self._binder = binder
        self.inner = inner
        self.low = _length(binder, written.low, 1)
        self.high = _length(binder, written.high, self.low)
        self.carried: list[tuple[Carried, Expression]] = []
        self.conditions: list[Expression] = []
        self.inner_conditions: list[Expression] = []
        self.edges = binder.column("$edges", _T.DYNAMIC)
        self.nodes = binder.column("$nodes", _T.DYNAMIC)

    def carry(self, value: Expression, fold: str, *, inner: bool = False) -> Column:
        """The column of what `value` comes to along the path."""
        type_ = _T.DYNAMIC if fold == "list" else _T.BOOL
        output, source = self._binder.column("$carried", type_), self._binder.column("$value", value.type)
        self.carried.append((Carried(output, source, fold, inner), value))
        return output

    def owns(self, column: int) -> bool:
        """Whether a column is one of the path's."""
        outputs = (self.edges, self.nodes, *(each.output for each, _ in self.carried))
        return super().owns(column) or any(column == each.id for each in outputs)

    def take_conditions(self, conditions: Iterable[Expression]) -> list[Expression]:
        """Keep for the walk itself what every edge or inner node has to fulfil; the other conditions come back."""
        rest: list[Expression] = []
        for condition in conditions:
            everywhere = self._everywhere(condition)
            if everywhere is not None:
                (self.inner_conditions if everywhere[0].inner else self.conditions).append(everywhere[1])
                self.carried.remove(everywhere)
            elif (columns := columns_of([condition])) and all(PatternEdge.owns(self, each) for each in columns):
                self.conditions.append(condition)
            else:
                rest.append(condition)
        return rest

    def _everywhere(self, condition: Expression) -> tuple[Carried, Expression] | None:
        """The entry behind a condition that is `all(…)` and nothing else."""
        if not isinstance(condition, plan.ColumnReference):
            return None
        return next(
            (each for each in self.carried if each[0].output is condition.column and each[0].fold == "all"), None
        )


def _length(binder: Binder, written: syntax.Expression | None, otherwise: int) -> int:
    if written is None:
        return otherwise
    found = constant_integer(binder, written, Scope())
    if found is not None and found < 0:
        binder.report("graph_path_length", written.span)
    return found if found is not None else otherwise


class Pattern:
    """All elements of a pattern. Nodes of the same name are one node."""

    def __init__(self, binder: Binder, graph: Graph) -> None:
        self._binder = binder
        self.graph = graph
        self.nodes: list[PatternNode] = []
        self.edges: list[PatternEdge] = []

    def read(self, patterns: tuple[syntax.GraphPattern, ...]) -> None:
        """Take in the sequences of nodes and edges as written."""
        for pattern in patterns:
            places = [self._place(each) if isinstance(each, syntax.GraphNode) else None for each in pattern.elements]
            for position, each in enumerate(pattern.elements):
                if isinstance(each, syntax.GraphEdge):
                    left, right = places[position - 1], places[position + 1]
                    assert left is not None
                    assert right is not None
                    self._add_edge(each, left, right)
        if not self._connected():
            self._binder.report("graph_pattern_apart", patterns[-1].span)

    def _place(self, written: syntax.GraphNode) -> int:
        name = None if written.name is None else written.name.text
        for place, each in enumerate(self.nodes):
            if name is not None and each.name == name:
                return place
        self.nodes.append(self._node(name))
        return len(self.nodes) - 1

    def _node(self, name: str | None) -> PatternNode:
        return PatternNode(self._binder, name, self.graph.nodes.rows(self._binder))

    def _add_edge(self, written: syntax.GraphEdge, left: int, right: int) -> None:
        name = None if written.name is None else written.name.text
        if written.name is not None and self.element(written.name.text) is not None:
            self._binder.report("graph_variable_twice", written.name.span, name=written.name.text)
        rows = self.graph.edges.rows(self._binder)
        if written.variable:
            path = PatternPath(self._binder, written, rows, self._node(None), left=left, right=right)
            self.edges.append(path)
        else:
            self.edges.append(PatternEdge(name, rows, left, right, written.direction))

    def _connected(self) -> bool:
        reached = {0}
        for _ in self.nodes:
            for each in self.edges:
                if reached & {each.left, each.right}:
                    reached |= {each.left, each.right}
        return len(reached) == len(self.nodes)

    def element(self, name: str) -> PatternElement | None:
        """The variable of that name."""
        return next((each for each in self._elements() if each.name == name), None)

    def names(self) -> list[str]:
        """Names of all variables."""
        return [each.name for each in self._elements() if each.name is not None]

    def _elements(self) -> Iterator[PatternNode | PatternEdge]:
        yield from self.nodes
        yield from self.edges

    def paths(self) -> Iterator[PatternPath]:
        """The edges of variable length."""
        return (each for each in self.edges if isinstance(each, PatternPath))

    # --- scopes

    def scope(self, around: Scope, *, condition: bool) -> Scope:
        """Where `a.x` is a property of a variable. Of a path it is a list; in a condition, any single edge's."""
        steps: dict[str, dict[str, Column]] = {}
        variables: dict[str, Variable] = {}
        for each in self._elements():
            if each.name is None:
                continue
            if isinstance(each, PatternPath):
                variables[each.name] = ScalarVariable(reference(each.carry(each.bag(), "list")))
                steps[each.name] = each.columns if condition else self._lists(each)
            else:
                variables[each.name] = ScalarVariable(each.bag())
                steps[each.name] = each.columns
        return Scope(variables, around.lexical, steps=steps, pattern=PatternScope(self, None))

    def _lists(self, path: PatternPath) -> dict[str, Column]:
        return {name: path.carry(reference(column), "list") for name, column in path.columns.items()}


@dataclasses.dataclass(frozen=True, slots=True)
class PatternScope:
    """What graph functions see of the pattern around them. `inner` is set inside `all(inner_nodes(…), …)` and its like:
    functions of a node take it when they name none.
    """

    pattern: Pattern
    inner: PatternNode | None

    def within(self, path: PatternPath, around: Scope, *, inner: bool) -> Scope:
        """The scope of an expression over each edge, or each inner node, of a path."""
        rows = path.inner.rows if inner else path.rows
        table = Table(plan.Values(rows.properties, ()))
        here = PatternScope(self.pattern, path.inner if inner else None)
        return Scope({}, around.parent, table, pattern=here)


def columns_of(expressions: Iterable[Expression]) -> set[int]:
    """Ids of the columns that expressions read, those of subqueries apart."""
    found: set[int] = set()
    pending = list(expressions)
    while pending:
        each = pending.pop()
        if isinstance(each, plan.ColumnReference):
            found.add(each.column.id)
        elif isinstance(each, Call):
            pending.extend(each.arguments)
        elif isinstance(each, plan.InSubquery):
            pending.append(each.operand)
    return found


def conjuncts(condition: Expression) -> list[Expression]:
    """The operands of a conjunction, however nested."""
    if isinstance(condition, Call) and condition.function == "and":
        return [each for operand in condition.arguments for each in conjuncts(operand)]
    return [condition]
