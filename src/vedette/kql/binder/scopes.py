"""What names mean at a place of a query: variables of let statements and parameters, columns of the rows at hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from vedette.kql import plan, syntax
from vedette.kql.catalog import Catalog
from vedette.kql.plan import Column, Expression, Relation

INGESTION_TIME = "$IngestionTime"
TABLE_NAME = "$Table"
"""Names of hidden columns."""


@dataclasses.dataclass(slots=True, eq=False)
class Table:
    """A bound tabular expression.

    `aliases` are further names of columns that are no part of `*`. An `open` table has columns that only the data
    knows. `serialized` tells that the order of rows is defined, which window functions ask for. `discovered` holds the
    columns of an open table that were named though not declared. `label` is the name that `as` gave just before.
    `hidden` are the time of ingestion and the table's name, where a query asks for them: among the relation's columns
    as long as rows are handed through, never of `*`.
    """

    relation: Relation
    aliases: dict[str, Column] = dataclasses.field(default_factory=dict)
    open: bool = False
    serialized: bool = False
    discovered: dict[str, Column] = dataclasses.field(default_factory=dict)
    label: str | None = None
    hidden: tuple[Column, ...] = ()
    _names: dict[str, Column] | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in order, as `*` understands them."""
        if not self.hidden:
            return self.relation.columns
        return tuple(each for each in self.relation.columns if each not in self.hidden)

    @property
    def visible(self) -> Relation:
        """The rows with exactly the columns that `*` stands for."""
        if not self.hidden:
            return self.relation
        return plan.Project(self.columns, self.relation, tuple(reference(each) for each in self.columns))

    @property
    def names(self) -> dict[str, Column]:
        """Columns by name, in order."""
        if self._names is None:
            self._names = {each.name: each for each in self.columns}
        return self._names

    def find(self, name: str) -> Column | None:
        """The column that `name` refers to, by its name or an alias."""
        return self.names.get(name) or self.aliases.get(name) or self.discovered.get(name)

    def with_relation(self, relation: Relation, *, serialized: bool | None = None) -> Table:
        """The same rows' successor: aliases stay where the columns behind them do."""
        kept = {each.id for each in relation.columns}
        aliases = {name: column for name, column in self.aliases.items() if column.id in kept}
        return Table(
            relation,
            aliases,
            self.open,
            self.serialized if serialized is None else serialized,
            dict(self.discovered) if self.open else {},
            hidden=tuple(each for each in self.hidden if each.id in kept),
        )


def carry_aliases(before: Table, after: Table, outputs: Iterable[tuple[Column, Expression]]) -> Table:
    """Let columns that are handed through under one of their names answer to the others too.

    `outputs` are the columns of `after` and where they come from; an aggregate's value is what it returns.
    """
    if not before.aliases:
        return after
    by_column: dict[int, set[str]] = {}
    for alias, column in before.aliases.items():
        by_column.setdefault(column.id, {column.name}).add(alias)
    for output, expression in outputs:
        origin = expression
        if isinstance(expression, plan.Aggregate) and expression.arguments:
            origin = expression.arguments[-1]
        if not isinstance(origin, plan.ColumnReference):
            continue
        names = by_column.get(origin.column.id, set())
        if output.name in names:
            for other in names - {output.name} - after.names.keys():
                after.aliases.setdefault(other, output)
    return after


@dataclasses.dataclass(frozen=True, slots=True)
class ScalarVariable:
    """A scalar `let` or parameter: its expression, of `size` nodes, stands wherever the name does."""

    expression: Expression
    size: int = 1


@dataclasses.dataclass(slots=True, eq=False)
class TableVariable:
    """A tabular `let`, argument or `as` name. `shared` numbers its rows, so that all references see the same."""

    table: Table
    shared: int


@dataclasses.dataclass(frozen=True, slots=True)
class FunctionVariable:
    """A function of the query or a stored one, with the scope and the catalog that its body sees."""

    declaration: syntax.FunctionDeclaration
    scope: Scope
    catalog: Catalog
    stored: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class PatternVariable:
    """A declared pattern, with the scope that its bodies see."""

    declaration: syntax.DeclarePatternStatement
    scope: Scope


Variable = ScalarVariable | TableVariable | FunctionVariable | PatternVariable


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """Names in reach. `table` gives the columns; in a join's `on`, `left` and `right` do.

    `aggregation` allows aggregate functions; `windowed` window functions. `steps` are the steps of scan, or the
    variables of a graph pattern, with their columns; `pattern` is what graph functions know of that pattern.
    """

    variables: dict[str, Variable] = dataclasses.field(default_factory=dict)
    parent: Scope | None = None
    table: Table | None = None
    left: Table | None = None
    right: Table | None = None
    aggregation: bool = False
    windowed: bool = False
    steps: dict[str, dict[str, Column]] | None = None
    pattern: object | None = None

    def variable(self, name: str) -> Variable | None:
        """The variable of that name, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.variables.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def variable_names(self) -> Iterator[str]:
        """Names of all variables in reach, for hints."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.variables
            scope = scope.parent

    def block(self) -> Scope:
        """A scope for a block of statements, without the columns around it."""
        return Scope(parent=self)

    def over(self, table: Table | None, *, aggregation: bool = False, windowed: bool | None = None) -> Scope:
        """The scope of expressions over the rows of `table`."""
        window = (table is not None) if windowed is None else windowed
        return Scope({}, self.lexical, table, aggregation=aggregation, windowed=window)

    @property
    def lexical(self) -> Scope:
        """The scope of variables alone."""
        if self.table is None and self.left is None and self.steps is None:
            return self
        return self.parent if self.parent is not None and not self.variables else Scope(self.variables, self.parent)


def reference(column: Column) -> plan.ColumnReference:
    """An expression for the value of a column."""
    return plan.ColumnReference(column.type, column)
