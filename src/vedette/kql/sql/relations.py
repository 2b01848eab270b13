"""From the relations of the plan to one SELECT over a flat WITH chain. What each operator becomes is in the modules
`joins`, `expansion`, `windows` and here; all of them hand a `Block` on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.compiled import ExternalRead, ResultColumn
from vedette.kql.moments import Moment, TimeRange
from vedette.kql.plan import Column, Expression, Relation
from vedette.kql.sql import decimals, tree
from vedette.kql.sql.aggregates import Group
from vedette.kql.sql.base import Dialect, Scalars, UnsupportedError
from vedette.kql.sql.blocks import Block, OrderKey, is_free, referenced, unique_names
from vedette.kql.sql.literals import SQL_TYPES
from vedette.kql.sql.tree import Sql
from vedette.kql.traversal import map_children, reads_outer_rows, relations
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
        return Scalars(self.dialect, block.bindings, _Hoisting(self, block))

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


class _Hoisting:
    """Subqueries of expressions over a block: a single value is joined to its rows, where TRY can reach it."""

    def __init__(self, emitter: Relations, block: Block) -> None:
        self._emitter = emitter
        self._block = block

    def scalar_subquery(self, relation: Relation) -> Sql:
        """A column of the block that holds the value in every row."""
        value = self._emitter.scalar_subquery(relation)
        return self.single_value(exp.Select(expressions=[tree.aliased(value, "value")]), relation.columns[0].type)

    def single_value(self, query: exp.Select, type_: ScalarType) -> Sql:
        """The same for a query of one row, whose only column is `value`."""
        column = Column(self._emitter.fresh_column(), "value", type_)
        made = self._emitter.relation(query, [column], ["value"])
        if self._block.source is None:
            self._block.source = made.source
        else:
            self._block.joins.append(exp.Join(this=made.source, kind="CROSS"))
        return made.bindings[column.id]

    def column_subquery(self, relation: Relation) -> Sql:
        """As the emitter has it."""
        return self._emitter.column_subquery(relation)

    def moment(self, moment: Moment) -> Sql:
        """As the emitter has it."""
        return self._emitter.moment(moment)


_WIDE = 8


def _is_column(value: Sql, table: str, name: str) -> bool:
    return isinstance(value, exp.Column) and value.table == table and value.name == name


def _alias_of(block: Block) -> str:
    source = block.source
    assert source is not None
    return str(source.alias_or_name)


def _taken(column: Sql, type_: ScalarType) -> Sql:
    """Values as they come into the query."""
    return decimals.of_number(column) if type_ is ScalarType.DECIMAL else column


def _delivered(value: Sql, type_: ScalarType) -> Sql:
    """Values as they leave the query: guid, decimal and dynamic as text."""
    if type_ in {ScalarType.GUID, ScalarType.DYNAMIC}:
        return tree.cast(value, "VARCHAR")
    return decimals.as_text(value) if type_ is ScalarType.DECIMAL else value


def result_columns(columns: Sequence[Column]) -> tuple[ResultColumn, ...]:
    """Names and types for the host."""
    return tuple(ResultColumn(column.name, column.type) for column in columns)


# --- leaves ---------------------------------------------------------------------------------------------------------


@leaf(plan.Scan)
def _scan(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.Scan)
    alias = emitter.alias()
    name = emitter.table(node.table, node.time_range)
    source = exp.Table(this=tree.identifier(name), alias=exp.TableAlias(this=exp.Identifier(this=alias)))
    columns = zip(node.columns, node.physical, strict=True)
    return Block(source, {c.id: _taken(tree.column(physical, alias), c.type) for c, physical in columns})


@leaf(plan.Values)
def _values(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.Values)
    if len(node.rows) == 1:
        block = Block(None, {})
        scalars = emitter.scalars(block)
        block.bindings = {c.id: scalars.value(each) for c, each in zip(node.columns, node.rows[0], strict=True)}
        return block
    if not node.columns:
        return Block(None, {}, where=[] if node.rows else [tree.boolean(False)])
    names = unique_names(node.columns)
    if not node.rows:
        typed = [tree.aliased(tree.null(SQL_TYPES[c.type]), name) for c, name in zip(node.columns, names, strict=True)]
        empty = Block(None, {}, where=[tree.boolean(False)])
        return emitter.relation(empty.select(typed, ordered=False), node.columns, names)
    alias = emitter.alias()
    rows = [exp.Tuple(expressions=[tree.used_once(emitter.constant(each)) for each in row]) for row in node.rows]
    table = exp.TableAlias(this=exp.Identifier(this=alias), columns=[tree.identifier(name) for name in names])
    source = exp.Values(expressions=rows, alias=table)
    return Block(source, {c.id: tree.column(name, alias) for c, name in zip(node.columns, names, strict=True)})


@leaf(plan.Series)
def _series(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.Series)
    scalars = Scalars(emitter.dialect, {}, emitter)
    (column,) = node.columns
    bounds = scalars.values([node.start, node.stop, node.step])
    constant = all(isinstance(each, (plan.Literal, plan.QueryTime)) for each in (node.start, node.stop, node.step))
    steps = isinstance(node.step, plan.Literal) and bool(node.step.value)
    if constant and steps and column.type not in {ScalarType.REAL, ScalarType.DECIMAL}:
        return _counted(emitter, node, bounds)
    if column.type is ScalarType.DECIMAL:
        values = tree.call("unnest", tree.call("kql_range_real", *map(decimals.as_real, bounds)))
        item = tree.aliased(decimals.of_number(values), column.name)
        return emitter.relation(exp.Select(expressions=[item]), node.columns, [column.name])
    macro = "kql_range_real" if column.type is ScalarType.REAL else "kql_range"
    values = tree.call("unnest", tree.call(macro, *bounds))
    item = tree.aliased(tree.cast(values, SQL_TYPES[column.type]), column.name)
    return emitter.relation(exp.Select(expressions=[item]), node.columns, [column.name])


def _counted(emitter: Relations, node: plan.Series, bounds: Sequence[Sql]) -> Block:
    """Constant bounds: the engine counts without building a list."""
    (column,) = node.columns
    alias = emitter.alias()
    table = exp.TableAlias(this=exp.Identifier(this=alias), columns=[tree.identifier(column.name)])
    source = exp.Table(this=tree.call("generate_series", *bounds), alias=table)
    value = tree.column(column.name, alias)
    return Block(source, {column.id: tree.cast(value, "INTEGER") if column.type is ScalarType.INT else value})


@leaf(plan.Shared)
def _shared(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.Shared)
    return emitter.shared(node)


@leaf(plan.CorrelatedRows)
def _correlated(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.CorrelatedRows)
    rows = emitter.scopes[node.scope]
    return Block(rows.source, dict(rows.bindings), list(rows.joins), list(rows.where), rows.order, rows.limit)


@leaf(plan.ExternalData)
def _external(emitter: Relations, node: Relation) -> Block:
    assert isinstance(node, plan.ExternalData)
    name = f"external#{len(emitter.externals) + 1}"
    columns = result_columns(node.columns)
    emitter.externals.append(ExternalRead(name, node.uris, node.format, columns, node.properties))
    alias = emitter.alias()
    source = exp.Table(this=tree.identifier(name), alias=exp.TableAlias(this=exp.Identifier(this=alias)))
    names = unique_names(node.columns)
    found = zip(node.columns, names, strict=True)
    return Block(source, {c.id: _taken(tree.column(each, alias), c.type) for c, each in found})


# --- steps ----------------------------------------------------------------------------------------------------------


@step(plan.Filter)
def _filter(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Filter)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block = emitter.prepared(block, node.input.columns, [node.predicate])
    block.where.append(emitter.scalars(block).condition(node.predicate))
    return block


@step(plan.Project)
def _project(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Project)
    computed = [each for each in node.expressions if not isinstance(each, plan.ColumnReference)]
    block = emitter.prepared(block, node.input.columns, computed)
    scalars = emitter.scalars(block)
    block.bindings = {c.id: scalars.value(each) for c, each in zip(node.columns, node.expressions, strict=True)}
    return block


@step(plan.Sort)
def _sort(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Sort)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block = emitter.prepared(block, node.input.columns, [key.expression for key in node.keys])
    scalars = emitter.scalars(block)
    block.order = order_keys(scalars, node.keys)
    if node.limit is not None:
        block.limit = emitter.constant(node.limit)
    return block


def order_keys(scalars: Scalars, keys: Sequence[plan.SortKey]) -> tuple[OrderKey, ...]:
    """Sort keys of the plan in SQL.

    NaN stands with the nulls (sort-operator), behind them at the beginning and before them at the end; SQL would put it
    above all numbers.
    """
    found: list[OrderKey] = []
    for key in keys:
        value = scalars.value(key.expression)
        if key.expression.type is ScalarType.REAL:
            number = exp.Nullif(this=tree.used_once(value), expression=tree.cast(tree.text("nan"), "DOUBLE"))
            missing = exp.Is(this=tree.operand(scalars.value(key.expression)), expression=exp.Null())
            found += [
                OrderKey(number, key.descending, key.nulls_first), OrderKey(missing, key.nulls_first, key.nulls_first)
            ]  # fmt: skip
            continue
        if key.expression.type is ScalarType.DYNAMIC:
            value = tree.call("kql_sort_key", value)
        found.append(OrderKey(value, key.descending, key.nulls_first))
    return tuple(found)


@step(plan.Limit)
def _limit(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Limit)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block.limit = emitter.constant(node.count)
    return block


@step(plan.Sample)
def _sample(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Sample)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block.order = (OrderKey(tree.call("random"), False, False),)
    block.limit = emitter.constant(node.count)
    block = emitter.closed(block, node.input.columns)
    block.order = ()
    return block


@step(plan.Distinct)
def _distinct(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Distinct)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block.order = ()
    names = unique_names(node.input.columns)
    items = [tree.aliased(block.bindings[c.id], name) for c, name in zip(node.input.columns, names, strict=True)]
    query = block.select(items, ordered=False)
    query.set("distinct", exp.Distinct())
    result = emitter.relation(query, node.input.columns, names)
    return emitter.renamed(result, node.input.columns, node.columns)


@step(plan.Summarize)
def _summarize(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Summarize)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block = emitter.prepared(block, node.input.columns, [*node.keys, *node.aggregates])
    keys = emitter.scalars(block).values(node.keys)
    bindings = dict(block.bindings)
    bindings.update({column.id: key for column, key in zip(node.columns, keys, strict=False)})
    picks = sum(1 for each in node.aggregates if isinstance(each, plan.Aggregate) and each.function == "take_any")
    group = Group(emitter.dialect, bindings, emitter, [key.ordered() for key in block.order], picks)
    plain = all(isinstance(each, (plan.Aggregate, plan.ColumnReference)) for each in node.aggregates)
    if not plain:
        return _summarized_in_two_steps(emitter, block, node)
    values = keys + group.values(node.aggregates)
    names = unique_names(node.columns)
    items = [tree.aliased(value, name) for value, name in zip(values, names, strict=True)]
    query = block.select(items, ordered=False)
    if keys:
        query.set("group", exp.Group(expressions=[tree.number(position + 1) for position in range(len(keys))]))
    return emitter.relation(query, node.columns, names)


def _summarized_in_two_steps(emitter: Relations, block: Block, node: plan.Summarize) -> Block:
    """Expressions over aggregates: the aggregates as columns of their own first, the expressions over those."""
    made: list[tuple[Column, plan.Aggregate]] = []

    def separated(expression: Expression) -> Expression:
        if isinstance(expression, plan.Aggregate):
            column = Column(emitter.fresh_column(), f"_aggregate{len(made)}", expression.type)
            made.append((column, expression))
            return plan.ColumnReference(expression.type, column)
        return map_children(expression, separated)

    keys = node.columns[: len(node.keys)]
    outputs = tuple(separated(each) for each in node.aggregates)
    inner = plan.Summarize(keys + tuple(c for c, _ in made), node.input, node.keys, tuple(each for _, each in made))
    result = _summarize(emitter, block, inner)
    scalars = emitter.scalars(result)
    values = dict(zip((column.id for column in node.columns[len(keys) :]), scalars.values(outputs), strict=True))
    result.bindings = {**{column.id: result.bindings[column.id] for column in keys}, **values}
    return result
