"""summarize and count."""

from __future__ import annotations

import dataclasses

from vedette.kql import plan, syntax
from vedette.kql.binder.aggregates import GroupScope, Result, expand_aggregate
from vedette.kql.binder.assignments import bind_assignments
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import unconverted
from vedette.kql.binder.keys import check_key
from vedette.kql.binder.names import OutputNames, default_name
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.scopes import Scope, Table, carry_aliases, reference
from vedette.kql.plan import Aggregate, Call, Column, Expression
from vedette.kql.types import ScalarType


@dataclasses.dataclass(slots=True)
class Keys:
    """Bound group keys: the columns they become and the expressions they are."""

    columns: list[Column]
    expressions: list[Expression]

    @property
    def plain(self) -> frozenset[int]:
        """Input columns that are keys as they are."""
        return frozenset(each.column.id for each in self.expressions if isinstance(each, plan.ColumnReference))


def bind_keys(
    binder: Binder, written: tuple[syntax.Expression, ...], table: Table, scope: Scope, names: OutputNames
) -> Keys:
    """Bind `by` expressions and name their columns."""
    keys = Keys([], [])
    for each in bind_assignments(binder, written, scope.over(table, windowed=False)):
        if each.explicit and each.name is not None:
            given = names.explicit(each.name)
            if given is None:
                binder.report("column_declared_twice", each.syntax.span, name=each.name)
                continue
            name = given
        else:
            name = names.automatic(each.name)
        check_key(binder, each.expression, each.syntax, table)
        expression = unconverted(each.expression)
        if isinstance(expression, plan.ColumnReference) and expression.column.name == name:
            keys.columns.append(expression.column)
        else:
            keys.columns.append(binder.column(name, expression.type))
        keys.expressions.append(expression)
    return keys


@operator(syntax.SummarizeOperator)
def bind_summarize(binder: Binder, written: syntax.SummarizeOperator, table: Table, scope: Scope) -> Table:
    """`summarize`: the keys' columns first, then the aggregates'."""
    names = OutputNames(table.names)
    keys = bind_keys(binder, written.keys, table, scope, names)
    outputs = bind_aggregates(binder, written.aggregates, table, scope, keys=keys, names=names)
    columns = (*keys.columns, *(column for column, _ in outputs))
    expressions = tuple(expression for _, expression in outputs)
    if not written.aggregates:
        projected = plan.Project(columns, table.relation, tuple(keys.expressions))
        result = Table(plan.Distinct(columns, projected))
    else:
        result = Table(plan.Summarize(columns, table.relation, tuple(keys.expressions), expressions))
    return carry_aliases(table, result, zip(columns, (*keys.expressions, *expressions), strict=True))


def bind_aggregates(
    binder: Binder,
    written: tuple[syntax.Expression, ...],
    table: Table,
    scope: Scope,
    *,
    keys: Keys,
    names: OutputNames,
) -> list[tuple[Column, Expression]]:
    """Bind aggregate expressions over groups and name their columns."""
    group = GroupScope(scope.over(table, aggregation=True, windowed=False), keys.plain)
    outputs: list[tuple[Column, Expression]] = []
    for each in written:
        given, expression = _given_names(each)
        results = expand_aggregate(binder, expression, group)
        if results is None:
            bound = binder.scalar(binder, expression, group.scope)
            results = [Result(default_name(expression, aggregation=True), _grouped(binder, bound, keys, each))]
        for index, result in enumerate(results):
            if index < len(given):
                free = names.explicit(given[index].text)
                if free is None:
                    binder.report("column_declared_twice", given[index].span, name=given[index].text)
                    continue
                name = free
            else:
                name = names.automatic(result.name)
            outputs.append((binder.column(name, result.expression.type), result.expression))
    return outputs


def _given_names(written: syntax.Expression) -> tuple[list[syntax.Name], syntax.Expression]:
    if isinstance(written, syntax.NamedExpression):
        return [written.name], written.expression
    if isinstance(written, syntax.CompoundNamedExpression):
        return list(written.names), written.expression
    return [], written


def _grouped(binder: Binder, expression: Expression, keys: Keys, written: syntax.Expression) -> Expression:
    """Outside aggregates only keys can be read: columns are replaced by the key columns of their name."""
    if isinstance(expression, Call) and expression.arguments:
        arguments = tuple(_grouped(binder, each, keys, written) for each in expression.arguments)
        if all(new is old for new, old in zip(arguments, expression.arguments, strict=True)):
            return expression
        return Call(expression.type, expression.function, arguments)
    if isinstance(expression, plan.ColumnReference):
        for column, key in zip(keys.columns, keys.expressions, strict=True):
            if isinstance(key, plan.ColumnReference) and key.column is expression.column:
                return reference(column)
        return binder.fail("not_aggregated", written.span, name=expression.column.name)
    return expression


@operator(syntax.CountOperator)
def bind_count_rows(binder: Binder, written: syntax.CountOperator, table: Table, scope: Scope) -> Table:
    """`count`: one row with the number of rows."""
    column = binder.column(written.name.text if written.name is not None else "Count", ScalarType.LONG)
    return Table(plan.Summarize((column,), table.relation, (), (Aggregate(ScalarType.LONG, "count", ()),)))
