"""Subqueries of expressions, moved to where the rows of a block come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlglot import exp

from vedette.kql.moments import Moment
from vedette.kql.plan import Column, Relation
from vedette.kql.sql import tree
from vedette.kql.sql.base import Subqueries
from vedette.kql.sql.blocks import Block
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType


class Emitter(Subqueries, Protocol):
    """What moving subqueries needs of the emitter of relations."""

    def fresh_column(self) -> int:
        """An id for a column of the emitter's own."""
        ...

    def relation(self, query: exp.Query, columns: Sequence[Column], names: Sequence[str]) -> Block:
        """A query under a name of its own, as a block."""
        ...


class Hoisting:
    """Subqueries of expressions over a block: a single value is joined to its rows, where TRY can reach it."""

    def __init__(self, emitter: Emitter, block: Block) -> None:
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
