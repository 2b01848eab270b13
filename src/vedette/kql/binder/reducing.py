"""reduce: it needs its texts while the query is bound, and comes back as constant rows."""

from __future__ import annotations

from vedette.kql import plan, reduction, syntax
from vedette.kql.binder.constants import word
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.names import unique
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.scopes import Scope, Table, reference
from vedette.kql.plan import Aggregate, Expression, Literal
from vedette.kql.types import ScalarType

_T = ScalarType

DEFAULT_THRESHOLD = 0.1
_RESULT = (("Pattern", _T.STRING), ("Count", _T.LONG), ("Representative", _T.STRING))


@operator(syntax.ReduceOperator)
def bind_reduce(binder: Binder, written: syntax.ReduceOperator, table: Table, scope: Scope) -> Table:
    """`reduce by`: groups of similar texts, or with `kind=source` the rows with the pattern of theirs."""
    text = convert(binder.scalar(binder, written.expression, scope.over(table)), _T.STRING)
    options = {each.name.text.lower(): word(each.value) for each in written.properties}
    kind = word(written.parameter("kind"))
    if kind not in {None, "source"}:
        fields = {"name": "kind", "expected": "source", "found": str(kind)}
        return binder.fail_table("invalid_parameter_value", written.span, **fields)
    threshold = _threshold(binder, written, options.get("threshold"))
    texts = [] if binder.analysis or binder.diagnostics.has_errors else _texts(binder, table, text)
    found = reduction.patterns_of(texts, threshold=threshold, separators=options.get("characters"))
    if kind == "source":
        return _marked(binder, table, text, list(zip((each for each, _ in texts), found, strict=True)))
    columns = tuple(binder.column(*each) for each in _RESULT)
    rows = tuple(
        (Literal(_T.STRING, each.pattern), Literal(_T.LONG, each.count), Literal(_T.STRING, each.representative))
        for each in reduction.groups(texts, found)
    )
    return Table(plan.Values(columns, rows))


def _threshold(binder: Binder, written: syntax.ReduceOperator, text: str | None) -> float:
    try:
        value = DEFAULT_THRESHOLD if text is None else float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        fields = {"name": "threshold", "expected": "a number from 0 to 1", "found": str(text)}
        binder.report("invalid_parameter_value", written.span, **fields)
    return value


def _texts(binder: Binder, table: Table, text: Expression) -> list[tuple[str, int]]:
    """The distinct texts in order of their first row, and how many rows have each."""
    number, value = binder.column("$row", _T.LONG), binder.column("text", _T.STRING)
    projected = plan.Project((value,), table.relation, (text,))
    numbered = plan.RowNumbers((number, value), projected, number)
    key, count, first = binder.column("text", _T.STRING), binder.column("count", _T.LONG), binder.fresh(number)
    aggregates = (Aggregate(_T.LONG, "count", ()), Aggregate(_T.LONG, "min", (reference(number),)))
    counted = plan.Summarize((key, count, first), numbered, (reference(value),), aggregates)
    found = sorted(binder.discover(counted), key=lambda row: int(str(row[2])))
    return [(str(row[0]), int(str(row[1]))) for row in found]


def _marked(binder: Binder, table: Table, text: Expression, patterns: list[tuple[str, str]]) -> Table:
    key, pattern = binder.column("$text", _T.STRING), binder.column(unique("Pattern", table.names), _T.STRING)
    rows = tuple((Literal(_T.STRING, one), Literal(_T.STRING, other)) for one, other in patterns)
    values = plan.Values((key, pattern), rows)
    columns = (*table.columns, pattern)
    joined = plan.Join(columns, table.relation, values, "inner", ((text, reference(key)),), columns)
    return table.with_relation(joined)
