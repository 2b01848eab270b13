"""Texts of datetime, timespan, guid and number values to exact values, and back.

Formats of datetime are those of the documented table (data-explorer/kusto/query/scalar-data-types/datetime.md:
ISO 8601, RFC 822, RFC 850, sortable) plus year, year-month and month-first forms with slashes or hyphens, which
published queries use. Digits of a second beyond 100 ns are cut. No format depends on the current time.
"""

import datetime
import decimal
import re

TICKS_PER_SECOND = 10_000_000
TICKS_PER_DAY = 86_400 * TICKS_PER_SECOND
MAX_DATETIME_TICKS = 3_652_059 * TICKS_PER_DAY - 1
_MAX_LONG = 2**63 - 1

# --- datetime -----------------------------------------------------------------------------------------------------

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_ZONES = {"z": 0, "gmt": 0, "utc": 0, "ut": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6}
_ZONES |= {"pst": -8, "pdt": -7}  # the zones of RFC 822

_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d+))?)?"
    r"(?:\s*(?P<half>[ap]m))?(?:\s*(?P<zone>[a-z]+|[+-]\d{1,2}(?::?\d{2})?))?"
)
_DATETIME_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        # 2014, 2014-05, 2014-05-25, 2014-05-25T08:20:03.123456Z, 2014 - 05 - 25
        rf"(?P<year>\d{{4}})(?:\s*[-/.,]\s*(?P<month>\d{{1,2}})(?:\s*[-/.,]\s*(?P<day>\d{{1,2}})(?:(?:\s*T|\s+){_TIME})?)?)?Z?",
        # Sat, 8 Nov 14 15:05:02 GMT; Saturday, 08-Nov-14 15:05
        rf"(?:[a-z]+,?\s+)?(?P<day>\d{{1,2}})[\s-]+(?P<month>[a-z]{{3,9}})[\s-]+(?P<year>\d{{4}}|\d{{2}})(?:\s+{_TIME})?",
        # 12/31/2019, 12-31-2019 15:05
        rf"(?P<month>\d{{1,2}})[-/](?P<day>\d{{1,2}})[-/](?P<year>\d{{4}})(?:\s+{_TIME})?",
    )
)
_TIME_ONLY = re.compile(_TIME, re.IGNORECASE | re.ASCII)


def parse_datetime(text: str) -> int | None:
    """Ticks since year 1 of a datetime text, None if it is none or out of range."""
    text = text.strip()
    for form in _DATETIME_FORMS:
        match = form.fullmatch(text)
        if match is not None:
            return _datetime_ticks(match)
    return None


def parse_time_of_day(text: str) -> int | None:
    """Ticks since midnight of a text with a time and no date (`6:00:00 AM`), else None."""
    match = _TIME_ONLY.fullmatch(text.strip())
    return None if match is None else _time_ticks(match)


def _datetime_ticks(match: re.Match[str]) -> int | None:
    month = match["month"] or "1"
    number = int(month) if month.isdigit() else _MONTHS.get(month[:3].lower(), 0)
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += 2000 if year < 50 else 1900
    time = _time_ticks(match) if match["hour"] else 0
    try:
        days = datetime.date(year, number, int(match["day"] or 1)).toordinal() - 1
    except ValueError:
        return None
    if time is None:
        return None
    ticks = days * TICKS_PER_DAY + time
    return ticks if 0 <= ticks <= MAX_DATETIME_TICKS else None


def _time_ticks(match: re.Match[str]) -> int | None:
    """Ticks of the time groups, shifted to UTC by their zone."""
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    offset = _zone_minutes(match["zone"])
    if offset is None:
        return None
    fraction = int(((match["fraction"] or "") + "0000000")[:7])
    return ((hour * 60 + minute - offset) * 60 + second) * TICKS_PER_SECOND + fraction


def _zone_minutes(zone: str | None) -> int | None:
    if zone is None:
        return 0
    if zone[0] not in "+-":
        hours = _ZONES.get(zone.lower())
        return None if hours is None else hours * 60
    digits = zone[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hours > 14 or minutes > 59:
        return None
    return (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)


def format_datetime(ticks: int) -> str:
    """`2014-05-25T08:20:03.1234560Z`: always seven digits, as dynamic values and answers show it."""
    days, rest = divmod(ticks, TICKS_PER_DAY)
    seconds, fraction = divmod(rest, TICKS_PER_SECOND)
    date = datetime.date.fromordinal(days + 1).isoformat()
    return f"{date}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:07}Z"


# --- timespan -----------------------------------------------------------------------------------------------------

_UNIT_TICKS: dict[str, decimal.Decimal | int] = {
    **dict.fromkeys(("d", "day", "days"), TICKS_PER_DAY),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600 * TICKS_PER_SECOND),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60 * TICKS_PER_SECOND),
    **dict.fromkeys(("s", "sec", "second", "seconds"), TICKS_PER_SECOND),
    **dict.fromkeys(("ms", "msec", "milli", "millis", "millisecond", "milliseconds"), 10_000),
    **dict.fromkeys(("usec", "micro", "micros", "microsecond", "microseconds"), 10),
    **dict.fromkeys(("nano", "nanos", "nanosecond", "nanoseconds"), decimal.Decimal("0.01")),
    **dict.fromkeys(("tick", "ticks"), 1),
}
_SUFFIXED = re.compile(r"(?P<sign>[+-]?)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[A-Za-z]+)", re.ASCII)
_CLOCK = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<days>\d+)(?:\.|:(?=\d+:\d+:)))?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2})"
    r"(?::(?P<seconds>\d{1,2})(?:\.(?P<fraction>\d{1,}))?)?",
    re.ASCII,
)
_DAYS = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)


def parse_timespan(text: str) -> int | None:
    """Ticks of a timespan text (`1.5h`, `15 seconds`, `1.02:03:04.5`, `2` for days), None if it is none."""
    text = text.strip()
    if match := _SUFFIXED.fullmatch(text):
        unit = _UNIT_TICKS.get(match["unit"])
        ticks = None if unit is None else int(decimal.Decimal(match["number"]) * unit)
    elif match := _CLOCK.fullmatch(text):
        ticks = _clock_ticks(match)
    elif _DAYS.fullmatch(text):
        ticks, match = int(decimal.Decimal(text) * TICKS_PER_DAY), None
    else:
        return None
    if ticks is None or abs(ticks) > _MAX_LONG:
        return None
    return -ticks if match is not None and match["sign"] == "-" else ticks


def _clock_ticks(match: re.Match[str]) -> int | None:
    hours, minutes, seconds = int(match["hours"]), int(match["minutes"]), int(match["seconds"] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    fraction = int(((match["fraction"] or "") + "0000000")[:7])
    days = int(match["days"] or 0)
    return days * TICKS_PER_DAY + (hours * 3600 + minutes * 60 + seconds) * TICKS_PER_SECOND + fraction


def format_timespan(ticks: int) -> str:
    """`1.02:03:04.5000000`: days and fraction only where they are not zero."""
    sign, ticks = ("-", -ticks) if ticks < 0 else ("", ticks)
    days, rest = divmod(ticks, TICKS_PER_DAY)
    seconds, fraction = divmod(rest, TICKS_PER_SECOND)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{sign}{f'{days}.' if days else ''}{clock}{f'.{fraction:07}' if fraction else ''}"


# --- the other types ----------------------------------------------------------------------------------------------

_GUID = re.compile(r"[{(]?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})[)}]?")
_INTEGER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)")
_REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_SPECIAL_REALS = {"nan": "nan", "+inf": "inf", "inf": "inf", "-inf": "-inf"}
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


def parse_guid(text: str) -> str | None:
    """The guid in lower case with hyphens, None if it is none."""
    match = _GUID.fullmatch(text.strip().lower())
    return None if match is None else "-".join(match.groups())


def parse_integer(text: str, bits: int) -> int | None:
    """A signed integer of that width; hexadecimal digits give its two's complement. None if it is none or too large."""
    text = text.strip()
    if not _INTEGER.fullmatch(text):
        return None
    limit = 1 << (bits - 1)
    if "x" not in text and "X" not in text:
        value = int(text)
        return value if -limit <= value < limit else None
    value = int(text, 16)
    if limit <= value < 2 * limit:
        value -= 2 * limit
    return value if -limit <= value < limit else None


def parse_real(text: str) -> float | None:
    """A real value, `nan` and `inf` included, None if it is none."""
    text = text.strip()
    special = _SPECIAL_REALS.get(text.lower())
    if special is not None:
        return float(special)
    return float(text) if _REAL.fullmatch(text) else None


def parse_decimal(text: str) -> decimal.Decimal | None:
    """A decimal value, None if it is none."""
    text = text.strip()
    return decimal.Decimal(text) if _REAL.fullmatch(text) else None


def parse_bool(text: str) -> bool | None:
    """`true`, `false` in any case, 1 or 0; None if it is none."""
    return _BOOLEANS.get(text.strip().lower())
