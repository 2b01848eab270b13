"""Operators that keep columns and choose rows, and those that only say something of them: where, take, as, render."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.assignments import extend, has_window_call
from vedette.kql.binder.constants import word
from vedette.kql.binder.context import Binder, similar
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.expressions import bind_boolean
from vedette.kql.binder.keys import check_key
from vedette.kql.binder.names import default_name
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.scopes import Scope, Table, TableVariable, reference
from vedette.kql.plan import Expression
from vedette.kql.types import ScalarType

CHARTS = frozenset(
    [
        "3Dchart",
        "anomalychart",
        "areachart",
        "barchart",
        "card",
        "columnchart",
        "graph",
        "ladderchart",
        "linechart",
        "list",
        "piechart",
        "pivotchart",
        "plotly",
        "sankey",
        "scatterchart",
        "stackedareachart",
        "table",
        "timechart",
        "timeline",
        "timepivot",
        "treemap",
    ]
)
"""Kinds of charts that `render` names (page render-operator, and those of Microsoft's analyser)."""


@operator(syntax.WhereOperator)
def bind_where(binder: Binder, written: syntax.WhereOperator, table: Table, scope: Scope) -> Table:
    """`where`."""
    predicate = bind_boolean(binder, written.condition, scope.over(table), dynamic=table.open)
    if not has_window_call(predicate):
        return table.with_relation(plan.Filter(table.relation.columns, table.relation, predicate))
    flag = binder.column("$keep", ScalarType.BOOL)
    windowed = extend(table.relation, [(flag, predicate)])
    filtered = plan.Filter(windowed.columns, windowed, reference(flag))
    return table.with_relation(plan.Project(table.columns, filtered, tuple(reference(each) for each in table.columns)))


def bind_count(binder: Binder, written: syntax.Expression, scope: Scope) -> Expression:
    """A number of rows: constant, or at least without columns."""
    bound = binder.scalar(binder, written, scope.lexical)
    if bound.type not in {ScalarType.LONG, ScalarType.INT, ScalarType.DYNAMIC, ScalarType.REAL}:
        return binder.fail("type_expected", written.span, expected="long", found=bound.type)
    return convert(bound, ScalarType.LONG)


@operator(syntax.TakeOperator)
def bind_take(binder: Binder, written: syntax.TakeOperator, table: Table, scope: Scope) -> Table:
    """`take`, `limit`."""
    count = bind_count(binder, written.count, scope)
    return table.with_relation(plan.Limit(table.relation.columns, table.relation, count))


@operator(syntax.SampleOperator)
def bind_sample(binder: Binder, written: syntax.SampleOperator, table: Table, scope: Scope) -> Table:
    """`sample`."""
    count = bind_count(binder, written.count, scope)
    return table.with_relation(plan.Sample(table.relation.columns, table.relation, count), serialized=False)


@operator(syntax.SampleDistinctOperator)
def bind_sample_distinct(binder: Binder, written: syntax.SampleDistinctOperator, table: Table, scope: Scope) -> Table:
    """`sample-distinct`: some distinct values of one expression."""
    of = written.of.expression if isinstance(written.of, syntax.NamedExpression) else written.of
    expression = binder.scalar(binder, of, scope.over(table))
    check_key(binder, expression, of, table)
    name = written.of.name.text if isinstance(written.of, syntax.NamedExpression) else default_name(of)
    columns = (binder.column(name or "Column1", expression.type),)
    values = plan.Project(columns, table.relation, (expression,))
    distinct = plan.Distinct(columns, values)
    return Table(plan.Limit(columns, distinct, bind_count(binder, written.count, scope)))


@operator(syntax.AsOperator)
def bind_as(binder: Binder, written: syntax.AsOperator, table: Table, scope: Scope) -> Table:
    """`as`: gives the rows a name for the operators behind."""
    shared = binder.share()
    scope.variables[written.name.text] = TableVariable(table, shared)
    result = table.with_relation(plan.Shared(table.relation.columns, shared, table.relation))
    result.label = written.name.text
    return result


@operator(syntax.ConsumeOperator)
def bind_consume(binder: Binder, written: syntax.ConsumeOperator, table: Table, scope: Scope) -> Table:
    """`consume`: nothing comes out."""
    return table.with_relation(plan.Limit(table.relation.columns, table.relation, plan.Literal(ScalarType.LONG, 0)))


@operator(syntax.ExecuteAndCacheOperator)
def bind_hint(binder: Binder, written: syntax.ExecuteAndCacheOperator, table: Table, scope: Scope) -> Table:
    """A hint that changes no rows."""
    return table


@operator(syntax.AssertSchemaOperator)
def bind_assert_schema(binder: Binder, written: syntax.AssertSchemaOperator, table: Table, scope: Scope) -> Table:
    """`assert-schema`: the declared columns must be there with their types."""
    for each in written.schema.columns:
        column = table.find(each.name.text)
        if column is None or column.type is not each.type.type:
            found = "none" if column is None else column.type
            binder.report("schema_asserted", each.span, name=each.name.text, expected=each.type.type, found=found)
    return table


@operator(syntax.RenderOperator)
def bind_render(binder: Binder, written: syntax.RenderOperator, table: Table, scope: Scope) -> Table:
    """`render`: instructions for whoever shows the answer."""
    if written.chart not in CHARTS:
        hint = similar(written.chart, CHARTS)
        binder.report("expected", written.span, expected="a kind of chart", found=written.chart, hint=hint)
    render = {"visualization": written.chart}
    for each in (*written.parameters, *written.properties):
        values = each.value.members if isinstance(each.value, syntax.ListExpression) else (each.value,)
        words = [word(value) for value in values]
        render[each.name.text.lower()] = ", ".join(text for text in words if text is not None)
    binder.render = render
    return table
