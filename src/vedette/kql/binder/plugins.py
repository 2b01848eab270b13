"""invoke and evaluate, and the plugins that come down to a join or a projection."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import constant
from vedette.kql.binder.context import Binder, similar
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.discovered import bag_unpack, pivot
from vedette.kql.binder.functions import call_function, stored_function
from vedette.kql.binder.names import unique
from vedette.kql.binder.pipelines import operator, source
from vedette.kql.binder.plugin_calls import PLUGINS, Invocation, plugin
from vedette.kql.binder.scopes import FunctionVariable, Scope, Table
from vedette.kql.functions.registry import functions
from vedette.kql.plan import Call, Column, Expression
from vedette.kql.types import ScalarType

_T = ScalarType


@operator(syntax.InvokeOperator)
def bind_invoke(binder: Binder, written: syntax.InvokeOperator, table: Table, scope: Scope) -> Table:
    """`invoke`: calls a function with the piped rows as its first argument."""
    if not isinstance(written.function, syntax.FunctionCall):
        return binder.fail_table("unsupported_scope", written.function.span, name="database")
    call = written.function
    variable = scope.variable(call.name.text)
    function = variable if isinstance(variable, FunctionVariable) else stored_function(binder, call.name.text)
    if function is None:
        return binder.fail_table("unknown_function", call.name.span, name=call.name.text)
    bound = call_function(binder, function, call, scope, subject=table)
    return bound if isinstance(bound, Table) else Table(plan.Values((), ()), open=True)


@operator(syntax.EvaluateOperator)
def bind_evaluate(binder: Binder, written: syntax.EvaluateOperator, table: Table, scope: Scope) -> Table:
    """`evaluate` over piped rows."""
    name = written.call.name.text
    handler = PLUGINS.get(name)
    if handler is None:
        return _refused(binder, written.call.name)
    return handler(binder, Invocation(written.call, table, scope, written.schema))


@source(syntax.EvaluateOperator)
def bind_evaluate_source(binder: Binder, written: syntax.EvaluateOperator, scope: Scope) -> Table:
    """`evaluate` at the head of a query: plugins that fetch data from elsewhere, which is refused."""
    if written.call.name.text in PLUGINS:
        return binder.fail_table("operator_needs_input", written.span, name="evaluate")
    return _refused(binder, written.call.name)


def _refused(binder: Binder, name: syntax.Name) -> Table:
    """A plugin that is known and refused, with the reason, or unknown."""
    known = functions("plugin").get(name.text)
    if known is None:
        return binder.fail_table("unknown_plugin", name.span, name=name.text, hint=similar(name.text, PLUGINS))
    return binder.fail_table("unsupported_plugin", name.span, name=name.text, hint=known.record.refused)


@plugin("ipv4_lookup", "ipv6_lookup")
def _ip_lookup(binder: Binder, invocation: Invocation) -> Table:
    """ipv4_lookup(T, key, lookup key, extra keys…, return_unmatched): a join on containment in a range."""
    written = invocation.call.arguments
    if len(written) < 3:
        return binder.fail_table(
            "argument_count", invocation.call.span, name=invocation.call.name.text, count=len(written)
        )
    right = binder.table(binder, written[0], invocation.scope.lexical)
    left = invocation.table
    address = convert(binder.scalar(binder, written[1], invocation.scope.over(left)), _T.STRING)
    network = convert(binder.scalar(binder, written[2], invocation.scope.over(right)), _T.STRING)
    pairs: list[tuple[Expression, Expression]] = []
    unmatched = False
    for each in written[3:]:
        value = each.expression if isinstance(each, syntax.NamedExpression) else each
        if isinstance(value, syntax.NameReference):
            pairs.append(
                (
                    binder.scalar(binder, value, invocation.scope.over(left)),
                    binder.scalar(binder, value, invocation.scope.over(right)),
                )
            )
        else:
            found = constant(binder.scalar(binder, value, invocation.scope.lexical))
            unmatched = found is not None and found.value is True
    keys = {each.column.id for _, each in pairs if isinstance(each, plan.ColumnReference)}
    kept = [each for each in right.columns if each.id not in keys]
    taken = {*left.names, *right.names}
    sources = (*left.columns, *kept)
    columns: list[Column] = [binder.fresh(each) for each in left.columns]
    for column in kept:
        name = unique(column.name, taken) if column.name in left.names else column.name
        taken.add(name)
        columns.append(binder.fresh(column, name))
    family = "ipv6_is_in_range" if invocation.call.name.text == "ipv6_lookup" else "ipv4_is_in_range"
    residual = Call(_T.BOOL, family, (address, network))
    kind = "leftouter" if unmatched else "inner"
    relation = plan.Join(tuple(columns), left.relation, right.relation, kind, tuple(pairs), sources, residual)
    return Table(relation, open=left.open or right.open)


@plugin("identity")
def _identity(binder: Binder, invocation: Invocation) -> Table:
    return invocation.table


@plugin("bag_unpack")
def _bag_unpack(binder: Binder, invocation: Invocation) -> Table:
    return bag_unpack(binder, invocation.call, invocation.table, invocation.scope, invocation.schema)


@plugin("pivot")
def _pivot(binder: Binder, invocation: Invocation) -> Table:
    return pivot(binder, invocation.call, invocation.table, invocation.scope, invocation.schema)
