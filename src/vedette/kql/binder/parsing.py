"""parse, parse-where and parse-kv: text to columns. Patterns become one regular expression with a group per column."""

from __future__ import annotations

import dataclasses
import json
import re

from vedette.kql import plan, syntax
from vedette.kql.binder.assignments import extend
from vedette.kql.binder.constants import word
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.expressions import all_of
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.scopes import Scope, Table
from vedette.kql.plan import Call, Column, Expression, Literal
from vedette.kql.types import ScalarType

_T = ScalarType

_DIGITS = r"-?\d+"
_DECIMALS = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_SHAPES = {_T.LONG: _DIGITS, _T.INT: _DIGITS, _T.REAL: _DECIMALS, _T.DECIMAL: _DECIMALS}
"""What a capture of each type looks like, so that "12abc" gives a long its 12. Text takes anything."""

_GROUP = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|(\((?!\?)|\(\?P<)")
"""Finds capturing groups of a regular expression, stepping over escapes and classes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern compiled: `groups[n]` is the number of the regex group that `columns[n]` is captured by."""

    regex: str
    columns: tuple[Column, ...]
    groups: tuple[int, ...]


def _compile(binder: Binder, parts: syntax.ParsePattern, kind: str, flags: str) -> Pattern:
    """simple and relaxed: lazy up to the next text, anchored at both ends unless `*` stands there. regex: greedy."""
    regular = kind == "regex"
    pieces: list[str] = []
    columns: list[Column] = []
    groups: list[int] = []
    count = 0
    for part, following in zip(parts, (*parts[1:], None), strict=True):
        if isinstance(part, syntax.ParseText):
            pieces.append(part.text if regular else re.escape(part.text))
            count += sum(1 for each in _GROUP.finditer(part.text) if each[1]) if regular else 0
        elif isinstance(part, syntax.ParseStar):
            pieces.append(".*?")
        else:
            column = binder.column(part.name.text, part.type.type if part.type is not None else _T.STRING)
            columns.append(column)
            count += 1
            groups.append(count)
            pieces.append(f"({_capture(column.type, kind, following)})")
    head = "" if regular and (not parts or not isinstance(parts[0], syntax.ParseColumn)) else "^"
    tail = "" if regular or (parts and isinstance(parts[-1], syntax.ParseStar)) else "$"
    switches = "s" if not regular else "".join(sorted(set(flags) & set("imsU")))
    prefix = f"(?{switches})" if switches else ""
    return Pattern(f"{prefix}{head}{''.join(pieces)}{tail}", tuple(columns), tuple(groups))


def _capture(type_: ScalarType, kind: str, following: object) -> str:
    """How one column is captured, given what stands behind it in the pattern."""
    anything = ".*" if kind == "regex" or following is None else ".*?"
    shape = _SHAPES.get(type_)
    if shape is None or (following is None and kind != "regex"):
        return anything
    if kind == "relaxed":
        # What does not look like the type still matches; before `*` only the shape says where the value ends.
        return f"(?:{shape})?" if isinstance(following, syntax.ParseStar) else anything
    return shape


def _captures(source: Expression, pattern: Pattern) -> tuple[Expression, list[Expression], list[Expression]]:
    """Whether the pattern matches, the texts captured, and the typed values."""
    regex = Literal(_T.STRING, pattern.regex)
    matches = Call(_T.BOOL, "matches_regex", (source, regex))
    texts: list[Expression] = [
        Call(_T.STRING, "extract", (regex, Literal(_T.LONG, group), source)) for group in pattern.groups
    ]
    values = [convert(text, column.type) for text, column in zip(texts, pattern.columns, strict=True)]
    return matches, texts, values


def _converted(pattern: Pattern, values: list[Expression]) -> Expression:
    """True where every typed capture could be converted."""
    return all_of(
        tuple(
            Call(_T.BOOL, "isnotnull", (value,))
            for value, column in zip(values, pattern.columns, strict=True)
            if column.type is not _T.STRING
        )
    )


def _pattern(binder: Binder, written: syntax.ParseOperator | syntax.ParseWhereOperator) -> tuple[str, Pattern]:
    kind = (word(written.parameter("kind")) or "simple").lower()
    flags = word(written.parameter("flags")) or ""
    return kind, _compile(binder, written.pattern, kind, flags)


def _text(binder: Binder, written: syntax.Expression, table: Table, scope: Scope) -> Expression:
    return convert(binder.scalar(binder, written, scope.over(table)), _T.STRING)


@operator(syntax.ParseOperator)
def bind_parse(binder: Binder, written: syntax.ParseOperator, table: Table, scope: Scope) -> Table:
    """`parse`: rows that do not match are kept, with null or empty values.

    With kind=simple one failed conversion blanks all columns; relaxed and regex keep the others.
    """
    source = _text(binder, written.expression, table, scope)
    kind, pattern = _pattern(binder, written)
    _, _, values = _captures(source, pattern)
    if kind == "simple" and any(each.type is not _T.STRING for each in pattern.columns):
        good = _converted(pattern, values)
        values = [
            Call(each.type, "iff", (good, each, convert(Literal(_T.DYNAMIC, None), each.type))) for each in values
        ]
    added = list(zip(pattern.columns, values, strict=True))
    return table.with_relation(extend(table.relation, added))


@operator(syntax.ParseWhereOperator)
def bind_parse_where(binder: Binder, written: syntax.ParseWhereOperator, table: Table, scope: Scope) -> Table:
    """`parse-where`: only rows that match, and whose captures could be converted."""
    source = _text(binder, written.expression, table, scope)
    _, pattern = _pattern(binder, written)
    matches, _, values = _captures(source, pattern)
    condition = all_of((matches, _converted(pattern, values))) if pattern.columns else matches
    filtered = plan.Filter(table.relation.columns, table.relation, condition)
    return table.with_relation(extend(filtered, list(zip(pattern.columns, values, strict=True))))


@operator(syntax.ParseKvOperator)
def bind_parse_kv(binder: Binder, written: syntax.ParseKvOperator, table: Table, scope: Scope) -> Table:
    """`parse-kv`: `parse_kv(text, options)` gives a bag of texts, of which each key becomes a column."""
    source = _text(binder, written.expression, table, scope)
    options: dict[str, str] = {}
    for each in written.properties:
        bound = binder.scalar(binder, each.value, scope.lexical)
        value = bound.value if isinstance(bound, Literal) else word(each.value)
        options[each.name.text] = value if isinstance(value, str) else str(value).lower()
    bag = Call(_T.DYNAMIC, "parse_kv", (source, Literal(_T.STRING, json.dumps(options, sort_keys=True))))
    added: list[tuple[Column, Expression]] = []
    for declared in written.schema.columns:
        column = binder.column(declared.name.text, declared.type.type)
        value = Call(_T.DYNAMIC, "property", (bag, Literal(_T.STRING, column.name)))
        added.append((column, convert(convert(value, _T.STRING), column.type)))
    return table.with_relation(extend(table.relation, added))
