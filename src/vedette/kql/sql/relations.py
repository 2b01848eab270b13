"""From the relations of the plan to one SELECT over a flat WITH chain. What each operator becomes is in modules of
their own (`sources`, `steps`, `summaries`, `joins`, `expansion`, `windows`, …); all of them hand a `Block` on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.compiled import ExternalRead, ResultColumn
from vedette.kql.moments import Moment, TimeRange
from vedette.kql.plan import Column, Expression, Relation
from vedette.kql.sql import decimals, tree
from vedette.kql.sql.base import Dialect, Scalars, UnsupportedError
from vedette.kql.sql.blocks import Block, OrderKey, is_free, referenced, unique_names
from vedette.kql.sql.hoisting import Hoisting
from vedette.kql.sql.literals import SQL_TYPES
from vedette.kql.sql.tree import Sql
from vedette.kql.traversal import reads_outer_rows, relations
from vedette.kql.types import ScalarType

Apply = Callable[["Relations", Block, Relation], Block]
"""Puts one operator on top of the block of its input."""

Leaf = Callable[["Relations", Relation], Block]
"""Makes the block of an operator that has no single input."""

STEPS: dict[type[Relation], Apply] = {}
LEAVES: dict[type[Relation], Leaf] = {}


def step(kind: type[Relation]) -> Callable[[Apply], Apply]:
    """Declare how an operator with one input goes on top of it."""

    def declare(apply: Apply) -> Apply:
        STEPS[kind] = apply
        return apply

    return declare


def leaf(kind: type[Relation]) -> Callable[[Leaf], Leaf]:
    """Declare how an operator with no input or several becomes a block."""

    def declare(make: Leaf) -> Leaf:
        LEAVES[kind] = make
        return make

    return declare


class Relations:
    """The emission of one query: its WITH chain, what it reads, and the rows that several places share."""

    def __init__(self, dialect: Dialect, root: Relation) -> None:
        self.dialect = dialect
        self.reads: dict[tuple[str, TimeRange], str] = {}
        self.externals: list[ExternalRead] = []
        self.scopes: dict[int, Block] = {}
        self.nested = 0
        self.moments: list[Moment] = []
        self._chain: list[exp.CTE] = []
        self._recursive = False
        self._shared: dict[int, tuple[str, list[str]]] = {}
        self._uses = Counter(node.id for node in relations(root) if isinstance(node, plan.Shared))
        self._names = 0
        self._columns = 0
        self._outputs: dict[str, set[str]] = {}

    # --- blocks

    def block(self, relation: Relation) -> Block:
        """The block of a relation: down to where the pipeline begins, then up operator by operator."""
        pipeline: list[Relation] = []
        while type(relation) in STEPS:
            pipeline.append(relation)
            relation = relation.input  # type: ignore[attr-defined]
        make = LEAVES.get(type(relation))
        if make is None:
            raise UnsupportedError(type(relation).__name__, "not built")
        block = make(self, relation)
        for node in reversed(pipeline):
            block = STEPS[type(node)](self, block, node)
        return block

    def scalars(self, block: Block) -> Scalars:
        """Lowers expressions over the rows of a block."""
        return Scalars(self.dialect, block.bindings, Hoisting(self, block))

    def constant(self, expression: Expression) -> Sql:
        """An expression over no row at all."""
        return Scalars(self.dialect, {}, self).value(expression)

    def closed(self, block: Block, columns: Sequence[Column]) -> Block:
        """The block as a relation of its own. An order that has not been used up by a limit moves on with the rows."""
        names = unique_names(columns)
        items = self._items(block, {name: block.bindings[c.id] for c, name in zip(columns, names, strict=True)})
        carried: list[tuple[OrderKey, str]] = []
        for position, key in enumerate(block.order):
            carried.append((key, f"_order{position}"))
            items.append(tree.aliased(key.sql, f"_order{position}"))
        if not items:
            items = [tree.aliased(tree.number(1), "_row")]
        query = block.select(items, ordered=block.limit is not None)
        result = self.relation(query, columns, names)
        alias = _alias_of(result)
        self._outputs[alias] = {*names, *(name for _, name in carried)}
        result.order = tuple(
            OrderKey(tree.column(name, alias), key.descending, key.nulls_first) for key, name in carried
        )
        return result

    def _items(self, block: Block, values: Mapping[str, Sql]) -> list[Sql]:
        """Select items by name. Where nearly all of a relation is handed on, a star stands for it: a chain of operators
        over wide rows would be written out in the square of its length."""
        alias = block.source.alias_or_name if block.source is not None else ""
        offered = self._outputs.get(alias, set())
        kept = {name for name, value in values.items() if name in offered and _is_column(value, alias, name)}
        dropped = offered - kept
        if len(kept) < _WIDE or len(dropped) > len(kept) // 4:
            return [tree.aliased(value, name) for name, value in values.items()]
        rest = [tree.aliased(value, name) for name, value in values.items() if name not in kept]
        return [tree.star(alias, sorted(dropped)), *rest]

    def source(self, block: Block, columns: Sequence[Column]) -> Block:
        """The block as something that can stand in FROM beside others."""
        return block if block.is_source else self.closed(block, columns)

    def relation(
        self, query: exp.Query, columns: Sequence[Column], names: Sequence[str], *, shared: bool = False
    ) -> Block:
        """A query under a name of the WITH chain (inside a correlated subquery: in place) as a block."""
        self._names += 1
        alias = f"t{self._names}"
        if self.nested:
            source: Sql = exp.Subquery(this=query, alias=exp.TableAlias(this=exp.Identifier(this=alias)))
        else:
            definition = exp.TableAlias(this=exp.Identifier(this=alias))
            self._chain.append(exp.CTE(this=query, alias=definition, materialized=None if shared else False))
            source = exp.Table(this=exp.Identifier(this=alias))
        return Block(source, {column.id: tree.column(name, alias) for column, name in zip(columns, names, strict=True)})

    def recursion(self, names: Sequence[str], make: Callable[[str], exp.Query], *, keys: Sequence[str] = ()) -> str:
        """The name of a relation defined in terms of it. With `keys`, later rows replace those of equal keys."""
        name = self.alias()
        columns = [tree.identifier(each) for each in names]
        alias = exp.TableAlias(this=exp.Identifier(this=name), columns=columns)
        key = [tree.identifier(each) for each in keys] or None
        self._chain.append(exp.CTE(this=make(name), alias=alias, key_expressions=key))
        self._recursive = True
        return name

    def materialized(self, query: exp.Query) -> str:
        """The name of a relation that is computed once, however often it is read."""
        name = self.alias()
        alias = exp.TableAlias(this=exp.Identifier(this=name))
        self._chain.append(exp.CTE(this=query, alias=alias, materialized=True))
        return name

    def renamed(self, block: Block, inner: Sequence[Column], outer: Sequence[Column]) -> Block:
        """The same rows under other columns, by position."""
        bindings = {new.id: block.bindings[old.id] for old, new in zip(inner, outer, strict=True)}
        return Block(block.source, bindings, block.joins, block.where, block.order, block.limit)

    def prepared(self, block: Block, columns: Sequence[Column], expressions: Sequence[Expression]) -> Block:
        """The block, closed first if the expressions would repeat work that a column of it stands for."""
        needed = referenced(expressions)
        if all(is_free(block.bindings[each]) for each in needed if each in block.bindings):
            return block
        return self.closed(block, columns)

    def table(self, name: str, time_range: TimeRange) -> str:
        """The name under which the query reads a table in a time range."""
        key = (name, time_range)
        if key not in self.reads:
            same = sum(1 for table, _ in self.reads if table == name)
            self.reads[key] = name if not same else f"{name}#{same + 1}"
        return self.reads[key]

    def moment(self, moment: Moment) -> Sql:
        """The parameter that holds a time reckoned from that of the query; equal ones share one."""
        if moment not in self.moments:
            self.moments.append(moment)
        return tree.cast(tree.parameter(self.moments.index(moment) + 1), SQL_TYPES[ScalarType.DATETIME])

    def alias(self) -> str:
        """A fresh name for a relation in FROM."""
        self._names += 1
        return f"t{self._names}"

    def fresh_column(self) -> int:
        """An id for a column of the emitter's own: below zero, where the binder has none."""
        self._columns -= 1
        return self._columns

    # --- subqueries of expressions

    def scalar_subquery(self, relation: Relation) -> Sql:
        """First column of the first row, in parentheses."""
        block = self.block(relation)
        if block.limit is not None:
            block = self.closed(block, relation.columns)
        block.limit = tree.number(1)
        first = exp.Subquery(this=block.select([block.bindings[relation.columns[0].id]], ordered=True))
        return tree.coalesce(first, tree.text("")) if relation.columns[0].type is ScalarType.STRING else first

    def single_value(self, query: exp.Select, _type: ScalarType) -> Sql:
        """A query of one row and one column, in parentheses."""
        return exp.Subquery(this=query)

    def column_subquery(self, relation: Relation) -> Sql:
        """The first column as a relation whose only column is `item`."""
        block = self.block(relation)
        query = block.select(
            [tree.aliased(block.bindings[relation.columns[0].id], "item")], ordered=block.limit is not None
        )
        return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.Identifier(this=self.alias())))

    # --- shared rows

    def shared(self, node: plan.Shared) -> Block:
        """Rows that several places read: computed under one name; read in one place only, they are inlined."""
        if self._uses[node.id] < 2 or (self.nested and reads_outer_rows(node.input)):
            return self.renamed(self.block(node.input), node.input.columns, node.columns)
        if node.id not in self._shared:
            nested, self.nested = self.nested, 0
            block = self.block(node.input)
            names = unique_names(node.input.columns)
            items = [
                tree.aliased(block.bindings[c.id], name) for c, name in zip(node.input.columns, names, strict=True)
            ]
            made = self.relation(
                block.select(items, ordered=block.limit is not None), node.input.columns, names, shared=True
            )
            if node.once:
                self._chain[-1].set("materialized", True)
            self.nested = nested
            self._shared[node.id] = (_alias_of(made), names)
        name, columns = self._shared[node.id]
        alias = self.alias()
        source = exp.Table(this=exp.Identifier(this=name), alias=exp.TableAlias(this=exp.Identifier(this=alias)))
        bindings = {c.id: tree.column(column, alias) for c, column in zip(node.columns, columns, strict=True)}
        return Block(source, bindings)

    # --- the whole

    def query(self, root: Relation) -> exp.Select:
        """The statement of the whole query, columns as the host expects them."""
        block = self.block(root)
        names = unique_names(root.columns)
        items = [
            tree.aliased(_delivered(block.bindings[column.id], column.type), name)
            for column, name in zip(root.columns, names, strict=True)
        ]
        query = block.select(items or [tree.aliased(tree.number(1), "_row")], ordered=True)
        if self._chain:
            query.set("with_", exp.With(expressions=self._chain, recursive=self._recursive))
        self.ordered = bool(block.order)
        return query

    ordered = False


_WIDE = 8


def _is_column(value: Sql, table: str, name: str) -> bool:
    return isinstance(value, exp.Column) and value.table == table and value.name == name


def _alias_of(block: Block) -> str:
    source = block.source
    assert source is not None
    return str(source.alias_or_name)


def _delivered(value: Sql, type_: ScalarType) -> Sql:
    """Values as they leave the query: guid, decimal and dynamic as text."""
    if type_ in {ScalarType.GUID, ScalarType.DYNAMIC}:
        return tree.cast(value, "VARCHAR")
    return decimals.as_text(value) if type_ is ScalarType.DECIMAL else value


def result_columns(columns: Sequence[Column]) -> tuple[ResultColumn, ...]:
    """Names and types for the host."""
    return tuple(ResultColumn(column.name, column.type) for column in columns)
