"""Conversions between types, by the type they start from. Text that is no such value gives null, never an error."""

from __future__ import annotations

from sqlglot import exp

from vedette.kql.decimals import ZERO
from vedette.kql.plan import Call
from vedette.kql.sql import decimals, tree
from vedette.kql.sql.base import Family, Scalars, UnsupportedError
from vedette.kql.sql.dynamic import convert_dynamic, text_of_dynamic
from vedette.kql.sql.literals import SQL_TYPES
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType as T

family = Family()

_TEXT = {
    T.BOOL: "kql_tostring_bool", T.INT: "kql_tostring_plain", T.LONG: "kql_tostring_plain", T.REAL: "kql_tostring_real",
    T.DATETIME: "kql_tostring_datetime", T.TIMESPAN: "kql_tostring_timespan",
    T.GUID: "kql_tostring_plain",
}  # fmt: skip

_TARGETS = {
    "tobool": T.BOOL, "toint": T.INT, "tolong": T.LONG, "todouble": T.REAL, "todecimal": T.DECIMAL,
    "todatetime": T.DATETIME, "totimespan": T.TIMESPAN, "toguid": T.GUID, "make_datetime": T.DATETIME,
    "make_timespan": T.TIMESPAN,
}  # fmt: skip

_INTEGERS = frozenset({T.INT, T.LONG})
_TICKS = frozenset({T.DATETIME, T.TIMESPAN})


@family.rule("tostring")
def _tostring(scalars: Scalars, call: Call) -> Sql:
    (only,) = call.arguments
    if only.type is T.STRING:
        return scalars.value(only)
    if only.type is T.DYNAMIC:
        return text_of_dynamic(scalars, only)
    if only.type is T.DECIMAL:
        return tree.coalesce(decimals.as_text(scalars.value(only)), tree.text(""))
    return tree.call(_TEXT[only.type], scalars.value(only))


@family.rule("tobool", "toint", "tolong", "todouble", "todecimal", "todatetime", "totimespan", "toguid")
def _convert(scalars: Scalars, call: Call) -> Sql:
    only = call.arguments[0]
    return converted(scalars.value(only), only.type, _TARGETS[call.function])


def converted(value: Sql, source: T, target: T) -> Sql:  # noqa: PLR0911 - one line a pair of types
    """A value of one type as another type; null where KQL has no such conversion for the value."""
    if source is target:
        return value
    if source is T.DYNAMIC:
        return convert_dynamic(value, target)
    if T.DECIMAL in {source, target}:
        return _as_decimal(value, source) if target is T.DECIMAL else _of_decimal(value, target)
    if source is T.STRING:
        return tree.call(f"kql_to{_suffix(target)}_string", value)
    if target is T.BOOL and source in _INTEGERS | {T.REAL}:
        return tree.different_number(value)
    if target in _TICKS | {T.LONG} and source in _TICKS | _INTEGERS:
        whole = tree.cast(value, "BIGINT") if source is T.INT else value
        return tree.call("kql_in_calendar", whole) if target is T.DATETIME else whole
    if target is T.INT and source in _TICKS | {T.LONG}:
        return tree.call("kql_toint_long", value)
    if target in _INTEGERS and source is T.BOOL:
        return tree.cast(value, SQL_TYPES[target])
    if target in _INTEGERS and source is T.REAL:
        return tree.call(f"kql_to{_suffix(target)}_real", value)
    if target is T.REAL:
        numeric = tree.cast(value, "INTEGER") if source is T.BOOL else value
        return tree.try_cast(numeric, SQL_TYPES[target])
    if target is T.TIMESPAN and source is T.REAL:
        return tree.call("kql_tolong_real", tree.call("round", tree.scaled(value, 864_000_000_000)))
    if target is T.DATETIME and source is T.REAL:
        return tree.call("kql_in_calendar", tree.call("kql_tolong_real", value))
    raise UnsupportedError(f"to{target.value}", f"no conversion from {source.value}")


def _as_decimal(value: Sql, source: T) -> Sql:
    if source is T.STRING:
        return decimals.of_text(value)
    if source is T.GUID:
        raise UnsupportedError("todecimal", "no conversion from guid")
    return decimals.of_number(tree.cast(value, "INTEGER") if source is T.BOOL else value)


def _of_decimal(value: Sql, target: T) -> Sql:
    if target is T.BOOL:
        return tree.binary(exp.NEQ, value, tree.text(ZERO))
    if target in _INTEGERS:
        return tree.try_cast(decimals.compute("whole", value), SQL_TYPES[target])
    if target is T.REAL:
        return decimals.as_real(value)
    raise UnsupportedError(f"to{target.value}", "no conversion from decimal")


def _suffix(target: T) -> str:
    return {T.REAL: "double"}.get(target, target.value)


@family.rule("make_datetime", "make_timespan")
def _make(scalars: Scalars, call: Call) -> Sql:
    if len(call.arguments) == 1:
        return _convert(scalars, call)
    arguments = [
        tree.try_cast(scalars.value(each), "DOUBLE" if _is_seconds(call, position) else "BIGINT")
        for position, each in enumerate(call.arguments)
    ]
    if call.function == "make_datetime" and len(arguments) == 4:
        arguments.append(tree.cast(tree.number(0), "BIGINT"))
    return tree.call(f"kql_{call.function}", *arguments)


def _is_seconds(call: Call, position: int) -> bool:
    """Only seconds have a fraction: the sixth part of a date, the last of three or four of a timespan."""
    if call.function == "make_datetime":
        return position == 5
    return position >= 2 and position == len(call.arguments) - 1


_SIZES = {
    T.BOOL: 1, T.INT: 4, T.LONG: 8, T.REAL: 8, T.DATETIME: 8, T.TIMESPAN: 8, T.GUID: 16, T.DECIMAL: 34,
}  # fmt: skip


@family.rule("estimate_data_size")
def _estimate_data_size(scalars: Scalars, call: Call) -> Sql:
    """Bytes of the values: the width of their types, and the length of texts."""
    fixed = sum(_SIZES.get(each.type, 0) for each in call.arguments)
    total = tree.cast(tree.number(fixed), "BIGINT")
    for each in call.arguments:
        if each.type not in _SIZES:
            text = tree.coalesce(tree.cast(scalars.value(each), "VARCHAR"), tree.text(""))
            total = exp.Add(this=total, expression=tree.call("strlen", text))
    return total
