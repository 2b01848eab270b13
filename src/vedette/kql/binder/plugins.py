"""invoke and evaluate. A plugin is composed of other plan nodes where it can be, else it is a `PluginCall`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import constant
from vedette.kql.binder.context import Binder, similar
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.discovered import bag_unpack, pivot
from vedette.kql.binder.functions import call_function, stored_function
from vedette.kql.binder.names import default_name, unique
from vedette.kql.binder.pipelines import operator, source
from vedette.kql.binder.scopes import FunctionVariable, Scope, Table, reference
from vedette.kql.functions.registry import functions
from vedette.kql.plan import Call, Column, Expression, Literal
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


@dataclasses.dataclass(frozen=True, slots=True)
class Invocation:
    """A plugin call being bound: the rows it works on, None at the head of a query."""

    call: syntax.FunctionCall
    table: Table
    scope: Scope
    schema: syntax.RowSchema | None


@operator(syntax.EvaluateOperator)
def bind_evaluate(binder: Binder, written: syntax.EvaluateOperator, table: Table, scope: Scope) -> Table:
    """`evaluate` over piped rows."""
    name = written.call.name.text
    handler = _PLUGINS.get(name)
    if handler is None:
        hint = similar(name, _PLUGINS)
        code = "unsupported_plugin" if name in functions("plugin") else "unknown_plugin"
        return binder.fail_table(code, written.call.name.span, name=name, hint=hint)
    return handler(binder, Invocation(written.call, table, scope, written.schema))


@source(syntax.EvaluateOperator)
def bind_evaluate_source(binder: Binder, written: syntax.EvaluateOperator, scope: Scope) -> Table:
    """`evaluate` at the head of a query: plugins that fetch data from elsewhere, which is refused."""
    return binder.fail_table("unsupported_plugin", written.call.name.span, name=written.call.name.text)


# --- plugins that keep their input's rows and columns -------------------------------------------------------------


def _arguments(binder: Binder, invocation: Invocation, start: int = 0) -> list[Expression]:
    inner = invocation.scope.over(invocation.table)
    return [binder.scalar(binder, each, inner) for each in invocation.call.arguments[start:]]


def _rows_near(binder: Binder, invocation: Invocation) -> Table:
    arguments = _arguments(binder, invocation)
    return invocation.table.with_relation(_plugin(invocation, invocation.table.columns, arguments))


def _plugin(
    invocation: Invocation,
    columns: Sequence[Column],
    arguments: Sequence[Expression],
    tables: Sequence[plan.Relation] = (),
) -> plan.Relation:
    return plan.PluginCall(
        tuple(columns), invocation.call.name.text, invocation.table.relation, tuple(arguments), tuple(tables)
    )


def _fixed(*schema: tuple[str, ScalarType], with_input: bool = False) -> Callable[[Binder, Invocation], Table]:
    """A plugin with a documented schema, followed by the input's columns where it says so."""

    def bind(binder: Binder, invocation: Invocation) -> Table:
        columns = [binder.column(name, type_) for name, type_ in schema]
        if with_input:
            columns += [binder.fresh(each) for each in invocation.table.columns]
        return Table(_plugin(invocation, columns, _arguments(binder, invocation)))

    return bind


def _timeline(first_dimension: int, *schema: tuple[str, ScalarType]) -> Callable[[Binder, Invocation], Table]:
    """Activity plugins over (id, timeline, …, dimensions…): the timeline, the dimensions, then `schema`."""

    def bind(binder: Binder, invocation: Invocation) -> Table:
        arguments = _arguments(binder, invocation)
        written = invocation.call.arguments
        if len(written) < 2:
            return binder.fail_table(
                "argument_count", invocation.call.span, name=invocation.call.name.text, count=len(written)
            )
        kept = [1, *range(first_dimension, len(written))]
        columns = [
            binder.column(default_name(written[index]) or f"Column{index}", arguments[index].type) for index in kept
        ]
        columns += [binder.column(name, type_) for name, type_ in schema]
        return Table(_plugin(invocation, columns, arguments))

    return bind


def _rolling_percentile(binder: Binder, invocation: Invocation) -> Table:
    """rolling_percentile(value, percentile, index, bin, bins, dimensions…)."""
    arguments = _arguments(binder, invocation)
    written = invocation.call.arguments
    if len(written) < 5:
        return binder.fail_table("argument_count", invocation.call.span, name="rolling_percentile", count=len(written))
    rank, bins = constant(arguments[1]), constant(arguments[4])
    name = f"rolling_{bins.value if bins else ''}_percentile_{default_name(written[0])}_{rank.value if rank else ''}"
    columns = [binder.column(default_name(written[2]) or "Column1", arguments[2].type)]
    columns += [
        binder.column(default_name(each) or "Column1", value.type)
        for each, value in zip(written[5:], arguments[5:], strict=True)
    ]
    columns.append(binder.column(name.replace(".", "_"), arguments[0].type))
    return Table(_plugin(invocation, columns, arguments))


def _sequence_detect(binder: Binder, invocation: Invocation) -> Table:
    """sequence_detect(timeline, step window, span, name = condition…, dimensions…)."""
    arguments = _arguments(binder, invocation)
    written = invocation.call.arguments
    timeline = default_name(written[0]) or "Column1"
    steps = [each for each in written[3:] if isinstance(each, syntax.NamedExpression)]
    dimensions = [
        (each, value)
        for each, value in zip(written[3:], arguments[3:], strict=True)
        if not isinstance(each, syntax.NamedExpression)
    ]
    columns = [binder.column(default_name(each) or "Column1", value.type) for each, value in dimensions]
    columns += [binder.column(f"{each.name.text}_{timeline}", arguments[0].type) for each in steps]
    columns.append(binder.column("Duration", _T.TIMESPAN))
    return Table(_plugin(invocation, columns, arguments))


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


def _narrow(binder: Binder, invocation: Invocation) -> Table:
    """narrow(): a row per cell."""
    columns = (
        binder.column("Row", _T.LONG),
        binder.column("Column", _T.STRING),
        binder.column("Value", _T.STRING),
    )
    values = [convert(reference(each), _T.STRING) for each in invocation.table.columns]
    names = [Literal(_T.STRING, each.name) for each in invocation.table.columns]
    return Table(_plugin(invocation, columns, [part for pair in zip(names, values, strict=True) for part in pair]))


def _identity(binder: Binder, invocation: Invocation) -> Table:
    return invocation.table


def _bag_unpack(binder: Binder, invocation: Invocation) -> Table:
    return bag_unpack(binder, invocation.call, invocation.table, invocation.scope, invocation.schema)


def _pivot(binder: Binder, invocation: Invocation) -> Table:
    return pivot(binder, invocation.call, invocation.table, invocation.scope, invocation.schema)


_CLUSTERS = (("SegmentId", _T.LONG), ("Count", _T.LONG), ("Percent", _T.REAL))
_PLUGINS: dict[str, Callable[[Binder, Invocation], Table]] = {
    "bag_unpack": _bag_unpack,
    "pivot": _pivot,
    "narrow": _narrow,
    "identity": _identity,
    "rows_near": _rows_near,
    "ipv4_lookup": _ip_lookup,
    "ipv6_lookup": _ip_lookup,
    "autocluster": _fixed(*_CLUSTERS, with_input=True),
    "basket": _fixed(*_CLUSTERS, with_input=True),
    "diffpatterns": _fixed(
        ("SegmentId", _T.LONG),
        ("CountA", _T.LONG),
        ("CountB", _T.LONG),
        ("PercentA", _T.REAL),
        ("PercentB", _T.REAL),
        ("PercentDiffAB", _T.REAL),
        with_input=True,
    ),
    "sliding_window_counts": _timeline(6, ("Count", _T.LONG), ("Dcount", _T.LONG)),
    "activity_counts_metrics": _timeline(
        5, ("count", _T.LONG), ("dcount", _T.LONG), ("new_dcount", _T.LONG), ("aggregated_dcount", _T.LONG)
    ),
    "active_users_count": _timeline(8, ("dcount", _T.LONG)),
    "session_count": _timeline(6, ("count_sessions", _T.LONG)),
    "rolling_percentile": _rolling_percentile,
    "sequence_detect": _sequence_detect,
}
