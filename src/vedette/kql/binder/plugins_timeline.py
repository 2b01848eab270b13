"""Plugins over (id, timeline, start, end, …): activity, engagement, sessions, sliding windows, rolling percentiles."""

from __future__ import annotations

import dataclasses

from vedette.kql import syntax
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.plugin_calls import Invocation, column_name, failed, length_of, plugin
from vedette.kql.binder.plugin_recipes import CALENDAR, Dimensions, Period, cook, prepare, recipe, rename
from vedette.kql.binder.scopes import Table
from vedette.kql.plan import Expression, Literal
from vedette.kql.types import ScalarType

_T = ScalarType
_POINTS = frozenset({"Start", "End", "Cohort"})
_COUNTS = frozenset({"PeriodCount"})


@dataclasses.dataclass(frozen=True, slots=True)
class Timeline:
    """A plugin's arguments behind the id and the timeline, and its columns behind the timeline and the dimensions.

    `Window` is the argument that cuts the timeline into periods. `bounded` plugins may leave out `Start` and `End`.
    """

    parameters: tuple[str, ...]
    results: tuple[str, ...]
    may_be_unbounded: bool = False

    @property
    def usage(self) -> str:
        """How it is called, for hints."""
        return ", ".join(("Id", "Timeline", *self.parameters, "dimensions…"))


_TIMELINES = {
    "activity_counts_metrics": Timeline(
        ("Start", "End", "Window"), ("count", "dcount", "new_dcount", "aggregated_dcount")
    ),
    "sliding_window_counts": Timeline(("Start", "End", "Lookback", "Window"), ("Count", "Dcount")),
    "active_users_count": Timeline(("Start", "End", "Lookback", "Period", "PeriodCount", "Window"), ("dcount",)),
    "session_count": Timeline(("Start", "End", "Window", "Lookback"), ("count_sessions",)),
    "activity_metrics": Timeline(
        ("Start", "End", "Window"),
        ("dcount_values", "dcount_newvalues", "retention_rate", "churn_rate"),
        may_be_unbounded=True,
    ),
    "activity_engagement": Timeline(
        ("Start", "End", "Window", "Outer"),
        ("dcount_activities_inner", "dcount_activities_outer", "activity_ratio"),
        may_be_unbounded=True,
    ),
}
_UNBOUNDED = """let Start = toscalar(T | summarize {first});
let End = toscalar(T | summarize max(__time));
"""


@plugin(*_TIMELINES)
def bind_timeline(binder: Binder, invocation: Invocation) -> Table:
    """The plugins whose arguments are constants and dimensions."""
    timeline = _TIMELINES[invocation.name]
    written = invocation.call.arguments
    parameters = timeline.parameters
    if timeline.may_be_unbounded and _lacks_bounds(invocation, len(parameters)):
        parameters = tuple(each for each in parameters if each not in {"Start", "End"})
    behind = 2 + len(parameters)
    if len(written) < behind:
        return invocation.wrong_count(binder, timeline.usage)
    time = invocation.over_rows(binder, written[1])
    values, period = _constants(binder, invocation, dict(zip(parameters, written[2:], strict=False)), time.type)
    dimensions = _dimensions(binder, invocation, written[behind:])
    columns = {"__who": invocation.over_rows(binder, written[0]), "__time": time}
    table = prepare(binder, invocation.table, columns, dimensions)
    names = (column_name(written[1], 2), *dimensions.names, *timeline.results)
    if binder.diagnostics.has_errors:
        return failed()
    text = period.spell(recipe(invocation.name))
    first = "min(__time)" if period.calendar else "bin(min(__time), Window)"
    bounds = "" if "Start" in parameters else _UNBOUNDED.format(first=first)
    result = cook(binder, invocation.call, bounds + period.all() + _filled(text, dimensions), {"T": table, **values})
    return rename(binder, result, names)


def _lacks_bounds(invocation: Invocation, count: int) -> bool:
    """Whether start and end are left out: dimensions or nothing stand where they would need more constants."""
    written = invocation.call.arguments[2 : 2 + count]
    return len(written) < count or any(invocation.is_column(each) for each in written)


def _filled(text: str, dimensions: Dimensions, **others: str) -> str:
    for mark, value in {**dimensions.substitutions(), **{f"<{name}>": each for name, each in others.items()}}.items():
        text = text.replace(mark, value)
    return text


def _dimensions(binder: Binder, invocation: Invocation, written: tuple[syntax.Expression, ...]) -> Dimensions:
    values = tuple(invocation.over_rows(binder, each) for each in written)
    return Dimensions(values, tuple(column_name(each, place + 1) for place, each in enumerate(written)))


def _constants(
    binder: Binder, invocation: Invocation, written: dict[str, syntax.Expression], type_: ScalarType
) -> tuple[dict[str, Expression], Period]:
    """The constants of a recipe, points as values of the timeline, lengths as distances on it."""
    values: dict[str, Expression] = {}
    period = Period()
    for name, each in written.items():
        bound = invocation.constant(binder, each)
        if name == "Window" and bound.type is _T.STRING:
            period = _calendar(binder, each, bound)
            continue
        target = type_ if name in _POINTS else _T.LONG if name in _COUNTS else length_of(type_)
        if bound.type is not target and target in {_T.DATETIME, _T.TIMESPAN} and bound.type is not _T.DYNAMIC:
            binder.report("type_expected", each.span, expected=target, found=bound.type)
        values[name] = convert(bound, target)
    return values, period


def _calendar(binder: Binder, written: syntax.Expression, bound: Expression) -> Period:
    text = bound.value if isinstance(bound, Literal) else None
    if text not in CALENDAR:
        fields = {"name": "the period", "expected": ", ".join(sorted(CALENDAR)), "found": str(text)}
        binder.report("invalid_parameter_value", written.span, **fields)
        return Period()
    return Period(str(text))


# --- plugins with arguments of their own ----------------------------------------------------------------------------


@plugin("new_activity_metrics")
def bind_new_activity(binder: Binder, invocation: Invocation) -> Table:
    """`new_activity_metrics(id, timeline, start, end, window, cohort?, dimensions…, lookback?)`."""
    written = list(invocation.call.arguments)
    if len(written) < 5:
        return invocation.wrong_count(binder, "Id, Timeline, Start, End, Window, Cohort?, dimensions…, Lookback?")
    id_, time = (invocation.over_rows(binder, each) for each in written[:2])
    constants: dict[str, syntax.Expression] = dict(zip(("Start", "End", "Window"), written[2:5], strict=True))
    rest = written[5:]
    marks = {"cohort": "", "lookback": ""}
    if rest and not invocation.is_column(rest[0]) and not _is_table(binder, invocation, rest[0]):
        constants["Cohort"] = rest[0]
        rest = rest[1:]
        marks["cohort"] = " | where __first == Cohort"
    lookback = rest.pop() if rest and not invocation.is_column(rest[-1]) else None
    values, period = _constants(binder, invocation, constants, time.type)
    dimensions = _dimensions(binder, invocation, tuple(rest))
    table = prepare(binder, invocation.table, {"__who": id_, "__time": time}, dimensions)
    text = recipe(invocation.name)
    if lookback is not None:
        marks["lookback"] = " | where __who !in (Lookback)"
    name = column_name(written[1], 2)
    names = (
        f"from_{name}", f"to_{name}", *dimensions.names, "dcount_new_values", "dcount_retained_values",
        "dcount_churn_values", "retention_rate", "churn_rate",
    )  # fmt: skip
    if binder.diagnostics.has_errors:
        return failed()
    tables = {} if lookback is None else {"Lookback": binder.table(binder, lookback, invocation.scope.lexical)}
    text = period.all() + _filled(period.spell(text), dimensions, **marks)
    return rename(binder, cook(binder, invocation.call, text, {"T": table, **values, **tables}), names)


def _is_table(binder: Binder, invocation: Invocation, written: syntax.Expression) -> bool:
    return isinstance(binder.anything(binder, written, invocation.scope.lexical), Table)


@plugin("rolling_percentile")
def bind_rolling_percentile(binder: Binder, invocation: Invocation) -> Table:
    """`rolling_percentile(value, percentile, index, bin, bins, dimensions…)`."""
    written = invocation.call.arguments
    if len(written) < 5:
        return invocation.wrong_count(binder, "Value, Percentile, Index, BinSize, BinsPerWindow, dimensions…")
    value, index = invocation.over_rows(binder, written[0]), invocation.over_rows(binder, written[2])
    rank = invocation.literal(binder, written[1], "real")
    bins = invocation.literal(binder, written[4], "long")
    dimensions = _dimensions(binder, invocation, written[5:])
    table = prepare(binder, invocation.table, {"__who": value, "__time": index}, dimensions)
    shown = f"rolling_{bins.value if bins else ''}_percentile_{column_name(written[0], 1)}_{rank.value if rank else ''}"
    names = (column_name(written[2], 3), *dimensions.names, shown.replace(".", "_"))
    if rank is None or bins is None or binder.diagnostics.has_errors:
        return failed()
    window = convert(invocation.constant(binder, written[3]), length_of(index.type))
    text = _filled(recipe(invocation.name), dimensions, type=index.type.value)
    values = {"Window": window, "Rank": rank, "BinsPerWindow": bins}
    return rename(binder, cook(binder, invocation.call, text, {"T": table, **values}), names)
