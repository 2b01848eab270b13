"""Date literals in every form that clients send, as exact ticks of 100 ns since 0001-01-01T00:00:00Z.

Accepted: a date alone, a date with `Z`, minutes or seconds, one to seven fractional digits and more (cut), `Z` or an
offset or neither (UTC), and an offset whose plus sign has become a blank on the way through a query string.
"""

import datetime
import re

DATE_TIME = (
    r"\d{4}-\d{2}-\d{2}"
    r"(?:[Tt]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+\-\x20]\d{2}:\d{2})?|[Zz])?"
)
_PARTS = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[Tt](?P<minutes>\d{2}:\d{2})(?::(?P<seconds>\d{2})(?:\.(?P<fraction>\d+))?)?)?"
    r"(?:[Zz]|(?P<offset>[+\- ]\d{2}:\d{2}))?"
)
_TICKS_PER_SECOND = 10_000_000
_YEAR_ONE = datetime.datetime(1, 1, 1)  # noqa: DTZ001 — arithmetic on UTC values without a zone


def parse_ticks(text: str) -> int | None:
    """Ticks of a date literal, or None if it is not one or names no day of the calendar."""
    match = _PARTS.fullmatch(text.strip())
    if match is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(
            f"{match['date']}T{match['minutes'] or '00:00'}:{match['seconds'] or '00'}"
        )
        elapsed = moment - _YEAR_ONE - _offset(match["offset"])
    except ValueError:
        return None
    fraction = int((match["fraction"] or "").ljust(7, "0")[:7])
    return (elapsed.days * 86_400 + elapsed.seconds) * _TICKS_PER_SECOND + fraction


def _offset(text: str | None) -> datetime.timedelta:
    if text is None:
        return datetime.timedelta()
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 14 or minutes > 59:
        raise ValueError(text)
    distance = datetime.timedelta(hours=hours, minutes=minutes)
    return -distance if text[0] == "-" else distance
