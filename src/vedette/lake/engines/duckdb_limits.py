"""The SELECT over a relation without the rows that its scope hides. Values go in as tables, however many they are."""

from collections.abc import Callable, Iterable, Mapping

import pyarrow as pa
from sqlglot import exp

from vedette.lake.engine import NameLimit, RelationScope, RowLimit

VALUE = "value"


class LimitTables:
    """The in-memory tables of one query's limits: one for each set of values."""

    def __init__(self) -> None:
        self._names: dict[frozenset[str], str] = {}

    def name(self, values: frozenset[str]) -> str:
        """The table of a set of values."""
        return self._names.setdefault(values, f"$limit_{len(self._names)}")

    def tables(self) -> Mapping[str, pa.Table]:
        """What the session has to be given, by name."""
        return {name: pa.table({VALUE: pa.array(sorted(values), pa.string())}) for values, name in self._names.items()}


def limited_sql(
    sql: exp.Query, relation: RelationScope, tables: LimitTables, rows_of: Callable[[str], exp.Query]
) -> exp.Query:
    """`sql`, the rows of a relation, without those out of sight. `rows_of`: all rows of a table by name."""
    if not relation.is_visible:
        return exp.select("*").from_(sql.subquery("hidden_rows")).where(exp.false())
    conditions = [_is_seen(limit, tables) for limit in relation.limits]
    conditions += [_is_not_named(limit, tables) for limit in relation.names]
    for link in relation.links:
        key = exp.column(link.key, quoted=True)
        hidden = (
            exp.select(key.copy())
            .from_(rows_of(link.table).subquery("linked_rows"))
            .where(exp.not_(_all(_is_seen(limit, tables) for limit in link.limits)))
            .where(exp.not_(_is_empty(key.copy())))
        )
        conditions.append(exp.or_(_is_empty(key), exp.not_(exp.In(this=key.copy(), query=hidden.subquery()))))
    if not conditions and not relation.masks:
        return sql
    masks = [exp.alias_(_masked(limit, tables), limit.column, quoted=True) for limit in relation.masks]
    shown = exp.Star(replace=masks) if masks else exp.Star()
    return exp.select(shown).from_(sql.subquery("limited_rows")).where(*conditions)


def _is_seen(limit: RowLimit, tables: LimitTables) -> exp.Expr:
    column = exp.column(limit.column, quoted=True)
    known = exp.In(this=exp.Lower(this=column.copy()), query=_values(limit.values, tables))
    return exp.or_(_is_empty(column), known)


def _is_not_named(limit: NameLimit, tables: LimitTables) -> exp.Expr:
    column = exp.column(limit.column, quoted=True)
    name = exp.func("split_part", exp.Lower(this=column.copy()), exp.Literal.string("."), exp.Literal.number(1))
    named = exp.In(this=name, query=_values(limit.hidden, tables))
    return exp.or_(_is_empty(column), exp.not_(named))


def _masked(limit: RowLimit, tables: LimitTables) -> exp.Expr:
    return exp.Case().when(_is_seen(limit, tables), exp.column(limit.column, quoted=True))


def _values(values: frozenset[str], tables: LimitTables) -> exp.Subquery:
    name = exp.to_identifier(tables.name(values), quoted=True)
    return exp.select(VALUE).from_(exp.Table(this=name)).subquery()


def _is_empty(column: exp.Expr) -> exp.Expr:
    return exp.or_(
        exp.Is(this=column.copy(), expression=exp.null()), exp.EQ(this=column, expression=exp.Literal.string(""))
    )


def _all(conditions: Iterable[exp.Expr]) -> exp.Expr:
    return exp.and_(*conditions)
