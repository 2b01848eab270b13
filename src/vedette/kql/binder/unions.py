"""union, and what search and find share with it: rows of several tables under common columns."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterator

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import word
from vedette.kql.binder.context import Binder
from vedette.kql.binder.names import unique
from vedette.kql.binder.pipelines import operator, source
from vedette.kql.binder.scopes import FunctionVariable, Scope, Table, reference
from vedette.kql.binder.tables import matching_tables, scan
from vedette.kql.plan import Column, Literal, Relation
from vedette.kql.types import ScalarType


@dataclasses.dataclass(frozen=True, slots=True)
class Leg:
    """A table of a union, and the name that `withsource` gives it, None where it has none of its own."""

    table: Table
    name: str | None


@operator(syntax.UnionOperator)
def bind_union(binder: Binder, written: syntax.UnionOperator, table: Table, scope: Scope) -> Table:
    """`union` of the piped rows and others."""
    return _union(binder, written, [Leg(table, table.label)], scope)


@source(syntax.UnionOperator)
def bind_union_source(binder: Binder, written: syntax.UnionOperator, scope: Scope) -> Table:
    """`union` at the head of a query."""
    return _union(binder, written, [], scope)


def _union(binder: Binder, written: syntax.UnionOperator, legs: list[Leg], scope: Scope) -> Table:
    fuzzy = word(written.parameter("isfuzzy")) == "true"
    for each in written.tables:
        legs.extend(bind_leg(binder, each, scope, fuzzy=fuzzy))
    if not legs:
        return binder.fail_table("union_without_tables", written.span)
    source_name = word(written.parameter("withsource") or written.parameter("with_source"))
    if source_name is not None:
        legs = [_with_source(binder, leg, source_name, index) for index, leg in enumerate(legs)]
    inner = word(written.parameter("kind")) == "inner"
    return combine(binder, [leg.table for leg in legs], inner=inner)


def bind_leg(binder: Binder, written: syntax.Expression, scope: Scope, *, fuzzy: bool = False) -> list[Leg]:
    """The tables that one operand of a union stands for: several where it is a pattern."""
    if isinstance(written, syntax.WildcardName | syntax.StarExpression):
        pattern = written.pattern if isinstance(written, syntax.WildcardName) else "*"
        return _matching_legs(binder, written, pattern, scope, fuzzy=fuzzy)
    if isinstance(written, syntax.NameReference):
        known = scope.variable(written.name)
        if known is None and binder.catalog.table(written.name) is None and fuzzy:
            return [] if binder.catalog.function(written.name) is None else [_leg(binder, written, scope)]
        own = written.name if known is None or isinstance(known, FunctionVariable) else None
        return [Leg(binder.table(binder, written, scope.lexical), own)]
    return [_leg(binder, written, scope)]


def _leg(binder: Binder, written: syntax.Expression, scope: Scope) -> Leg:
    table = binder.table(binder, written, scope.lexical)
    return Leg(table, table.label)


def _matching_legs(binder: Binder, written: syntax.Expression, pattern: str, scope: Scope, *, fuzzy: bool) -> list[Leg]:
    """Tables of the catalog and views of the query whose names fit."""
    legs = []
    for name in dict.fromkeys(scope.variable_names()):
        variable = scope.variable(name)
        is_view = isinstance(variable, FunctionVariable) and variable.declaration.is_view
        if is_view and fnmatch.fnmatchcase(name, pattern):
            legs.append(Leg(binder.table(binder, syntax.NameReference(written.span, name), scope.lexical), name))
    for name in matching_tables(binder, pattern):
        schema = binder.catalog.table(name)
        if schema is not None:
            legs.append(Leg(scan(binder, schema), name))
    if not legs and not fuzzy:
        binder.report("no_matching_table", written.span, pattern=pattern)
    return legs


def _with_source(binder: Binder, leg: Leg, name: str, index: int) -> Leg:
    """The leg with a first column that tells where rows are from."""
    table = leg.table
    column = binder.column(name, ScalarType.STRING)
    text = Literal(ScalarType.STRING, leg.name if leg.name is not None else f"union_arg{index}")
    rest = tuple(each for each in table.relation.columns if each.name != name)
    expressions = (text, *(reference(each) for each in rest))
    relation = plan.Project((column, *rest), table.relation, expressions)
    return Leg(table.with_relation(relation), leg.name)


def combine(binder: Binder, tables: list[Table], *, inner: bool = False) -> Table:
    """All rows of `tables`. Columns are those of any (inner: of all), in order of appearance.

    A name that has several types becomes a column per type, `name_type`; where such a name is taken, it is numbered.
    """
    occurrences: dict[str, dict[ScalarType, list[Column | None]]] = {}
    for position, table in enumerate(tables):
        for column in table.columns:
            types = occurrences.setdefault(column.name, {})
            types.setdefault(column.type, [None] * len(tables))[position] = column
    for position, table in enumerate(tables):
        _name_tables(table, occurrences, position)
    if inner:
        occurrences = {
            name: types for name, types in occurrences.items() if all(name in table.names for table in tables)
        }
    taken = set(occurrences)
    columns: list[Column] = []
    sources: list[list[Column | None]] = []
    for name, types in occurrences.items():
        for type_, found in types.items():
            output = name
            if len(types) > 1:
                output = unique(f"{name}_{type_.value}", taken)
                taken.add(output)
            columns.append(binder.column(output, type_))
            sources.append(found)
    shown = len(columns)
    for shared in _hidden_of_all(tables):
        columns.append(binder.fresh(shared[0]))
        sources.append(list(shared))
    inputs: tuple[Relation, ...] = tuple(each.relation for each in tables)
    by_input = tuple(tuple(found[position] for found in sources) for position in range(len(tables)))
    relation = plan.Union(tuple(columns), inputs, by_input)
    aliases = _common_aliases(tables, columns, by_input)
    return Table(relation, aliases, open=any(each.open for each in tables), hidden=tuple(columns[shown:]))


def _name_tables(table: Table, occurrences: dict[str, dict[ScalarType, list[Column | None]]], position: int) -> None:
    """Where only other tables have a column of their own by the name that tells this table's, it tells it there."""
    for name, column in table.aliases.items():
        found = occurrences.get(name, {}).get(column.type)
        if found is not None and column in table.hidden and found[position] is None:
            found[position] = column


def _hidden_of_all(tables: list[Table]) -> Iterator[tuple[Column, ...]]:
    """Columns beyond `*` that every table has, with those of each table."""
    for first in tables[0].hidden if tables else ():
        found = [each for table in tables for each in table.hidden if each.name == first.name]
        if len(found) == len(tables):
            yield tuple(found)


def _common_aliases(
    tables: list[Table], columns: list[Column], sources: tuple[tuple[Column | None, ...], ...]
) -> dict[str, Column]:
    """Aliases that mean the same output column in every table that has them, and no column in any."""
    taken = {each.name for each in columns}
    aliases: dict[str, Column] = {}
    for alias in {name for table in tables for name in table.aliases} - taken:
        meant = {
            output.id: output
            for table, found in zip(tables, sources, strict=True)
            for output, own in zip(columns, found, strict=True)
            if own is not None and own is table.aliases.get(alias)
        }
        if len(meant) == 1:
            aliases[alias] = meant.popitem()[1]
    return aliases
