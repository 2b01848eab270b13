"""fork and facet: several results of the same rows."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.context import Binder
from vedette.kql.binder.names import default_name
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.result_tables import results_of
from vedette.kql.binder.scopes import Scope, Table
from vedette.kql.plan import Aggregate
from vedette.kql.types import ScalarType


@operator(syntax.ForkOperator)
def bind_fork(binder: Binder, written: syntax.ForkOperator, table: Table, scope: Scope) -> Table:
    """`fork`: each branch is a result of its own, named as written or by its `as`."""
    results: list[tuple[str | None, Table]] = []
    shared = binder.share()
    for each in written.branches:
        result = _branch(binder, each.subquery, table, scope, shared)
        results.append((each.name.text if each.name is not None else result.label, result))
    return results_of(results[0][1], results[1:])


@operator(syntax.FacetOperator)
def bind_facet(binder: Binder, written: syntax.FacetOperator, table: Table, scope: Scope) -> Table:
    """`facet`: what the subquery makes of the rows, and for each column its values with their counts."""
    shared = binder.share()
    results: list[Table] = []
    if written.subquery is not None:
        results.append(_branch(binder, written.subquery, table, scope, shared))
    for each in written.by:
        copy = _copy(binder, table, shared)
        value = binder.scalar(binder, each, scope.over(copy))
        name = default_name(each) or "Column1"
        columns = (binder.column(name, value.type), binder.column(f"count_{name}", ScalarType.LONG))
        count = Aggregate(ScalarType.LONG, "count", ())
        results.append(Table(plan.Summarize(columns, copy.relation, (value,), (count,))))
    return results_of(results[0], [(None, each) for each in results[1:]])


def _copy(binder: Binder, table: Table, shared: int) -> Table:
    renewed = {each.id: binder.fresh(each) for each in table.columns}
    relation = plan.Shared(tuple(renewed.values()), shared, table.visible)
    aliases = {name: renewed[column.id] for name, column in table.aliases.items() if column.id in renewed}
    return Table(relation, aliases, table.open, table.serialized)


def _branch(binder: Binder, written: syntax.ContextualSubquery, table: Table, scope: Scope, shared: int) -> Table:
    before, binder.subject = binder.subject, _copy(binder, table, shared)
    result = binder.table(binder, written, scope.lexical)
    binder.subject = before
    return result
