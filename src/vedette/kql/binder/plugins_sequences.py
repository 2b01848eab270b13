"""Plugins that look for sequences of events: sequence_detect and the funnels."""

from __future__ import annotations

import json

from vedette.kql import syntax
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.plugin_calls import Invocation, column_name, failed, length_of, plugin
from vedette.kql.binder.plugin_recipes import Dimensions, Period, cook, prepare, recipe, rename
from vedette.kql.binder.result_tables import results_of
from vedette.kql.binder.scopes import Table
from vedette.kql.plan import Expression, Literal
from vedette.kql.types import ScalarType

_T = ScalarType


@plugin("sequence_detect")
def bind_sequence_detect(binder: Binder, invocation: Invocation) -> Table:
    """`sequence_detect(timeline, step window, span, name = condition…, dimensions…)`: every way through the steps."""
    written = invocation.call.arguments
    steps = [each for each in written[3:] if isinstance(each, syntax.NamedExpression)]
    if len(written) < 4 or not steps:
        return invocation.wrong_count(binder, "Timeline, MaxSequenceStepWindow, MaxSequenceSpan, name = condition…")
    rest = [each for each in written[3:] if not isinstance(each, syntax.NamedExpression)]
    time = invocation.over_rows(binder, written[0])
    columns: dict[str, Expression] = {"__time": time}
    for place, step in enumerate(steps):
        columns[f"__c{place}"] = convert(invocation.over_rows(binder, step), _T.BOOL)
    names = tuple(column_name(each, place + 1) for place, each in enumerate(rest))
    dimensions = Dimensions(tuple(invocation.over_rows(binder, each) for each in rest), names)
    if binder.diagnostics.has_errors:
        return failed()
    distance = length_of(time.type)
    values = {
        "StepWindow": convert(invocation.constant(binder, written[1]), distance),
        "Span": convert(invocation.constant(binder, written[2]), distance),
    }
    table = prepare(binder, invocation.table, columns, dimensions)
    timeline = column_name(written[0], 1)
    shown = (*names, *(f"{step.name.text}_{timeline}" for step in steps), "Duration")
    return rename(
        binder, cook(binder, invocation.call, _detection(len(steps), dimensions), {"T": table, **values}), shown
    )


def _detection(steps: int, dimensions: Dimensions) -> str:
    keys = ["__key", *(f"__d{place}" for place in range(len(dimensions.names)))]
    dims = "".join(f"{each}, " for each in keys[1:])
    lines = ["let Rows = T | extend __key = 1;", f"Rows | where __c0 | project {', '.join(keys)}, __t0 = __time"]
    for place in range(1, steps):
        lines += [
            f"| join kind=inner (Rows | where __c{place} | project {', '.join(keys)}, __t{place} = __time)"
            f" on {', '.join(keys)}",
            f"| where __t{place} >= __t{place - 1} and __t{place} - __t{place - 1} <= StepWindow"
            f" and __t{place} - __t0 <= Span",
        ]
    times = ", ".join(f"__t{place}" for place in range(steps))
    lines.append(f"| project {dims}{times}, __duration = __t{steps - 1} - __t0")
    lines.append(f"| sort by {', '.join(f'__t{place} asc' for place in range(steps))}")
    return "\n".join(lines)


@plugin("funnel_sequence_completion")
def bind_funnel_completion(binder: Binder, invocation: Invocation) -> Table:
    """`funnel_sequence_completion(id, timeline, start, end, bin, state, sequence, periods)`: how far ids come."""
    written = invocation.call.arguments
    if len(written) != 8:
        return invocation.wrong_count(binder, "Id, Timeline, Start, End, BinSize, State, Sequence, Periods")
    who, time, state = (invocation.over_rows(binder, written[place]) for place in (0, 1, 5))
    sequence, periods = _items(binder, invocation, written[6]), _items(binder, invocation, written[7])
    if sequence is None or periods is None or binder.diagnostics.has_errors:
        return failed()
    distance = length_of(time.type)
    values: dict[str, Expression] = {
        "Start": convert(invocation.constant(binder, written[2]), time.type),
        "End": convert(invocation.constant(binder, written[3]), time.type),
        "Window": convert(invocation.constant(binder, written[4]), distance),
    }
    for place, item in enumerate(sequence):
        values[f"State{place}"] = convert(Literal(_T.STRING, str(item)), state.type)
    for place, item in enumerate(periods):
        values[f"Period{place}"] = convert(Literal(_T.STRING, str(item)), distance)
    columns = {"__who": who, "__time": time, "__state": state}
    table = prepare(binder, invocation.table, columns)
    shown = (column_name(written[1], 2), column_name(written[5], 6), "Period", "dcount")
    text = Period().spell(_funnel(len(sequence), len(periods)))
    return rename(binder, cook(binder, invocation.call, text, {"T": table, **values}), shown)


@plugin("funnel_sequence")
def bind_funnel_sequence(binder: Binder, invocation: Invocation) -> Table:
    """`funnel_sequence(id, timeline, start, end, step window, bin, state, sequence)`: three tables of neighbours."""
    written = invocation.call.arguments
    if len(written) != 8:
        return invocation.wrong_count(binder, "Id, Timeline, Start, End, MaxSequenceStepWindow, Step, State, Sequence")
    who, time, state = (invocation.over_rows(binder, written[place]) for place in (0, 1, 6))
    sequence = _items(binder, invocation, written[7])
    if sequence is None or binder.diagnostics.has_errors:
        return failed()
    values: dict[str, Expression] = {
        "Start": convert(invocation.constant(binder, written[2]), time.type),
        "End": convert(invocation.constant(binder, written[3]), time.type),
        "StepWindow": convert(invocation.constant(binder, written[4]), length_of(time.type)),
        "Window": convert(invocation.constant(binder, written[5]), length_of(time.type)),
    }
    for place, item in enumerate(sequence):
        values[f"State{place}"] = Literal(_T.STRING, str(item))
    columns = {"__who": who, "__time": time, "__state": convert(state, _T.STRING)}
    table = prepare(binder, invocation.table, columns)
    results: list[Table] = []
    for sides, names in _NEIGHBOURS:
        marks = {"<sides>": sides, "<steps>": str(len(sequence)), "<matches>": _run_through(len(sequence))}
        text = Period().spell(recipe(invocation.name))
        for mark, value in marks.items():
            text = text.replace(mark, value)
        found = cook(binder, invocation.call, text, {"T": table, **values})
        results.append(rename(binder, found, (column_name(written[1], 2), *names, "dcount", "samples")))
    return results_of(results[0], [(None, each) for each in results[1:]])


_NEIGHBOURS = (
    (", __before, __after", ("prev", "next")),
    (", __before", ("prev",)),
    (", __after", ("next",)),
)
"""The tables of funnel_sequence: what its rows are counted by, and the names of that."""


def _run_through(steps: int) -> str:
    """Whether a row and those that follow it are the sequence, none too long behind the one before."""
    conditions = ["__state == State0"]
    for place in range(1, steps):
        earlier = "__time" if place == 1 else f"next(__time, {place - 1})"
        conditions.append(
            f"next(__who, {place}) == __who and next(__state, {place}) == State{place}"
            f" and next(__time, {place}) - {earlier} <= StepWindow"
        )
    return " and ".join(conditions)


def _items(binder: Binder, invocation: Invocation, written: syntax.Expression) -> list[object] | None:
    found = invocation.literal(binder, written, "dynamic")
    items = json.loads(str(found.value)) if found is not None and found.type is _T.DYNAMIC else None
    if not isinstance(items, list) or not items:
        binder.report("constant_expected", written.span, expected="dynamic")
        return None
    return items


def _funnel(steps: int, periods: int) -> str:
    """Per period, each step from the earliest events that can follow the one before within the period."""
    lines = ["let Rows = T | where __time between (Start .. End) | extend __bin = BIN(__time);"]
    counted = []
    for period in range(periods):
        name = f"Reached_{period}_0"
        lines.append(
            f"let {name} = Rows | where __state == State0 | distinct __who, __bin, __first = __time, __last = __time;"
        )
        counted.append(_counted(name, 0, period))
        for step in range(1, steps):
            before, name = name, f"Reached_{period}_{step}"
            lines.append(
                f"let {name} = {before} | join kind=inner (Rows | where __state == State{step}"
                " | project __who, __bin, __time) on __who, __bin"
                f" | where __time >= __last and __time - __first <= Period{period}"
                " | summarize __last = min(__time) by __who, __bin, __first;"
            )
            counted.append(_counted(name, step, period))
    return "\n".join([*lines, f"union {', '.join(counted)}"])


def _counted(name: str, step: int, period: int) -> str:
    return (
        f"({name} | summarize __count = count_distinct(__who) by __bin"
        f" | project __bin, __state = State{step}, __period = Period{period}, __count)"
    )
