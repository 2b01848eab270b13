"""scan and partition: operators that look at rows in sequence or in parts."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import word
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.expressions import bind_boolean
from vedette.kql.binder.ordering import bind_sort_keys
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.scopes import Scope, Table
from vedette.kql.plan import Column, Expression, Literal
from vedette.kql.types import ScalarType


@operator(syntax.PartitionOperator)
def bind_partition(binder: Binder, written: syntax.PartitionOperator, table: Table, scope: Scope) -> Table:
    """`partition by key (subquery)`."""
    key = binder.scalar(binder, written.by, scope.over(table))
    number = binder.share()
    if not isinstance(written.subquery, syntax.ContextualSubquery):
        return binder.fail_table("unsupported_partition", written.subquery.span)
    leaf = plan.CorrelatedRows(table.columns, number)
    before, binder.subject = binder.subject, table.with_relation(leaf)
    body = binder.table(binder, written.subquery, scope.lexical)
    binder.subject = before
    relation = plan.Partition(body.columns, table.relation, number, key, body.relation)
    return body.with_relation(relation, serialized=False)


@operator(syntax.ScanOperator)
def bind_scan(binder: Binder, written: syntax.ScanOperator, table: Table, scope: Scope) -> Table:
    """`scan`: matches sequences of rows, step by step."""
    if written.order_by:
        keys = bind_sort_keys(binder, written.order_by, table, scope)
        table = table.with_relation(plan.Sort(table.relation.columns, table.relation, keys), serialized=True)
    partition = tuple(binder.scalar(binder, each, scope.over(table)) for each in written.partition_by)
    declared = _declared(binder, written, scope)
    states = tuple(
        tuple(binder.fresh(each) for each in (*table.columns, *(column for column, _ in declared)))
        for _ in written.steps
    )
    names = {
        step.name.text: {each.name: each for each in state} for step, state in zip(written.steps, states, strict=True)
    }
    own = {column.name: column for column, _ in declared}
    row = Table(plan.Values((*table.columns, *own.values()), ()), dict(table.aliases), table.open, True)
    inner = Scope({}, scope.lexical, row, steps=names, windowed=False)
    steps = tuple(_step(binder, each, inner, own) for each in written.steps)
    match_id = None
    with_match_id = word(written.parameter("with_match_id"))
    columns = (*table.columns, *own.values())
    if with_match_id is not None:
        match_id = binder.column(with_match_id, ScalarType.LONG)
        columns = (*columns, match_id)
    if not binder.analysis and not table.serialized:
        return binder.fail_table("not_serialized", written.span, name="scan")
    relation = plan.ScanSteps(columns, table.visible, tuple(declared), states, steps, match_id, partition)
    return table.with_relation(relation)


def _declared(binder: Binder, written: syntax.ScanOperator, scope: Scope) -> list[tuple[Column, Expression]]:
    found = []
    for each in written.declarations:
        column = binder.column(each.name.text, each.type.type)
        default = (
            Literal(ScalarType.DYNAMIC, None)
            if each.default is None
            else binder.scalar(binder, each.default, scope.lexical)
        )
        found.append((column, convert(default, column.type)))
    return found


def _step(binder: Binder, written: syntax.ScanStep, scope: Scope, own: dict[str, Column]) -> plan.ScanStep:
    condition = bind_boolean(binder, written.condition, scope)
    assignments: list[tuple[Column, Expression]] = []
    for each in written.assignments:
        column = own.get(each.name.text)
        if column is None:
            binder.report("unknown_name", each.name.span, name=each.name.text)
            continue
        assignments.append((column, convert(binder.scalar(binder, each.expression, scope), column.type)))
    return plan.ScanStep(written.name.text, condition, tuple(assignments), written.optional, written.output or "all")
