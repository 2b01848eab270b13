"""top-nested: level by level, the best groups within each group of the level above.

Each level aggregates the rows left by the one above, ranks its groups within their parents and keeps the rows of the
best. With `others` the rest becomes one more group; levels below it that have no `others` of their own say nothing.
"""

from __future__ import annotations

import dataclasses

from vedette.kql import plan, syntax
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.names import OutputNames, default_name
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.rows import bind_count
from vedette.kql.binder.scopes import Scope, Table, reference
from vedette.kql.plan import Column, Expression, Literal, Relation, SortKey
from vedette.kql.types import ScalarType


@dataclasses.dataclass(frozen=True, slots=True)
class _Level:
    """One level: key and aggregate over the input's rows, and the output columns for both."""

    key: Expression
    aggregate: Expression
    count: Expression | None
    descending: bool
    others: Expression | None
    name: str
    label: str


@operator(syntax.TopNestedOperator)
def bind_top_nested(binder: Binder, written: syntax.TopNestedOperator, table: Table, scope: Scope) -> Table:
    """`top-nested`: a key column and an aggregate's column per level."""
    names = OutputNames()
    levels = [_level(binder, each, table, scope, names) for each in written.clauses]
    keys = tuple(binder.column(f"$key{place}", each.key.type) for place, each in enumerate(levels))
    columns = (*table.columns, *keys)
    values = (*(reference(each) for each in table.columns), *(each.key for each in levels))
    keyed = plan.Project(columns, table.relation, values)
    return Table(_Nesting(binder, levels).below(0, _Rows(keyed, keys), ()))


def _level(binder: Binder, written: syntax.TopNestedClause, table: Table, scope: Scope, names: OutputNames) -> _Level:
    key, key_name = _named(binder, written.of, scope.over(table))
    by: syntax.Expression = written.by
    descending = True
    if isinstance(by, syntax.OrderedExpression):
        descending = by.direction != "asc"
        by = by.expression
    aggregate, label = _named(binder, by, scope.over(table, aggregation=True), aggregate=True)
    name = names.automatic(key_name)
    shown = names.automatic(label or f"aggregated_{key_name or ''}")
    count = None if written.count is None else bind_count(binder, written.count, scope)
    others = None
    if written.others is not None:
        others = convert(binder.scalar(binder, written.others, scope.lexical), key.type)
    return _Level(key, aggregate, count, descending, others, name, shown)


def _named(
    binder: Binder, written: syntax.Expression, scope: Scope, *, aggregate: bool = False
) -> tuple[Expression, str | None]:
    if isinstance(written, syntax.OrderedExpression):
        written = written.expression
    if isinstance(written, syntax.NamedExpression):
        return binder.scalar(binder, written.expression, scope), written.name.text
    return binder.scalar(binder, written, scope), None if aggregate else default_name(written)


@dataclasses.dataclass(frozen=True, slots=True)
class _Rows:
    """Input rows of the groups chosen so far. `keys` are the columns with the levels' keys."""

    relation: Relation
    keys: tuple[Column, ...]


class _Nesting:
    """The levels of one top-nested."""

    def __init__(self, binder: Binder, levels: list[_Level]) -> None:
        self._binder = binder
        self._levels = levels

    def below(self, depth: int, rows: _Rows, chosen: tuple[Column, ...]) -> Relation:
        """All results of the levels from `depth` on. `chosen` are columns of the rows with results of those above."""
        if depth == len(self._levels):
            columns = tuple(self._binder.fresh(each) for each in chosen)
            distinct = plan.Project(chosen, rows.relation, tuple(reference(each) for each in chosen))
            return plan.Distinct(columns, plan.Project(columns, distinct, tuple(reference(each) for each in chosen)))
        level = self._levels[depth]
        shared = self._binder.share()
        source = plan.Shared(rows.relation.columns, shared, rows.relation)
        best = self._best(depth, rows, source)
        if level.others is None or level.count is None:
            return self.below(depth + 1, *self._kept(depth, rows, source, best, chosen))
        winners = self._binder.share()
        best = plan.Shared(best.columns, winners, best)
        kept = self.below(depth + 1, *self._kept(depth, rows, source, self._again(best), chosen))
        rest = self._rest(depth, rows, self._again(source), self._again(best), chosen)
        outputs = tuple(self._binder.fresh(each) for each in kept.columns)
        return plan.Union(outputs, (kept, rest), (kept.columns, rest.columns))

    def _again(self, shared: Relation) -> Relation:
        """Another reference to shared rows, with the same columns: each stands in a branch of its own."""
        assert isinstance(shared, plan.Shared)
        return plan.Shared(shared.columns, shared.id, shared.input)

    def _best(self, depth: int, rows: _Rows, source: Relation) -> Relation:
        """The best groups within each parent: keys down to this level, then the aggregate."""
        level = self._levels[depth]
        copy = plan.Shared(tuple(source.columns), source.id, source.input)  # type: ignore[attr-defined]
        keys = tuple(self._binder.fresh(each) for each in rows.keys[: depth + 1])
        value = self._binder.column(level.label, level.aggregate.type)
        read = tuple(reference(each) for each in rows.keys[: depth + 1])
        grouped = plan.Summarize((*keys, value), copy, read, (level.aggregate,))
        if level.count is None:
            return grouped
        order = SortKey(reference(value), level.descending, not level.descending)
        parents = tuple(reference(each) for each in keys[:-1])
        return plan.FirstOfGroups(grouped.columns, grouped, parents, (order,), level.count)

    def _kept(
        self, depth: int, rows: _Rows, source: Relation, best: Relation, chosen: tuple[Column, ...]
    ) -> tuple[_Rows, tuple[Column, ...]]:
        """The rows of the best groups, with key and aggregate of this level behind what was chosen before."""
        level = self._levels[depth]
        own = [self._binder.fresh(each) for each in best.columns]
        best = plan.Project(tuple(own), best, tuple(reference(each) for each in best.columns))
        key = self._binder.column(level.name, level.key.type)
        columns = (*source.columns, key, own[-1])
        on = tuple((reference(row), reference(group)) for row, group in zip(rows.keys[: depth + 1], own, strict=False))
        joined = plan.Join(columns, source, best, "inner", on, (*source.columns, own[-2], own[-1]))
        return _Rows(joined, rows.keys), (*chosen, key, own[-1])

    def _rest(self, depth: int, rows: _Rows, source: Relation, best: Relation, chosen: tuple[Column, ...]) -> Relation:
        """One row per parent for all groups that were left out."""
        width = depth + 1
        on = tuple(
            (reference(row), reference(group)) for row, group in zip(rows.keys[:width], best.columns, strict=False)
        )
        left = plan.Join(source.columns, source, best, "leftanti", on, source.columns)
        kept = tuple(self._binder.fresh(each) for each in chosen)
        sums = [
            (self._binder.column(each.label, each.aggregate.type), each.aggregate)
            for place, each in enumerate(self._levels)
            if place >= depth and each.others is not None
        ]
        grouped = plan.Summarize(
            (*kept, *(column for column, _ in sums)),
            left,
            tuple(reference(each) for each in chosen),
            tuple(each for _, each in sums),
        )
        if not chosen:  # without parents a group stands even for no rows at all
            count = self._binder.column("$count", ScalarType.LONG)
            counted = (*grouped.aggregates, plan.Aggregate(ScalarType.LONG, "count", ()))
            grouped = plan.Summarize((*grouped.columns, count), left, (), counted)
            some = plan.Call(ScalarType.BOOL, "greater", (reference(count), Literal(ScalarType.LONG, 0)))
            return self._labelled(depth, plan.Filter(grouped.columns, grouped, some), kept, [c for c, _ in sums])
        return self._labelled(depth, grouped, kept, [column for column, _ in sums])

    def _labelled(self, depth: int, grouped: Relation, kept: tuple[Column, ...], sums: list[Column]) -> Relation:
        columns: list[Column] = [self._binder.fresh(each) for each in kept]
        values: list[Expression] = [reference(each) for each in kept]
        waiting = iter(sums)
        for level in self._levels[depth:]:
            columns += [
                self._binder.column(level.name, level.key.type),
                self._binder.column(level.label, level.aggregate.type),
            ]
            if level.others is None:
                values += [convert(Literal(ScalarType.DYNAMIC, None), each.type) for each in columns[-2:]]
            else:
                values += [level.others, reference(next(waiting))]
        return plan.Project(tuple(columns), grouped, tuple(values))
