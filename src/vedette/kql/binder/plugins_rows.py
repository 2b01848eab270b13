"""Plugins over whole rows: rows_near, narrow, preview, schema_merge, dcount_intersect."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.names import unique
from vedette.kql.binder.plugin_calls import Invocation, failed, plugin
from vedette.kql.binder.plugin_recipes import cook, recipe
from vedette.kql.binder.result_tables import results_of
from vedette.kql.binder.scopes import Table, reference
from vedette.kql.plan import Aggregate, Call, Column, Expression, Literal, Relation
from vedette.kql.types import ScalarType

_T = ScalarType

_MERGED = {"ColumnName": _T.STRING, "ColumnOrdinal": _T.LONG, "DataType": _T.STRING, "ColumnType": _T.STRING}


@plugin("rows_near")
def bind_rows_near(binder: Binder, invocation: Invocation) -> Table:
    """`rows_near(condition, rows, rows after?)`: rows that are close to one that fulfils the condition."""
    written = invocation.call.arguments
    if not 2 <= len(written) <= 3:
        return invocation.wrong_count(binder, "Condition, NumRows, RowsAfter?")
    if not binder.analysis and not invocation.table.serialized:
        return binder.fail_table("not_serialized", invocation.call.name.span, name=invocation.name)
    condition = invocation.over_rows(binder, written[0])
    if condition.type not in {_T.BOOL, _T.DYNAMIC}:
        return binder.fail_table("type_expected", written[0].span, expected="bool", found=condition.type)
    counts = [_count(binder, invocation, each) for each in written[1:]]
    if None in counts:
        return failed()
    before, after = counts[0], counts[-1]
    assert before is not None
    assert after is not None
    table = invocation.table
    near = plan.Neighbours(table.columns, table.visible, convert(condition, _T.BOOL), before, after)
    return table.with_relation(near)


def _count(binder: Binder, invocation: Invocation, written: syntax.Expression) -> int | None:
    found = invocation.literal(binder, written, "long")
    if found is None:
        return None
    if not isinstance(found.value, int) or found.value < 0:
        binder.report("constant_expected", written.span, expected="long")
        return None
    return found.value


@plugin("narrow")
def bind_narrow(binder: Binder, invocation: Invocation) -> Table:
    """`narrow()`: a row per cell, with the number of the cell's row."""
    if invocation.call.arguments:
        return invocation.wrong_count(binder, "")
    table = invocation.table
    number = binder.column("$row", _T.LONG)
    numbered = plan.RowNumbers((number, *table.columns), table.visible, number)
    shared = binder.share()
    schema = (("Row", _T.LONG), ("Column", _T.STRING), ("Value", _T.STRING))
    legs: list[Relation] = []
    for place in range(len(table.columns)):
        own = tuple(binder.fresh(each) for each in numbered.columns)
        rows = plan.Shared(own, shared, numbered, once=True)
        index = Call(_T.LONG, "subtract", (reference(own[0]), Literal(_T.LONG, 1)))
        cell = own[1 + place]
        values = (index, Literal(_T.STRING, cell.name), convert(reference(cell), _T.STRING))
        legs.append(plan.Project(tuple(binder.column(*each) for each in schema), rows, values))
    columns = tuple(binder.column(*each) for each in schema)
    if not legs:
        return Table(plan.Values(columns, ()))
    return Table(plan.Union(columns, tuple(legs), tuple(leg.columns for leg in legs)))


@plugin("preview")
def bind_preview(binder: Binder, invocation: Invocation) -> Table:
    """`preview(rows)`: some rows, and as a second result the number of all."""
    written = invocation.call.arguments
    if len(written) != 1:
        return invocation.wrong_count(binder, "NumberOfRows")
    count = convert(invocation.constant(binder, written[0]), _T.LONG)
    table = invocation.table
    first = table.with_relation(plan.Limit(table.columns, table.visible, count))
    number = binder.column("Count", _T.LONG)
    counted = plan.Summarize((number,), table.relation, (), (Aggregate(_T.LONG, "count", ()),))
    return results_of(first, [(None, Table(counted))])


@plugin("schema_merge")
def bind_schema_merge(binder: Binder, invocation: Invocation) -> Table:
    """`schema_merge(PreserveOrder?)` over rows of getschema."""
    written = invocation.call.arguments
    if len(written) > 1:
        return invocation.wrong_count(binder, "PreserveOrder?")
    for name in _MERGED:
        if invocation.table.find(name) is None:
            binder.report("table_lacks_column", invocation.call.span, name=name, function=invocation.name)
    preserve: Expression = Literal(_T.BOOL, True)
    if written:
        preserve = convert(invocation.constant(binder, written[0]), _T.BOOL)
    if binder.diagnostics.has_errors:
        return failed()
    given: dict[str, Expression | Table] = {"T": invocation.table, "PreserveOrder": preserve}
    return cook(binder, invocation.call, recipe("schema_merge"), given)


@plugin("dcount_intersect")
def bind_dcount_intersect(binder: Binder, invocation: Invocation) -> Table:
    """`dcount_intersect(hll, hll, …)`: how many values the first one, two, three, … sets have in common."""
    written = invocation.call.arguments
    if not 2 <= len(written) <= 16:
        return invocation.wrong_count(binder, "hll, hll, …")
    table = invocation.table
    columns: list[Column] = list(table.columns)
    values: list[Expression] = [reference(each) for each in columns]
    sketches: list[Expression] = []
    taken = set(table.names)
    for place, each in enumerate(written):
        sketch = invocation.over_rows(binder, each)
        if sketch.type is not _T.DYNAMIC:
            return binder.fail_table("not_dynamic", each.span, found=sketch.type)
        sketches.append(sketch)
        name = unique(f"s{place}", taken)
        taken.add(name)
        columns.append(binder.column(name, _T.LONG))
        values.append(Call(_T.LONG, "hll_common_count", tuple(sketches)))
    return table.with_relation(plan.Project(tuple(columns), table.relation, tuple(values)))
