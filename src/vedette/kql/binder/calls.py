"""Calls of scalar, aggregate and window functions: overloads, conversions, functions with rules of their own."""

from __future__ import annotations

import json
from collections.abc import Callable

from vedette.kql import syntax
from vedette.kql.binder.constants import constant, constant_text
from vedette.kql.binder.context import Binder, Bound, similar
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.functions import call_function, stored_function
from vedette.kql.binder.patterns_declared import bind_pattern_call
from vedette.kql.binder.scopes import (
    INGESTION_TIME,
    FunctionVariable,
    PatternVariable,
    Scope,
    TableVariable,
    reference,
)
from vedette.kql.functions.registry import Function, find, functions
from vedette.kql.functions.resolution import Resolution, accepts_count, resolve
from vedette.kql.plan import Aggregate, Call, Expression, Literal, WindowCall
from vedette.kql.types import ScalarType

_T = ScalarType


def bind_call(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Bound:
    """A call, whatever the name turns out to be."""
    bound = binder.in_pattern(binder, call, scope) if scope.pattern is not None else None
    return _bind_call(binder, call, scope) if bound is None else bound


def _bind_call(  # noqa: PLR0911 - one line a kind of name
    binder: Binder, call: syntax.FunctionCall, scope: Scope
) -> Bound:
    name = call.name.text
    variable = scope.variable(name)
    if isinstance(variable, FunctionVariable):
        return call_function(binder, variable, call, scope)
    if isinstance(variable, PatternVariable):
        return bind_pattern_call(binder, variable, call, scope)
    if isinstance(variable, TableVariable) and not call.arguments:
        return binder.anything(binder, syntax.NameReference(call.span, name), scope.lexical)
    special = _SPECIAL.get(name)
    if special is not None:
        return special(binder, call, scope)
    function = _function_named(name, scope)
    if function is not None:
        return _BY_KIND[function.kind](binder, function, call, scope)
    stored = stored_function(binder, name)
    if stored is not None:
        return call_function(binder, stored, call, scope)
    return _unknown(binder, call, scope)


def _function_named(name: str, scope: Scope) -> Function | None:
    aggregate = find("aggregate", name) if scope.aggregation else None
    return aggregate or find("window", name) or (None if name in _OF_PATTERNS else find("scalar", name))


_OF_PATTERNS = frozenset(
    {"all", "any", "inner_nodes", "labels", "map", "node_degree_in", "node_degree_out", "node_id"}
)  # fmt: skip
"""Functions of the variables of a graph pattern: elsewhere their names are nobody's."""


def _unknown(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Expression:
    name = call.name.text
    if find("aggregate", name) is not None:
        return binder.fail("aggregate_not_allowed", call.name.span, name=name)
    candidates = [*functions("scalar"), *(functions("aggregate") if scope.aggregation else ())]
    return binder.fail("unknown_function", call.name.span, name=name, hint=similar(name, candidates))


def _bind_arguments(
    binder: Binder, function: Function, call: syntax.FunctionCall, scope: Scope
) -> tuple[tuple[Expression, ...], Resolution] | None:
    arguments = _expanded(call.arguments, scope)
    bound = tuple(binder.scalar(binder, each, scope) for each in arguments)
    types = tuple(
        None if isinstance(written, syntax.TypeofLiteral) else each.type
        for written, each in zip(arguments, bound, strict=True)
    )
    resolution = resolve(function.kind, function.name, types)
    if resolution is None and binder.may_be_guessed(*types) and accepts_count(function, len(types)):
        return None
    if resolution is None:
        _report_mismatch(binder, function, call, types)
        return None
    converted = tuple(convert(each, type_) for each, type_ in zip(bound, resolution.types, strict=True))
    if function.record.order and len(converted) == len(function.record.order):
        converted = tuple(converted[index] for index in function.record.order)
    return converted, resolution


def _expanded(arguments: tuple[syntax.Expression, ...], scope: Scope) -> tuple[syntax.Expression, ...]:
    """Arguments with `*` replaced by all columns."""
    if scope.table is None or not any(isinstance(each, syntax.StarExpression) for each in arguments):
        return arguments
    expanded: list[syntax.Expression] = []
    for each in arguments:
        if isinstance(each, syntax.StarExpression):
            expanded.extend(syntax.NameReference(each.span, name) for name in scope.table.names)
        else:
            expanded.append(each)
    return tuple(expanded)


def _report_mismatch(
    binder: Binder, function: Function, call: syntax.FunctionCall, types: tuple[ScalarType | None, ...]
) -> None:
    if accepts_count(function, len(types)):
        given = ", ".join(each.value if each else "typeof" for each in types)
        signatures = " or ".join(function.record.signatures)
        binder.report("argument_types", call.span, name=function.name, types=given, hint=f"it takes {signatures}")
    else:
        signatures = " or ".join(function.record.signatures)
        binder.report("argument_count", call.span, name=function.name, count=len(types), hint=f"it takes {signatures}")


def _result_type(resolution: Resolution, arguments: tuple[Expression, ...]) -> ScalarType:
    if resolution.result is not None:
        return resolution.result
    for each in reversed(arguments):
        if isinstance(each, Literal) and isinstance(each.value, str):
            return ScalarType(each.value)
    return _T.DYNAMIC


def _scalar(binder: Binder, function: Function, call: syntax.FunctionCall, scope: Scope) -> Expression:
    found = _bind_arguments(binder, function, call, scope)
    if found is None:
        return _of_declared_type(function)
    arguments, resolution = found
    return Call(_result_type(resolution, arguments), function.canonical, arguments)


def _of_declared_type(function: Function) -> Expression:
    """What stands in for a call that could not be bound: a null of the type it would have had."""
    results = {each.result for each in function.signatures}
    result = results.pop() if len(results) == 1 else "dynamic"
    return Literal(ScalarType(result) if result in set(ScalarType) else _T.DYNAMIC, None)


def bind_aggregate(binder: Binder, function: Function, call: syntax.FunctionCall, scope: Scope) -> Expression:
    """A call of an aggregate with one result. Those with several are expanded by `aggregates` before it comes here."""
    inner = scope.over(scope.table, windowed=False)
    if function.canonical in _MANY_RESULTS:
        return _first_result(binder, function, call, inner)
    found = _bind_arguments(binder, function, call, inner)
    if found is None:
        return _of_declared_type(function)
    arguments, resolution = found
    return Aggregate(_result_type(resolution, arguments), function.canonical, arguments)


_MANY_RESULTS = frozenset({"arg_max", "arg_min", "take_any", "percentile", "percentiles"})


def _first_result(binder: Binder, function: Function, call: syntax.FunctionCall, scope: Scope) -> Expression:
    """`arg_max(x, y)` inside a larger expression stands for its first result."""
    if not call.arguments or isinstance(call.arguments[0], syntax.StarExpression):
        return binder.fail("argument_count", call.span, name=function.name, count=len(call.arguments))
    first = binder.scalar(binder, call.arguments[0], scope)
    name = function.canonical
    if name in {"arg_max", "arg_min"}:
        return Aggregate(first.type, name, (first, first))
    if name == "take_any":
        return Aggregate(first.type, name, (first,))
    rank = binder.scalar(binder, call.arguments[1], scope) if len(call.arguments) > 1 else Literal(_T.LONG, 50)
    return Aggregate(first.type, "percentile", (first, rank))


def _window(binder: Binder, function: Function, call: syntax.FunctionCall, scope: Scope) -> Expression:
    if scope.table is None:
        return binder.fail("window_not_allowed", call.name.span, name=function.name)
    # Microsoft's analyser takes window functions over any rows; the engine refuses them, and so does compilation.
    if not binder.analysis and not (scope.windowed and scope.table.serialized):
        return binder.fail("not_serialized", call.name.span, name=function.name)
    found = _bind_arguments(binder, function, call, scope)
    if found is None:
        return _of_declared_type(function)
    arguments, resolution = found
    if function.canonical in _SHIFTS and len(arguments) > 1 and _is_zero(arguments[1]):
        return binder.fail("window_offset", call.arguments[1].span, name=function.name)
    return WindowCall(_result_type(resolution, arguments), function.canonical, _window_arguments(function, arguments))


_SHIFTS = frozenset({"prev", "next"})


def _is_zero(offset: Expression) -> bool:
    found = constant(offset)
    return found is not None and found.value == 0


def _window_arguments(function: Function, arguments: tuple[Expression, ...]) -> tuple[Expression, ...]:
    """All arguments of a window function, the ones left out by their default."""
    defaults: dict[str, tuple[Expression, ...]] = {
        "row_number": (Literal(_T.LONG, 1), Literal(_T.BOOL, False)),
        "row_cumsum": (Literal(_T.BOOL, False),),
        "row_rank_dense": (Literal(_T.BOOL, False),),
        "row_rank_min": (Literal(_T.BOOL, False),),
        "row_window_session": (Literal(_T.BOOL, False),),
    }
    if function.canonical in _SHIFTS:
        offset = arguments[1] if len(arguments) > 1 else Literal(_T.LONG, 1)
        default = arguments[2] if len(arguments) > 2 else convert(Literal(_T.DYNAMIC, None), arguments[0].type)
        return arguments[0], offset, convert(default, arguments[0].type)
    missing = defaults.get(function.canonical, ())
    full = {"row_number": 2, "row_window_session": 4}.get(function.canonical, 2)
    lacking = full - len(arguments)
    return arguments + missing[len(missing) - lacking :] if lacking > 0 else arguments


# --- functions with rules of their own ----------------------------------------------------------------------------


def _ago(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Expression:
    if len(call.arguments) != 1:
        return binder.fail("argument_count", call.span, name="ago", count=len(call.arguments))
    span = binder.scalar(binder, call.arguments[0], scope)
    if span.type is not _T.TIMESPAN and not binder.may_be_guessed(span.type):
        return binder.fail("argument_types", call.span, name="ago", types=span.type)
    return Call(_T.DATETIME, "subtract", (Call(_T.DATETIME, "now", ()), convert(span, _T.TIMESPAN)))


def _now(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Expression:
    now = Call(_T.DATETIME, "now", ())
    if not call.arguments:
        return now
    if len(call.arguments) > 1:
        return binder.fail("argument_count", call.span, name="now", count=len(call.arguments))
    offset = binder.scalar(binder, call.arguments[0], scope)
    if offset.type is not _T.TIMESPAN and not binder.may_be_guessed(offset.type):
        return binder.fail("argument_types", call.span, name="now", types=offset.type)
    return Call(_T.DATETIME, "add", (now, convert(offset, _T.TIMESPAN)))


def _column_ifexists(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Expression:
    if len(call.arguments) != 2:
        return binder.fail("argument_count", call.span, name=call.name.text, count=len(call.arguments))
    name = constant_text(binder, call.arguments[0], scope)
    default = binder.scalar(binder, call.arguments[1], scope)
    column = scope.table.find(name) if scope.table is not None and name is not None else None
    return reference(column) if column is not None else default


def _column_exists(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Expression:
    if len(call.arguments) != 1:
        return binder.fail("argument_count", call.span, name=call.name.text, count=len(call.arguments))
    name = constant_text(binder, call.arguments[0], scope)
    found = scope.table is not None and name is not None and scope.table.find(name) is not None
    return Literal(_T.BOOL, found)


def _pack_all(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Expression:
    """`pack_all()` is a bag of all columns; with true, without those that are null or empty."""
    arguments: list[Expression] = []
    for column in scope.table.columns if scope.table is not None else ():
        arguments += [Literal(_T.STRING, column.name), reference(column)]
    flag = constant(binder.scalar(binder, call.arguments[0], scope)) if call.arguments else None
    skip_empty = flag is not None and flag.value is True
    return Call(_T.DYNAMIC, "bag_pack_nonempty" if skip_empty else "bag_pack", tuple(arguments))


def _bag_pack_columns(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Expression:
    arguments: list[Expression] = []
    for each in call.arguments:
        name = each.name if isinstance(each, syntax.NameReference) else ""
        arguments += [Literal(_T.STRING, name), binder.scalar(binder, each, scope)]
    return Call(_T.DYNAMIC, "bag_pack", tuple(arguments))


def _bin_auto(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Expression:
    """`bin_at` with the size and origin that the request's options give."""
    size = binder.options.get("query_bin_auto_size")
    if size is None:
        return binder.fail("bin_auto_without_size", call.span)
    if len(call.arguments) != 1:
        return binder.fail("argument_count", call.span, name="bin_auto", count=len(call.arguments))
    value = binder.scalar(binder, call.arguments[0], scope)
    origin = binder.options.get("query_bin_auto_at")
    if origin is None:
        return Call(value.type, "bin", (value, convert(size, _span_type(value.type))))
    return Call(value.type, "bin_at", (value, convert(size, _span_type(value.type)), convert(origin, value.type)))


def _span_type(type_: ScalarType) -> ScalarType:
    return _T.TIMESPAN if type_ is _T.DATETIME else type_


def _ingestion_time(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Expression:
    """When a row came in: known as long as a table's rows are handed through, not behind summarize or join."""
    if scope.table is None:
        return binder.fail("ingestion_time_without_table", call.span)
    column = next((each for each in scope.table.hidden if each.name == INGESTION_TIME), None)
    if column is None and not binder.analysis:
        return binder.fail("ingestion_time_lost", call.span)
    return reference(column) if column is not None else Literal(_T.DATETIME, None)


def _column_names_of(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Expression:
    if len(call.arguments) != 1:
        return binder.fail("argument_count", call.span, name=call.name.text, count=len(call.arguments))
    table = binder.table(binder, call.arguments[0], scope.lexical)
    return Literal(_T.DYNAMIC, json.dumps([each.name for each in table.columns]))


def _tabular(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Bound:
    return binder.anything(binder, call, scope.lexical)


def _unsupported(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Expression:
    return binder.fail("unsupported_function", call.name.span, name=call.name.text)


_BY_KIND: dict[str, Callable[[Binder, Function, syntax.FunctionCall, Scope], Expression]] = {
    "scalar": _scalar,
    "aggregate": bind_aggregate,
    "window": _window,
}
_SPECIAL: dict[str, Callable[[Binder, syntax.FunctionCall, Scope], Bound]] = {
    "ago": _ago,
    "now": _now,
    "column_ifexists": _column_ifexists,
    "columnifexists": _column_ifexists,
    "iscolumnexists": _column_exists,
    "pack_all": _pack_all,
    "bag_pack_columns": _bag_pack_columns,
    "bin_auto": _bin_auto,
    "ingestion_time": _ingestion_time,
    "column_names_of": _column_names_of,
    "table": _tabular,
    "database": _tabular,
    "cluster": _unsupported,
    "entity_group": _unsupported,
    "external_table": _unsupported,
    "graph": _unsupported,
    "materialized_view": _unsupported,
    "stored_query_result": _unsupported,
}
