"""Paths of graphs as recursive relations. Nodes and edges are numbers here, lists of them LISTs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.plan import Call, Column, Relation
from vedette.kql.sql import tree
from vedette.kql.sql.base import Family, Scalars, UnsupportedError
from vedette.kql.sql.blocks import Block
from vedette.kql.sql.dynamic import embed
from vedette.kql.sql.relations import Relations, leaf
from vedette.kql.sql.tree import Sql

family = Family()


@family.rule("path_lacks")
def _lacks(scalars: Scalars, call: Call) -> Sql:
    return tree.negation(tree.call("list_contains", *scalars.values(call.arguments)))


@family.rule("paths_apart")
def _apart(scalars: Scalars, call: Call) -> Sql:
    return tree.negation(tree.call("list_has_any", *scalars.values(call.arguments)))


@family.rule("path_length")
def _length(scalars: Scalars, call: Call) -> Sql:
    return tree.call("len", *scalars.values(call.arguments))


# --- paths ----------------------------------------------------------------------------------------------------------


@leaf(plan.GraphPaths)
def _paths(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.GraphPaths)
    if emitter.nested:
        raise UnsupportedError("graph-match", "graphs inside mv-apply are not built")
    seeds = emitter.source(emitter.block(node.seeds), node.seeds.columns)
    steps = emitter.source(emitter.block(node.steps), node.steps.columns)
    walk = _Walk(emitter, node, seeds, steps)
    return walk.shortest() if node.shortest is not None else walk.all()


class _Walk:
    """The recursion over one kind of step. Its columns: `_first _last _edges _nodes`, what is carried, `_length`."""

    def __init__(self, emitter: Relations, node: plan.GraphPaths, seeds: Block, steps: Block) -> None:
        self.emitter = emitter
        self.node = node
        self.seeds = seeds
        self.steps = steps
        self.names = ["_first", "_last", "_edges", "_nodes"] + [f"_value{i}" for i in range(len(node.carried))]

    def all(self) -> Block:
        """Every walk that repeats nothing it must not repeat."""
        made = self.emitter.recursion(
            [*self.names, "_length"],
            lambda name: exp.Union(this=self._first_steps(), expression=self._further_steps(name), distinct=False),
        )
        return self._result(made)

    def shortest(self) -> Block:
        """First how far each node is from each beginning, then the walks that come that far no later."""
        distances = self.emitter.recursion(
            ["_first", "_last", "_length"],
            lambda name: exp.Union(this=self._near(), expression=self._farther(name), distinct=True),
            keys=["_first", "_last"],
        )
        made = self.emitter.recursion(
            [*self.names, "_length"],
            lambda name: exp.Union(
                this=self._one_each(self._first_steps(), distances),
                expression=self._one_each(self._further_steps(name), distances, name),
                distinct=False,
            ),
        )
        return self._result(made)

    def _result(self, name: str) -> Block:
        walks = exp.Select(expressions=[tree.column(each, name) for each in self.names]).from_(_table(name))
        if self.node.low > 1:
            walks = walks.where(tree.binary(exp.GTE, tree.column("_length", name), tree.number(self.node.low)))
        query: exp.Query = walks
        if self.node.high == 0:
            query = self._standing()
        elif self.node.low == 0:
            query = exp.Union(this=self._standing(), expression=walks, distinct=False)
        return self.emitter.relation(query, self.node.columns, self.names)

    # --- the parts of the recursion

    def _seed(self) -> Sql:
        return self.seeds.bindings[self.node.seeds.columns[0].id]

    def _of_step(self, column: Column) -> Sql:
        return self.steps.bindings[column.id]

    def _first_steps(self) -> exp.Select:
        node, number = self.node, self._of_step(self.node.number)
        items = [self._seed(), self._of_step(node.target), tree.array([number]), _no_numbers()]
        items += [self._begun(each) for each in node.carried]
        query = self._from_seeds([*items, tree.number(1)])
        if node.distinct == "nodes":
            query = query.where(tree.binary(exp.NEQ, self._of_step(node.target), self._seed()))
        return query

    def _from_seeds(self, items: Sequence[Sql]) -> exp.Select:
        meets = tree.equal(self._of_step(self.node.origin), self._seed())
        query = exp.Select(expressions=[tree.used_once(each) for each in items])
        query = query.from_(self._source(self.seeds))
        query.append("joins", exp.Join(this=self._source(self.steps), on=meets))
        return query

    def _source(self, block: Block) -> Sql:
        assert block.source is not None
        return tree.used_once(block.source)

    def _further_steps(self, name: str) -> exp.Select:
        node = self.node
        edges, nodes = tree.column("_edges", name), tree.column("_nodes", name)
        items = [tree.column("_first", name), self._of_step(node.target)]
        items.append(self._extended(edges, self._of_step(node.number)))
        items.append(self._extended(nodes, self._of_step(node.origin)))
        items += [self._continued(each, position, name) for position, each in enumerate(node.carried)]
        query = self._onwards([*items, _one_more(name)], name)
        if node.distinct == "edges":
            query = query.where(tree.negation(tree.call("list_contains", edges, self._of_step(node.number))))
        elif node.distinct == "nodes":
            for known in (tree.column("_first", name), tree.column("_last", name)):
                query = query.where(tree.binary(exp.NEQ, self._of_step(node.target), known))
            query = query.where(tree.negation(tree.call("list_contains", nodes, self._of_step(node.target))))
        return query

    def _onwards(self, items: Sequence[Sql], name: str) -> exp.Select:
        node = self.node
        meets = tree.equal(self._of_step(node.origin), tree.column("_last", name))
        query = exp.Select(expressions=[tree.used_once(each) for each in items]).from_(_table(name))
        query.append("joins", exp.Join(this=self._source(self.steps), on=meets))
        query = query.where(tree.binary(exp.LT, tree.column("_length", name), tree.number(node.high)))
        return query if node.passable is None else query.where(self._of_step(node.passable))

    def _begun(self, carried: plan.Carried) -> Sql:
        if carried.inner:
            return {"list": _no_values(), "all": tree.boolean(True), "any": tree.boolean(False)}[carried.fold]
        value = self._value(carried)
        return tree.array([value]) if carried.fold == "list" else value

    def _continued(self, carried: plan.Carried, position: int, name: str) -> Sql:
        so_far, value = tree.column(f"_value{position}", name), self._value(carried)
        if carried.fold == "list":
            return self._extended(so_far, value)
        return tree.both(so_far, value) if carried.fold == "all" else exp.Paren(this=tree.either(so_far, value))

    def _value(self, carried: plan.Carried) -> Sql:
        value = self._of_step(carried.source)
        if carried.fold != "list":
            return tree.coalesce(value, tree.boolean(False))
        return tree.coalesce(tree.cast(embed(value, carried.source.type), "JSON"), tree.cast(tree.text("null"), "JSON"))

    def _extended(self, so_far: Sql, value: Sql) -> Sql:
        if self.node.backwards:
            return tree.call("list_prepend", value, so_far)
        return tree.call("list_append", so_far, value)

    def _standing(self) -> exp.Select:
        """Paths of length 0: from each node to itself."""
        items = [self._seed(), self._seed(), _no_numbers(), _no_numbers()]
        for each in self.node.carried:
            folds = {"list": _no_values(), "all": tree.boolean(True), "any": tree.boolean(False)}
            items.append(folds[each.fold])
        named = [tree.aliased(item, name) for item, name in zip(items, self.names, strict=True)]
        return exp.Select(expressions=named).from_(self._source(self.seeds))

    # --- shortest

    def _near(self) -> exp.Select:
        query = self._from_seeds([self._seed(), self._of_step(self.node.target), tree.number(1)])
        query.set("distinct", exp.Distinct())
        return query

    def _farther(self, name: str) -> exp.Select:
        query = self._onwards([tree.column("_first", name), self._of_step(self.node.target), _one_more(name)], name)
        query.set("distinct", exp.Distinct())
        known = exp.Table(
            this=exp.Identifier(this=name), db=exp.Identifier(this="recurring"),
            alias=exp.TableAlias(this=exp.Identifier(this="known")),
        )  # fmt: skip
        same = tree.both(
            tree.equal(tree.column("_first", "known"), tree.column("_first", name)),
            tree.equal(tree.column("_last", "known"), self._of_step(self.node.target)),
        )
        query.append("joins", exp.Join(this=known, kind="ANTI", on=same))
        return query

    def _one_each(self, query: exp.Select, distances: str, name: str | None = None) -> exp.Query:
        """The steps that lie on a shortest walk; with output=any, one to each node: that of the earliest edges."""
        first = self._seed() if name is None else tree.column("_first", name)
        length: Sql = tree.number(1) if name is None else _one_more(name)
        target = self._of_step(self.node.target)
        on = tree.both(
            tree.equal(tree.column("_first", distances), first),
            tree.equal(tree.column("_last", distances), target),
            tree.equal(tree.column("_length", distances), length),
        )
        query.append("joins", exp.Join(this=_table(distances), on=on))
        if self.node.shortest == "all":
            return query
        keys = [tree.used_once(first), tree.used_once(target)]
        query.set("distinct", exp.Distinct(on=exp.Tuple(expressions=keys)))
        edges = tree.ordered(query.expressions[2], False, False)
        query.set("order", exp.Order(expressions=[*(tree.ordered(each, False, False) for each in keys), edges]))
        return exp.Subquery(this=query)


def _table(name: str) -> exp.Table:
    return exp.Table(this=exp.Identifier(this=name))


def _one_more(name: str) -> Sql:
    return tree.binary(exp.Add, tree.column("_length", name), tree.number(1))


def _no_numbers() -> Sql:
    return tree.cast(tree.array([]), "BIGINT[]")


def _no_values() -> Sql:
    return tree.cast(tree.array([]), "JSON[]")
