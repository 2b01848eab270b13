"""Functions over datetime and timespan: ticks in, ticks out. Formats are translated while compiling."""

from __future__ import annotations

import json
import re
import zoneinfo

from sqlglot import exp

from vedette.kql.plan import Call, Literal
from vedette.kql.sql import decimals, tree
from vedette.kql.sql.base import Family, Scalars, UnsupportedError, text_of
from vedette.kql.sql.conversions import converted
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

family = Family(
    unsupported={
        "now": "the time of the query stands in its place",
        "ago": "the time of the query stands in its place",
        "ingestion_time": "the table has no ingestion time",
    }
)

_HOUR, _MINUTE, _SECOND = 36_000_000_000, 600_000_000, 10_000_000
_DAY = 24 * _HOUR

_DATE_FORMATS = {
    "yyyy": "%Y", "yy": "%y", "y": "%-y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%-m", "dddd": "%A", "ddd": "%a",
    "dd": "%d", "d": "%-d", "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S",
    "s": "%-S", "tt": "%p",
}  # fmt: skip
_TOKEN = re.compile(r"y+|M+|d+|H+|h+|m+|s+|f+|F+|t+|[ \-/:,._\[\]]|.", re.DOTALL)


@family.rule("bin")
def _bin(scalars: Scalars, call: Call) -> Sql:
    value, size = call.arguments
    if call.type is ScalarType.DECIMAL:
        return decimals.compute("bin", *(converted(scalars.value(e), e.type, call.type) for e in call.arguments))
    sides = scalars.value(value), scalars.value(size)
    if ScalarType.REAL in {value.type, size.type}:
        return tree.call("kql_bin_real", *(tree.cast(each, "DOUBLE") for each in sides))
    if (
        value.type is ScalarType.DATETIME
        and isinstance(size, Literal)
        and isinstance(size.value, int)
        and size.value > 0
    ):
        return tree.binary(exp.Sub, sides[0], tree.binary(exp.Mod, sides[0], sides[1]))
    return tree.call("kql_bin_long", *sides)


@family.rule("bin_at")
def _bin_at(scalars: Scalars, call: Call) -> Sql:
    if call.type is ScalarType.DECIMAL:
        value, size, fixed = (converted(scalars.value(e), e.type, call.type) for e in call.arguments)
        below = decimals.compute("bin", decimals.compute("subtract", value, fixed), size)
        return decimals.compute("add", below, fixed)
    values = scalars.values(call.arguments)
    if ScalarType.REAL in {each.type for each in call.arguments}:
        return tree.call("kql_bin_at_real", *(tree.cast(each, "DOUBLE") for each in values))
    return tree.call("kql_bin_at_long", *values)


def _part_rule(name: str) -> None:
    """The name of a part of a date is a constant; anything unknown is refused by name."""

    @family.rule(name)
    def lower(scalars: Scalars, call: Call) -> Sql:
        part, *rest = call.arguments
        constant = (text_of(part) or "").lower()
        if constant not in _PARTS:
            raise UnsupportedError(name, f"unknown part of a date {constant!r}")
        return tree.call(f"kql_{name}", tree.text(constant), *scalars.values(rest))


_PARTS = frozenset({
    "year", "quarter", "month", "week", "week_of_year", "weekofyear", "day", "dayofyear", "hour", "minute", "second",
    "millisecond", "microsecond", "nanosecond",
})  # fmt: skip
for _name in ("datetime_part", "datetime_add", "datetime_diff"):
    _part_rule(_name)


@family.rule("format_datetime")
def _format_datetime(scalars: Scalars, call: Call) -> Sql:
    """Runs of letters become strftime codes or digits of the fraction; other characters stand for themselves."""
    moment, pattern = call.arguments
    constant = text_of(pattern)
    if constant is None:
        raise UnsupportedError(call.function, "the format must be a constant")
    ticks = scalars.value(moment)
    parts: list[Sql] = []
    codes = ""
    for token in _TOKEN.findall(constant):
        if token[0] in "fF":
            parts += [*_flushed(ticks, codes), _fraction(ticks, len(token), trimmed=token[0] == "F")]
            codes = ""
        else:
            codes += _DATE_FORMATS.get(token, token.replace("%", "%%"))
    parts += _flushed(ticks, codes)
    return tree.coalesce(tree.concat(parts or [tree.text("")]), tree.text(""))


def _flushed(ticks: Sql, codes: str) -> list[Sql]:
    if not codes:
        return []
    return [tree.call("strftime", tree.call("kql_timestamp", ticks), tree.text(codes))]


def _fraction(ticks: Sql, digits: int, *, trimmed: bool) -> Sql:
    padded = tree.call(
        "lpad", tree.cast(tree.binary(exp.Mod, ticks, tree.number(_SECOND)), "VARCHAR"), tree.number(7), tree.text("0")
    )
    cut = tree.call("left", padded, tree.number(min(digits, 7)))
    return tree.call("rtrim", cut, tree.text("0")) if trimmed else cut


@family.rule("datetime_utc_to_local", "datetime_local_to_utc")
def _in_zone(scalars: Scalars, call: Call) -> Sql:
    """A constant name of a zone is checked here; one that comes from the rows and is unknown gives null."""
    moment, zone = call.arguments
    name = text_of(zone)
    if name is not None and name not in zoneinfo.available_timezones():
        raise UnsupportedError(call.function, f"{name!r} is not the name of a time zone")
    converted = tree.call(f"kql_{call.function}", scalars.value(moment), scalars.value(zone))
    if name is not None:
        return converted
    # The engine stops at a zone that it does not know.
    known = tree.any_of(scalars.value(zone), [tree.text(each) for each in sorted(zoneinfo.available_timezones())])
    return tree.when([(known, converted)])


@family.rule("datetime_list_timezones")
def _zones(_scalars: Scalars, _call: Call) -> Sql:
    return tree.cast(tree.text(json.dumps(sorted(zoneinfo.available_timezones()))), "JSON")


_SPAN_PARTS = {"d": (_DAY, 0), "H": (_HOUR, 24), "h": (_HOUR, 24), "m": (_MINUTE, 60), "s": (_SECOND, 60)}


@family.rule("format_timespan")
def _format_timespan(scalars: Scalars, call: Call) -> Sql:
    span, pattern = call.arguments
    constant = text_of(pattern)
    if constant is None:
        raise UnsupportedError(call.function, "the format must be a constant")
    ticks = tree.call("abs", scalars.value(span))
    parts = [_span_part(ticks, token) for token in _TOKEN.findall(constant)]
    return tree.coalesce(tree.concat(parts or [tree.text("")]), tree.text(""))


def _span_part(ticks: Sql, token: str) -> Sql:
    if token[0] in "fF":
        return _fraction(ticks, len(token), trimmed=token[0] == "F")
    if token[0] not in _SPAN_PARTS:
        return tree.text(token)
    unit, wrap = _SPAN_PARTS[token[0]]
    count = tree.binary(exp.IntDiv, ticks, tree.number(unit))
    if wrap:
        count = tree.binary(exp.Mod, count, tree.number(wrap))
    digits = tree.cast(count, "VARCHAR")
    return tree.call(
        "lpad",
        digits,
        tree.cast(tree.call("greatest", tree.number(len(token)), tree.call("length", digits)), "INTEGER"),
        tree.text("0"),
    )


@family.rule("abs")
def _abs(scalars: Scalars, call: Call) -> Sql:
    (only,) = call.arguments
    value = scalars.value(only)
    if only.type is ScalarType.INT:
        return tree.call("abs", tree.cast(value, "BIGINT"))
    if only.type in {ScalarType.LONG, ScalarType.TIMESPAN}:
        return tree.bound([value], lambda each: tree.coalesce(tree.attempt(tree.call("abs", each)), each))
    if only.type is ScalarType.DECIMAL:
        return decimals.compute("absolute", value)
    return tree.call("abs", value)
