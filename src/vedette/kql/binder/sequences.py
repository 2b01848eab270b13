"""scan and partition: operators that look at rows in sequence or in parts."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import word
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.discovery import NotYetThere
from vedette.kql.binder.expressions import bind_boolean
from vedette.kql.binder.keys import check_key
from vedette.kql.binder.names import default_name
from vedette.kql.binder.ordering import bind_sort_keys
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.scopes import ScalarVariable, Scope, Table, Variable
from vedette.kql.binder.unions import combine
from vedette.kql.plan import Call, Column, Expression, Literal
from vedette.kql.types import ScalarType

MAXIMUM_PARTS = 64
"""How many values the key of a partition may have whose subquery has a source of its own (partition-operator)."""


@operator(syntax.PartitionOperator)
def bind_partition(binder: Binder, written: syntax.PartitionOperator, table: Table, scope: Scope) -> Table:
    """`partition by key (subquery)`."""
    key = binder.scalar(binder, written.by, scope.over(table))
    check_key(binder, key, written.by, table)
    if not isinstance(written.subquery, syntax.ContextualSubquery):
        return _with_source(binder, written, table, scope, key)
    number = binder.share()
    leaf = plan.CorrelatedRows(table.columns, number)
    try:
        body = _over(binder, written, scope, table.with_relation(leaf))
    except NotYetThere:
        return _part_by_part(binder, written, table, scope, key)
    relation = plan.Partition(body.columns, table.relation, number, key, body.relation)
    return body.with_relation(relation, serialized=False)


def _with_source(
    binder: Binder, written: syntax.PartitionOperator, table: Table, scope: Scope, key: Expression
) -> Table:
    """`partition by key { query }`: the query once for each value of the key, which is a constant in it.

    Few values are allowed there (partition-operator, legacy strategy), so they are found out first.
    """
    found = [] if binder.analysis else _values(binder, written, table, key)
    if found:
        return combine(binder, [_for_value(binder, written, scope, each) for each in found])
    nothing = _for_value(binder, written, scope, Literal(key.type, None))
    never = plan.Filter(nothing.columns, nothing.relation, Literal(ScalarType.BOOL, False))
    return nothing.with_relation(never)


def _part_by_part(
    binder: Binder, written: syntax.PartitionOperator, table: Table, scope: Scope, key: Expression
) -> Table:
    """A subquery that has to see its rows while it is bound, once for each value of the key."""
    shared = plan.Shared(table.columns, binder.share(), table.visible)
    missing = Call(ScalarType.BOOL, "isnull", (key,))
    results: list[Table] = []
    for value in _values(binder, written, table, key) or [Literal(key.type, None)]:
        same = missing if value.value is None else Call(ScalarType.BOOL, "equal", (key, value))
        rows = plan.Filter(table.columns, shared, same)
        results.append(_over(binder, written, scope, table.with_relation(rows)))
    return combine(binder, results)


def _over(binder: Binder, written: syntax.PartitionOperator, scope: Scope, rows: Table) -> Table:
    before, binder.subject = binder.subject, rows
    try:
        return binder.table(binder, written.subquery, scope.lexical)
    finally:
        binder.subject = before


def _values(binder: Binder, written: syntax.PartitionOperator, table: Table, key: Expression) -> list[Literal]:
    """The values of the key, in an order of their own: the same whenever they are asked for."""
    projected = plan.Project((binder.column("key", key.type),), table.relation, (key,))
    found = binder.discover(plan.Distinct(projected.columns, projected))
    if len(found) > MAXIMUM_PARTS:
        binder.report("too_many_parts", written.by.span, count=len(found), limit=MAXIMUM_PARTS)
    values = sorted((row[0] for row in found[:MAXIMUM_PARTS]), key=lambda each: (each is not None, str(each)))
    return [Literal(key.type, each) for each in values]


def _for_value(binder: Binder, written: syntax.PartitionOperator, scope: Scope, value: Literal) -> Table:
    name = default_name(written.by)
    known: dict[str, Variable] = {} if name is None else {name: ScalarVariable(value)}
    return binder.table(binder, written.subquery, Scope(known, scope.lexical))


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
