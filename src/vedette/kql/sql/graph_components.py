"""Connected components of graphs as recursive relations."""

from __future__ import annotations

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.plan import Relation
from vedette.kql.sql import tree
from vedette.kql.sql.base import UnsupportedError
from vedette.kql.sql.blocks import Block
from vedette.kql.sql.relations import Relations, leaf
from vedette.kql.sql.tree import Sql


@leaf(plan.GraphComponents)
def _components(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.GraphComponents)
    if emitter.nested:
        raise UnsupportedError("graph-mark-components", "graphs inside mv-apply are not built")
    nodes = emitter.source(emitter.block(node.nodes), node.nodes.columns)
    edges = emitter.source(emitter.block(node.edges), node.edges.columns)
    label = _strong_labels if node.strong else _weak_labels
    labels = label(emitter, node, nodes, edges)
    return _numbered(emitter, node, nodes, edges, labels)


def _weak_labels(emitter: Relations, node: plan.GraphComponents, nodes: Block, edges: Block) -> str:
    """Each node takes the least number among its neighbours' until nothing changes."""
    number, (_, source, target) = nodes.bindings[node.nodes.columns[0].id], _edge_columns(node, edges)
    ends = _neighbours(emitter, edges, source, target)

    def recursion(name: str) -> exp.Query:
        begin = exp.Select(expressions=[tree.used_once(number), tree.used_once(number)]).from_(_from(nodes))
        least = tree.call("min", tree.column("_label", name))
        spread = exp.Select(expressions=[tree.column("_b", ends), least]).from_(_table(name))
        spread.append(
            "joins", exp.Join(this=_table(ends), on=tree.equal(tree.column("_a", ends), tree.column("_node", name)))
        )
        now = exp.Table(
            this=exp.Identifier(this=name), db=exp.Identifier(this="recurring"),
            alias=exp.TableAlias(this=exp.Identifier(this="now")),
        )  # fmt: skip
        spread.append("joins", exp.Join(this=now, on=tree.equal(tree.column("_node", "now"), tree.column("_b", ends))))
        spread = spread.where(tree.binary(exp.LT, tree.column("_label", name), tree.column("_label", "now")))
        spread.set("group", exp.Group(expressions=[tree.column("_b", ends)]))
        return exp.Union(this=begin, expression=spread, distinct=True)

    return emitter.recursion(["_node", "_label"], recursion, keys=["_node"])


def _neighbours(emitter: Relations, edges: Block, source: Sql, target: Sql) -> str:
    """Edges both ways."""
    legs = [
        exp.Select(expressions=[tree.aliased(one, "_a"), tree.aliased(other, "_b")]).from_(_from(edges))
        for one, other in ((source, target), (target, source))
    ]
    made = emitter.relation(exp.Union(this=legs[0], expression=legs[1], distinct=True), [], [])
    assert made.source is not None
    return str(made.source.alias_or_name)


def _strong_labels(emitter: Relations, node: plan.GraphComponents, nodes: Block, edges: Block) -> str:
    """The least of the nodes that a node reaches and is reached from. All pairs: quadratic in the worst case."""
    number, (_, source, target) = nodes.bindings[node.nodes.columns[0].id], _edge_columns(node, edges)

    def reached(name: str) -> exp.Query:
        begin = exp.Select(expressions=[tree.used_once(number), tree.used_once(number)]).from_(_from(nodes))
        onward = exp.Select(expressions=[tree.column("_a", name), tree.used_once(target)]).from_(_table(name))
        onward.append("joins", exp.Join(this=_from(edges), on=tree.equal(source, tree.column("_b", name))))
        return exp.Union(this=begin, expression=onward, distinct=True)

    pairs = emitter.recursion(["_a", "_b"], reached)
    least = exp.Select(
        expressions=[
            tree.aliased(tree.column("_a", pairs), "_node"),
            tree.aliased(tree.call("min", tree.column("_b", pairs)), "_label"),
        ]
    ).from_(_table(pairs))
    back = exp.Table(this=exp.Identifier(this=pairs), alias=exp.TableAlias(this=exp.Identifier(this="back")))
    both_ways = tree.both(
        tree.equal(tree.column("_a", "back"), tree.column("_b", pairs)),
        tree.equal(tree.column("_b", "back"), tree.column("_a", pairs)),
    )
    least.append("joins", exp.Join(this=back, on=both_ways))
    least.set("group", exp.Group(expressions=[tree.column("_a", pairs)]))
    made = emitter.relation(least, [], [])
    assert made.source is not None
    return str(made.source.alias_or_name)


def _numbered(emitter: Relations, node: plan.GraphComponents, nodes: Block, edges: Block, labels: str) -> Block:
    """Components in order of their first edge, those without one last."""
    edge, source, target = _edge_columns(node, edges)
    number = nodes.bindings[node.nodes.columns[0].id]
    ends = [
        exp.Select(expressions=[tree.aliased(end, "_end"), tree.aliased(edge, "_edge")]).from_(_from(edges))
        for end in (source, target)
    ]
    touching = emitter.relation(exp.Union(this=ends[0], expression=ends[1], distinct=False), [], [])
    assert touching.source is not None
    touched = str(touching.source.alias_or_name)
    first = exp.Select(
        expressions=[
            tree.aliased(tree.column("_label", labels), "_label"),
            tree.aliased(tree.call("min", tree.column("_edge", touched)), "_edge"),
        ]
    ).from_(_table(labels))
    met = tree.equal(tree.column("_end", touched), tree.column("_node", labels))
    first.append("joins", exp.Join(this=_table(touched), on=met))
    first.set("group", exp.Group(expressions=[tree.column("_label", labels)]))
    begins = emitter.relation(first, [], [])
    assert begins.source is not None
    name = str(begins.source.alias_or_name)
    partition = [] if node.partition is None else [nodes.bindings[node.partition.id]]
    order = [
        tree.ordered(tree.column("_edge", name), False, False),
        tree.ordered(tree.column("_label", labels), False, False),
    ]
    place = tree.over(tree.call("dense_rank"), partition, order)
    query = exp.Select(
        expressions=[
            tree.aliased(number, "_node"),
            tree.aliased(tree.binary(exp.Sub, place, tree.number(1)), "_component"),
        ]
    ).from_(_from(nodes))
    query.append("joins", exp.Join(this=_table(labels), on=tree.equal(tree.column("_node", labels), number)))
    same = tree.equal(tree.column("_label", name), tree.column("_label", labels))
    query.append("joins", exp.Join(this=_table(name), side="LEFT", on=same))
    return emitter.relation(query, node.columns, ["_node", "_component"])


def _edge_columns(node: plan.GraphComponents, edges: Block) -> tuple[Sql, Sql, Sql]:
    edge, source, target = (edges.bindings[each.id] for each in node.edges.columns[:3])
    return edge, source, target


def _from(block: Block) -> Sql:
    assert block.source is not None
    return tree.used_once(block.source)


def _table(name: str) -> exp.Table:
    return exp.Table(this=exp.Identifier(this=name))
