"""make-graph and the operators that take a whole graph: graph-to-table, graph-mark-components, graph-where-…."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import word
from vedette.kql.binder.context import Binder, similar
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.expressions import bind_boolean
from vedette.kql.binder.graph_values import Graph, GraphPart, GraphRows
from vedette.kql.binder.pipelines import bind_operators, operator
from vedette.kql.binder.scopes import Scope, Table, TableVariable, reference
from vedette.kql.functions.signature import NUMBERS
from vedette.kql.plan import Aggregate, Call, Column, Expression, Relation
from vedette.kql.types import ScalarType

_T = ScalarType


@dataclasses.dataclass(frozen=True, slots=True)
class _Leg:
    """Rows that nodes come from: the expressions of node id, partition and named properties."""

    relation: Relation
    node_id: Expression
    partition: Expression | None
    properties: dict[str, Expression]


# --- make-graph -----------------------------------------------------------------------------------------------------


@operator(syntax.MakeGraphOperator)
def bind_make_graph(binder: Binder, written: syntax.MakeGraphOperator, table: Table, scope: Scope) -> Table:
    """`make-graph`: a graph, or with `partitioned-by` what its operators make of each part."""
    if written.direction != "-->":
        return binder.fail_table("unsupported_operator", written.span, name=f"make-graph with {written.direction}")
    source, target = _column(binder, table, written.source), _column(binder, table, written.target)
    if source is None or target is None:
        return Table(plan.Values((), ()), open=True, serialized=True)
    by = None if written.partitioned_by is None else _column(binder, table, written.partitioned_by)
    table = _shared(binder, table)
    type_ = _id_type(source.type, target.type)
    if type_ is None:
        return binder.fail_table("graph_id_types", written.span, source=source.type, target=target.type)
    nodes = _nodes(binder, written, table, scope, ends=(source, target), partition=by, type_=type_)
    edges = _edges(binder, table, nodes, ends=(source, target), partition=by, type_=type_)
    graph = Graph(plan.Values((), ()), nodes=nodes, edges=edges, partition=None if by is None else by.name)
    if written.subquery is None:
        return graph
    return bind_operators(binder, written.subquery.operators, graph, Scope(parent=scope.lexical))


def _column(binder: Binder, table: Table, written: syntax.NameReference) -> Column | None:
    column = table.find(written.name)
    if column is None or column not in table.columns:
        binder.report("unknown_name", written.span, name=written.name, hint=similar(written.name, table.names))
        return None
    return column


def _shared(binder: Binder, table: Table) -> Table:
    """The table so that it can be read several times."""
    return Table(plan.Shared(table.columns, binder.share(), table.visible), serialized=table.serialized)


def _id_type(source: ScalarType, target: ScalarType) -> ScalarType | None:
    if source is target:
        return source
    if source in NUMBERS and target in NUMBERS:
        return _T.LONG if {source, target} <= {_T.INT, _T.LONG} else _T.REAL
    return None


def _nodes(
    binder: Binder,
    written: syntax.MakeGraphOperator,
    edges: Table,
    scope: Scope,
    *,
    ends: tuple[Column, Column],
    partition: Column | None,
    type_: ScalarType,
) -> GraphPart:
    """The rows of the nodes tables, merged by id, and the ends of edges that none of them has."""
    legs: list[_Leg] = []
    keys: list[str] = [] if written.node_id is None else [written.node_id.text]
    for each in written.nodes:
        table = binder.table(binder, each.table, scope.lexical)
        found = _column(binder, table, each.key)
        if found is None:
            continue
        by = table.find(partition.name) if partition is not None else None
        if partition is not None and (by is None or by.type is not partition.type):
            binder.report("graph_partition_missing", each.span, name=partition.name)
        if found.type is not type_ and not {found.type, type_} <= NUMBERS:
            binder.report("graph_id_types", each.span, source=type_, target=found.type)
        keys.append(each.key.name)
        properties: dict[str, Expression] = {column.name: reference(column) for column in table.columns}
        legs.append(_Leg(table.relation, convert(reference(found), type_), _maybe(by), properties))
    for end in ends:
        again = _shared_again(binder, edges.relation)
        at = {old.id: new for old, new in zip(edges.columns, again.columns, strict=True)}
        node_id = convert(reference(at[end.id]), type_)
        own = _maybe(None if partition is None else at[partition.id])
        properties = dict.fromkeys(keys, node_id)
        if partition is not None and own is not None and written.nodes:
            properties[partition.name] = own
        legs.append(_Leg(again, node_id, own, properties))
    return _merged(binder, legs, partition, type_)


def _maybe(column: Column | None) -> Expression | None:
    return None if column is None else reference(column)


def _shared_again(binder: Binder, relation: Relation) -> Relation:
    assert isinstance(relation, plan.Shared)
    return plan.Shared(tuple(binder.fresh(each) for each in relation.columns), relation.id, relation.input)


def _merged(binder: Binder, legs: list[_Leg], partition: Column | None, type_: ScalarType) -> GraphPart:
    """One node per id (and partition): each property is the first value that is not empty."""
    types = _property_types(legs)
    fixed = [binder.column("$id", type_)]
    if partition is not None:
        fixed.append(binder.column("$partition", partition.type))
    inputs: list[Relation] = []
    sources: list[tuple[Column | None, ...]] = []
    for leg in legs:
        values = {name: convert(value, types[name]) for name, value in leg.properties.items()}
        keys = [leg.node_id] if leg.partition is None else [leg.node_id, leg.partition]
        columns = [binder.fresh(each) for each in fixed[: len(keys)]]
        own = {name: binder.column(name, types[name]) for name in values}
        inputs.append(plan.Project((*columns, *own.values()), leg.relation, (*keys, *values.values())))
        sources.append((*columns, *(own.get(name) for name in types)))
    gathered = tuple(binder.column(name, each) for name, each in types.items())
    union = plan.Union((*fixed, *gathered), tuple(inputs), tuple(sources))
    outputs = tuple(binder.fresh(each) for each in (*fixed, *gathered))
    picked = tuple(_first_value(each) for each in gathered)
    grouped = plan.Summarize(outputs, union, tuple(reference(each) for each in fixed), picked)
    number = binder.column("$node", _T.LONG)
    numbered = plan.RowNumbers((number, *outputs), grouped, number)
    return GraphPart(numbered, binder.share(), 1 + len(fixed))


def _property_types(legs: list[_Leg]) -> dict[str, ScalarType]:
    """Properties in order of appearance; one that has several types is dynamic."""
    types: dict[str, ScalarType] = {}
    for leg in legs:
        for name, value in leg.properties.items():
            known = types.setdefault(name, value.type)
            if known is not value.type:
                types[name] = _T.DYNAMIC
    return types


def _first_value(column: Column) -> Expression:
    value = reference(column)
    present = Call(_T.BOOL, "isnotempty" if column.type in {_T.STRING, _T.DYNAMIC} else "isnotnull", (value,))
    return Aggregate(column.type, "take_anyif", (value, present))


def _edges(
    binder: Binder,
    table: Table,
    nodes: GraphPart,
    *,
    ends: tuple[Column, Column],
    partition: Column | None,
    type_: ScalarType,
) -> GraphPart:
    """The rows of the edges table with their numbers and those of the nodes they connect."""
    number = binder.column("$edge", _T.LONG)
    relation: Relation = plan.RowNumbers((number, *table.columns), table.relation, number)
    found: list[Column] = []
    for end in ends:
        rows = nodes.rows(binder)
        on = [(convert(reference(end), type_), reference(rows.node_id))]
        if partition is not None:
            on.append((reference(partition), reference(rows.partition)))
        columns = (*relation.columns, rows.number)
        relation = plan.Join(columns, relation, rows.relation, "inner", tuple(on), columns)
        found.append(rows.number)
    columns = (number, *found, *table.columns)
    relation = plan.Project(columns, relation, tuple(reference(each) for each in columns))
    return GraphPart(relation, binder.share(), 3)


# --- graph-to-table -------------------------------------------------------------------------------------------------


@operator(syntax.GraphToTableOperator)
def bind_graph_to_table(binder: Binder, written: syntax.GraphToTableOperator, table: Table, scope: Scope) -> Table:
    """`graph-to-table nodes`, `edges`, or both under names for the statements behind."""
    assert isinstance(table, Graph)
    results: list[Table] = []
    for each in written.outputs:
        result = _nodes_table(binder, table, each) if each.kind == "nodes" else _edges_table(binder, table, each)
        if each.name is not None:
            result = Table(plan.Shared(result.columns, binder.share(), result.relation))
            assert isinstance(result.relation, plan.Shared)
            # The names are for the statements behind this one, so they outlive the pipeline's own scope.
            (scope.parent or scope).variables[each.name.text] = TableVariable(result, result.relation.id)
        results.append(result)
    if len(written.outputs) > 1 and any(each.name is None for each in written.outputs):
        binder.report("graph_tables_unnamed", written.span)
    return results[0]


def _nodes_table(binder: Binder, graph: Graph, written: syntax.GraphTableOutput) -> Table:
    rows = graph.nodes.rows(binder)
    return _with_ids(binder, rows, [(_named(written, "with_node_id"), rows.node_id)])


def _edges_table(binder: Binder, graph: Graph, written: syntax.GraphTableOutput) -> Table:
    rows = graph.edges.rows(binder)
    relation: Relation = rows.relation
    ids: list[tuple[str | None, Column]] = []
    for parameter, end in (("with_source_id", rows.source), ("with_target_id", rows.target)):
        name = _named(written, parameter)
        if name is None:
            continue
        nodes = graph.nodes.rows(binder)
        columns = (*relation.columns, nodes.node_id)
        on = ((reference(end), reference(nodes.number)),)
        relation = plan.Join(columns, relation, nodes.relation, "inner", on, columns)
        ids.append((name, nodes.node_id))
    return _with_ids(binder, GraphRows(relation, rows.hidden), ids, rows.properties)


def _named(written: syntax.GraphTableOutput, parameter: str) -> str | None:
    return word(next((each.value for each in written.parameters if each.name.text == parameter), None))


def _with_ids(
    binder: Binder,
    rows: GraphRows,
    ids: Iterable[tuple[str | None, Column]],
    properties: tuple[Column, ...] | None = None,
) -> Table:
    """Properties as a table, behind the hashes of node ids that were asked for."""
    columns: list[Column] = []
    values: list[Expression] = []
    for name, column in ids:
        if name is not None:
            columns.append(binder.column(name, _T.LONG))
            values.append(Call(_T.LONG, "hash", (reference(column),)))
    kept = rows.properties if properties is None else properties
    columns += kept
    values += [reference(each) for each in kept]
    return Table(plan.Project(tuple(columns), rows.relation, tuple(values)))


# --- operators from graph to graph ----------------------------------------------------------------------------------


@operator(syntax.GraphMarkComponentsOperator)
def bind_mark_components(
    binder: Binder, written: syntax.GraphMarkComponentsOperator, table: Table, scope: Scope
) -> Table:
    """`graph-mark-components`: nodes get the number of their connected component."""
    assert isinstance(table, Graph)
    kind = word(written.parameter("kind")) or "weak"
    if kind not in {"weak", "strong"}:
        fields = {"name": "kind", "expected": "weak, strong", "found": kind}
        return binder.fail_table("invalid_parameter_value", written.span, **fields)
    name = word(written.parameter("with_component_id")) or "ComponentId"
    rows, members, edges = table.nodes.rows(binder), table.nodes.rows(binder), table.edges.rows(binder)
    by = None if table.partition is None else members.partition
    node, component = binder.column("$node", _T.LONG), binder.column(name, _T.LONG)
    components = plan.GraphComponents((node, component), members.relation, edges.relation, by, kind == "strong")
    kept = [each for each in rows.relation.columns if each.name != name]
    columns = (*kept, component)
    on = ((reference(rows.number), reference(node)),)
    marked = plan.Join(columns, rows.relation, components, "inner", on, columns)
    return table.renewed(nodes=GraphPart(marked, binder.share(), table.nodes.hidden))


@operator(syntax.GraphWhereNodesOperator)
def bind_where_nodes(binder: Binder, written: syntax.GraphWhereNodesOperator, table: Table, scope: Scope) -> Table:
    """`graph-where-nodes`: the nodes that fulfil a condition, and the edges between them."""
    assert isinstance(table, Graph)
    rows = table.nodes.rows(binder)
    kept = plan.Filter(rows.relation.columns, rows.relation, _condition(binder, written.condition, rows, scope))
    nodes = GraphPart(kept, binder.share(), table.nodes.hidden)
    edges = table.edges.rows(binder)
    relation: Relation = edges.relation
    for end in (edges.source, edges.target):
        present = nodes.rows(binder)
        on = ((reference(end), reference(present.number)),)
        relation = plan.Join(relation.columns, relation, present.relation, "leftsemi", on, relation.columns)
    return table.renewed(nodes=nodes, edges=GraphPart(relation, binder.share(), table.edges.hidden))


@operator(syntax.GraphWhereEdgesOperator)
def bind_where_edges(binder: Binder, written: syntax.GraphWhereEdgesOperator, table: Table, scope: Scope) -> Table:
    """`graph-where-edges`: the edges that fulfil a condition; all nodes stay."""
    assert isinstance(table, Graph)
    rows = table.edges.rows(binder)
    kept = plan.Filter(rows.relation.columns, rows.relation, _condition(binder, written.condition, rows, scope))
    return table.renewed(edges=GraphPart(kept, binder.share(), table.edges.hidden))


def _condition(binder: Binder, written: syntax.Expression, rows: GraphRows, scope: Scope) -> Expression:
    properties = Table(plan.Values(rows.properties, ()))
    return bind_boolean(binder, written, scope.over(properties, windowed=False))
