"""Parts of the joins that a graph pattern becomes: edges in a direction, where paths begin, degrees, what differs."""

from __future__ import annotations

from vedette.kql import plan
from vedette.kql.binder.context import Binder
from vedette.kql.binder.graph_patterns import INWARD, OUTWARD, PatternEdge, PatternNode, PatternPath
from vedette.kql.binder.graph_values import Graph
from vedette.kql.binder.scopes import reference
from vedette.kql.plan import Aggregate, Call, Column, Expression, Literal, Relation
from vedette.kql.types import ScalarType

_T = ScalarType


def oriented(binder: Binder, graph: Graph, edge: PatternEdge) -> tuple[Relation, Column, Column]:
    """The rows of an edge, and which columns are the nodes on its left and right. `--` has every edge both ways."""
    rows = edge.rows
    if edge.arrow == "-->":
        return rows.relation, rows.source, rows.target
    if edge.arrow == "<--":
        return rows.relation, rows.target, rows.source
    forth, back = graph.edges.rows(binder), graph.edges.rows(binder)
    loops = Call(_T.BOOL, "not_equal", (reference(back.source), reference(back.target)))
    returning = plan.Filter(back.relation.columns, back.relation, loops)
    swapped = (back.number, back.target, back.source, *back.relation.columns[3:])
    columns = rows.relation.columns
    union = plan.Union(columns, (forth.relation, returning), (forth.relation.columns, swapped))
    return union, rows.source, rows.target


def beginnings(binder: Binder, relation: Relation, key: Column) -> Relation:
    """The nodes that paths begin at, each once."""
    assert isinstance(relation, plan.Shared)
    again = tuple(binder.fresh(each) for each in relation.columns)
    copy = plan.Shared(again, relation.id, relation.input)
    column = again[relation.columns.index(key)]
    return plan.Distinct((column,), plan.Project((column,), copy, (reference(column),)))


def with_degree(binder: Binder, graph: Graph, relation: Relation, node: PatternNode, direction: str) -> Relation:
    """The nodes with their number of edges in a direction, 0 where there are none."""
    column = node.degrees[direction]
    edges = graph.edges.rows(binder)
    end = {INWARD: edges.target, OUTWARD: edges.source}[direction]
    key, count = binder.column("$node", _T.LONG), binder.column("$count", _T.LONG)
    counted = plan.Summarize((key, count), edges.relation, (reference(end),), (Aggregate(_T.LONG, "count", ()),))
    columns = (*relation.columns, count)
    joined = plan.Join(
        columns, relation, counted, "leftouter", ((reference(node.rows.number), reference(key)),), columns
    )
    value = Call(_T.LONG, "coalesce", (reference(count), Literal(_T.LONG, 0)))
    return plan.Project((*relation.columns, column), joined, (*(reference(each) for each in relation.columns), value))


def unequal(one: Column, other: Column) -> Expression:
    """Whether two numbers differ."""
    return Call(_T.BOOL, "not_equal", (reference(one), reference(other)))


def without(path: Column, number: Column) -> Expression:
    """Whether a path lacks a node or edge."""
    return Call(_T.BOOL, "path_lacks", (reference(path), reference(number)))


def apart(one: Column, other: Column) -> Expression:
    """Whether two paths have nothing in common."""
    return Call(_T.BOOL, "paths_apart", (reference(one), reference(other)))


def no_common_edge(one: PatternEdge, other: PatternEdge) -> Expression:
    """Whether two elements of a pattern match different edges."""
    if isinstance(one, PatternPath) and isinstance(other, PatternPath):
        return apart(one.edges, other.edges)
    if isinstance(one, PatternPath):
        return without(one.edges, other.rows.number)
    if isinstance(other, PatternPath):
        return without(other.edges, one.rows.number)
    return unequal(one.rows.number, other.rows.number)
