"""A SELECT being built. Operators of the plan merge into one block as long as that is sound; then it is closed and the
next one reads from it. Blocks become a flat WITH chain, so that a pipeline of any length nests nowhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from sqlglot import exp

from vedette.kql.plan import Column, ColumnReference, Expression
from vedette.kql.sql import tree
from vedette.kql.sql.tree import Sql
from vedette.kql.traversal import children_of


@dataclasses.dataclass(frozen=True, slots=True)
class OrderKey:
    """One sort key of a block's rows."""

    sql: Sql
    descending: bool
    nulls_first: bool

    def ordered(self) -> Sql:
        """As it stands in ORDER BY."""
        return tree.ordered(self.sql, self.descending, self.nulls_first)


@dataclasses.dataclass(slots=True)
class Block:
    """FROM, WHERE, ORDER BY and LIMIT of a SELECT, and what each column of the plan is over its source."""

    source: Sql | None
    bindings: dict[int, Sql]
    joins: list[exp.Join] = dataclasses.field(default_factory=list)
    where: list[Sql] = dataclasses.field(default_factory=list)
    order: tuple[OrderKey, ...] = ()
    limit: Sql | None = None

    @property
    def is_source(self) -> bool:
        """Whether it is nothing but a relation with its columns, fit to stand in FROM as it is."""
        plain = not (self.joins or self.where or self.limit is not None) and self.source is not None
        return plain and all(isinstance(each, exp.Column) for each in self.bindings.values())

    def select(self, items: Iterable[Sql], *, ordered: bool) -> exp.Select:
        """The statement with these select items."""
        query = exp.Select(expressions=[tree.used_once(each) for each in items])
        if self.source is not None:
            query.set("from_", exp.From(this=tree.used_once(self.source)))
        if self.joins:
            query.set("joins", self.joins)
        if self.where:
            query.set("where", exp.Where(this=tree.both(*self.where)))
        if ordered and self.order:
            query.set("order", exp.Order(expressions=[key.ordered() for key in self.order]))
        if self.limit is not None:
            query.set("limit", exp.Limit(expression=tree.used_once(self.limit)))
        return query


def unique_names(columns: Sequence[Column]) -> list[str]:
    """Names for the columns of one relation, distinct even when case is ignored."""
    taken: set[str] = set()
    names = []
    for column in columns:
        base = name = column.name or "column"
        count = 1
        while name.lower() in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name.lower())
        names.append(name)
    return names


_FREE = (exp.Column, exp.Literal, exp.Boolean, exp.Null)


def is_free(node: Sql) -> bool:
    """Whether a value may stand in several places: reading it again costs nothing worth a column of its own."""
    if isinstance(node, _FREE):
        return True
    if isinstance(node, exp.Cast):
        return isinstance(node.this, (exp.Literal, exp.Null, exp.Parameter))
    if isinstance(node, exp.Coalesce):
        return is_free(node.this) and all(is_free(each) for each in node.expressions)
    if isinstance(node, exp.Anonymous) and node.name == "kql_parse_json":
        return all(is_free(each) for each in node.expressions)
    return isinstance(node, exp.Paren) and is_free(node.this)


def referenced(expressions: Iterable[Expression]) -> set[int]:
    """Ids of all columns that the expressions read, subqueries apart."""
    found: set[int] = set()
    stack = list(expressions)
    while stack:
        node = stack.pop()
        if isinstance(node, ColumnReference):
            found.add(node.column.id)
        else:
            stack.extend(children_of(node))
    return found
