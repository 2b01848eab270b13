"""autocluster, basket and diffpatterns: patterns of attributes that many rows share.

They need the data while the query is bound: distinct rows with their counts are asked for, patterns are found in
`vedette.kql.patterns`, and come back as constant rows. The schema is the documented one; which patterns are chosen is
Vedette's own affair, as it is the service's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from vedette.kql import patterns, plan, syntax, text_patterns
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.plugin_calls import Invocation, failed, plugin
from vedette.kql.binder.scopes import Table, reference
from vedette.kql.plan import Aggregate, Call, Column, Expression, Literal, Relation
from vedette.kql.types import ScalarType

_T = ScalarType

DEFAULT = "~"
"""What stands for an argument that is left at its default."""
_CLUSTER = (("SegmentId", _T.LONG), ("Count", _T.LONG), ("Percent", _T.REAL))
_DIFFERENCE = (
    ("SegmentId", _T.LONG), ("CountA", _T.LONG), ("CountB", _T.LONG),
    ("PercentA", _T.REAL), ("PercentB", _T.REAL), ("PercentDiffAB", _T.REAL),
)  # fmt: skip
_TEXT_DIFFERENCE = (
    ("Count_of_True", _T.LONG), ("Count_of_False", _T.LONG),
    ("Percent_of_True", _T.REAL), ("Percent_of_False", _T.REAL), ("Pattern", _T.STRING),
)  # fmt: skip
_MOST_TOKENS = 20
"""The largest number of tokens that diffpatterns_text may be asked for."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Options:
    """What the plugins have in common: the threshold or weight, the weights' column, a number, wildcards."""

    share: float
    weight: Column | None
    number: int
    wildcards: tuple[Literal, ...]


@plugin("autocluster")
def bind_autocluster(binder: Binder, invocation: Invocation) -> Table:
    """`autocluster(size weight?, weight column?, seeds?, wildcards…)`."""
    options = _options(binder, invocation, invocation.call.arguments, share=0.5, number=25)
    found = None if options is None else _counted_rows(binder, invocation, options)
    if options is None or found is None:
        return _schema_only(binder, invocation, _CLUSTER)
    chosen = patterns.clusters(found, size_weight=options.share, limit=options.number)
    return _clusters(binder, invocation, options, chosen, sum(each.count for each in found))


@plugin("basket")
def bind_basket(binder: Binder, invocation: Invocation) -> Table:
    """`basket(threshold?, weight column?, max dimensions?, wildcards…)`."""
    options = _options(binder, invocation, invocation.call.arguments, share=0.05, number=5)
    found = None if options is None else _counted_rows(binder, invocation, options)
    if options is None or found is None:
        return _schema_only(binder, invocation, _CLUSTER)
    chosen = patterns.frequent(found, threshold=options.share, dimensions=options.number)
    return _clusters(binder, invocation, options, chosen, sum(each.count for each in found))


@plugin("diffpatterns")
def bind_diffpatterns(binder: Binder, invocation: Invocation) -> Table:
    """`diffpatterns(split column, value a, value b, threshold?, weight column?, max dimensions?, wildcards…)`."""
    written = invocation.call.arguments
    if len(written) < 3:
        return invocation.wrong_count(binder, "SplitColumn, SplitValueA, SplitValueB, …")
    if not invocation.is_column(written[0]):
        return binder.fail_table("column_expected", written[0].span)
    options = _options(binder, invocation, written[3:], share=0.05, number=5)
    split = invocation.over_rows(binder, written[0])
    assert isinstance(split, plan.ColumnReference)
    values = [convert(invocation.constant(binder, each), split.type) for each in written[1:3]]
    sides = [
        None if options is None else _counted_rows(binder, invocation, options, (split.column, value))
        for value in values
    ]
    if options is None or sides[0] is None or sides[1] is None:
        return _schema_only(binder, invocation, _DIFFERENCE)
    chosen = patterns.differences(sides[0], sides[1], threshold=options.share, dimensions=options.number)
    rows = [
        (count_a, count_b, percent_a, percent_b, percent_a - percent_b, pattern)
        for pattern, count_a, count_b, percent_a, percent_b in chosen
    ]
    return _rows(binder, invocation, options, _DIFFERENCE, rows)


@plugin("diffpatterns_text")
def bind_diffpatterns_text(binder: Binder, invocation: Invocation) -> Table:
    """`diffpatterns_text(text, condition, min tokens?, threshold?, max tokens?)`."""
    written = invocation.call.arguments
    if not 2 <= len(written) <= 5:
        return invocation.wrong_count(binder, "TextColumn, BooleanCondition, MinTokens?, Threshold?, MaxTokens?")
    text = convert(invocation.over_rows(binder, written[0]), _T.STRING)
    condition = convert(invocation.over_rows(binder, written[1]), _T.BOOL)
    options = [invocation.literal(binder, each, "real") for each in written[2:]]
    if binder.diagnostics.has_errors:
        return failed()
    given = [None if each is None or each.value == DEFAULT else each for each in options]
    found = text_patterns.differences(
        [] if binder.analysis else _split_texts(binder, invocation, text, condition),
        least_tokens=int(_number(given, 0, 1)),
        threshold=_number(given, 1, 0.05),
        most_tokens=int(_number(given, 2, _MOST_TOKENS)),
    )
    rows = tuple(
        tuple(Literal(type_, value) for (_, type_), value in zip(_TEXT_DIFFERENCE, figures, strict=True))
        for figures in (
            (each.first, each.second, round(each.first_percent, 2), round(each.second_percent, 2), each.text)
            for each in found
        )
    )
    return Table(plan.Values(tuple(binder.column(*each) for each in _TEXT_DIFFERENCE), rows))


def _split_texts(
    binder: Binder, invocation: Invocation, text: Expression, condition: Expression
) -> list[text_patterns.SplitText]:
    key, side, count = binder.column("text", _T.STRING), binder.column("side", _T.BOOL), binder.column("count", _T.LONG)
    counted = (Aggregate(_T.LONG, "count", ()),)
    relation = plan.Summarize((key, side, count), invocation.table.relation, (text, condition), counted)
    sides: dict[str, list[int]] = {}
    for row in binder.discover(relation):
        sides.setdefault(str(row[0]), [0, 0])[0 if row[1] is True else 1] += int(str(row[2]))
    return [text_patterns.SplitText(each, *counts) for each, counts in sorted(sides.items())]


# --- arguments ------------------------------------------------------------------------------------------------------


def _options(
    binder: Binder,
    invocation: Invocation,
    written: tuple[syntax.Expression, ...],
    *,
    share: float,
    number: int,
) -> _Options | None:
    weight = None
    if len(written) > 1 and invocation.is_column(written[1]):
        bound = invocation.over_rows(binder, written[1])
        weight = bound.column if isinstance(bound, plan.ColumnReference) else None
    constants = [
        None if place == 1 and weight is not None else invocation.literal(binder, each, "real")
        for place, each in enumerate(written)
    ]
    if binder.diagnostics.has_errors:
        return None
    given = [None if each is None or each.value == DEFAULT else each for each in constants]
    wildcards = tuple(each for each in given[3:] if each is not None)
    return _Options(_number(given, 0, share), weight, int(_number(given, 2, number)), wildcards)


def _number(given: list[Literal | None], place: int, otherwise: float) -> float:
    found = given[place] if place < len(given) else None
    return float(str(found.value)) if found is not None else otherwise


# --- rows in --------------------------------------------------------------------------------------------------------


def _counted_rows(
    binder: Binder, invocation: Invocation, options: _Options, only: tuple[Column, Expression] | None = None
) -> list[patterns.CountedRow] | None:
    """The distinct rows (with one value of a column only) and how often each occurs; None where there is no data."""
    if binder.analysis:
        return None
    table = invocation.table
    relation: Relation = table.relation
    if only is not None:
        same = Call(_T.BOOL, "equal", (reference(only[0]), only[1]))
        relation = plan.Filter(relation.columns, relation, same)
    keys = _attributes(invocation, options)
    outputs = tuple(binder.fresh(each) for each in keys)
    count = binder.column("count", _T.LONG)
    counted: Expression = Aggregate(_T.LONG, "count", ())
    if options.weight is not None:
        counted = Aggregate(_T.LONG, "sum", (convert(reference(options.weight), _T.LONG),))
    summed = plan.Summarize((*outputs, count), relation, tuple(reference(each) for each in keys), (counted,))
    rows = binder.discover(summed)
    split = None if only is None else keys.index(only[0])
    return [
        patterns.CountedRow(
            tuple(None if place == split else value for place, value in enumerate(row[:-1])), int(str(row[-1] or 0))
        )
        for row in rows
    ]


def _attributes(invocation: Invocation, options: _Options) -> tuple[Column, ...]:
    return tuple(each for each in invocation.table.columns if each is not options.weight)


# --- rows out -------------------------------------------------------------------------------------------------------


def _clusters(
    binder: Binder, invocation: Invocation, options: _Options, chosen: list[patterns.CountedRow], total: int
) -> Table:
    rows = [(each.count, 100.0 * each.count / total if total else 0.0, each.values) for each in chosen]
    return _rows(binder, invocation, options, _CLUSTER, rows)


def _rows(
    binder: Binder,
    invocation: Invocation,
    options: _Options,
    schema: tuple[tuple[str, ScalarType], ...],
    rows: Sequence[tuple[object, ...]],
) -> Table:
    """Constant rows: number of the segment, figures, then the pattern with wildcards where it says nothing."""
    attributes = _attributes(invocation, options)
    columns = (*(binder.column(*each) for each in schema), *(binder.fresh(each) for each in attributes))
    wildcards = {each.type: each.value for each in options.wildcards}
    made: list[tuple[Expression, ...]] = []
    for segment, (*figures, pattern) in enumerate(rows):
        assert isinstance(pattern, tuple)
        numbers = (segment, *figures)
        cells = [
            Literal(each.type, wildcards.get(each.type) if value is None else value)
            for each, value in zip(attributes, pattern, strict=True)
        ]
        made.append((*(Literal(type_, value) for (_, type_), value in zip(schema, numbers, strict=True)), *cells))
    return Table(plan.Values(columns, tuple(made)))


def _schema_only(binder: Binder, invocation: Invocation, schema: tuple[tuple[str, ScalarType], ...]) -> Table:
    if binder.diagnostics.has_errors:
        return failed()
    columns = (*(binder.column(*each) for each in schema), *(binder.fresh(each) for each in invocation.table.columns))
    return Table(plan.Values(columns, ()))
