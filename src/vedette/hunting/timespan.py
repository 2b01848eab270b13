"""The `Timespan` of a request: an ISO 8601 duration, interval or single moment, as a range of ticks."""

import datetime
import re
from decimal import Decimal

from vedette.clock import TICKS_PER_SECOND, UNIX_EPOCH_TICKS
from vedette.hunting.errors import InvalidTimespanError
from vedette.lake.engine import TimeRange

_DURATION = re.compile(
    r"P(?!$)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})(?:[T ](?P<time>\d{2}:\d{2}(?::\d{2})?)(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_SECONDS = {
    "years": 365 * 86_400,
    "months": 30 * 86_400,
    "weeks": 7 * 86_400,
    "days": 86_400,
    "hours": 3_600,
    "minutes": 60,
    "seconds": 1,
}
"""A year counts 365 days and a month 30: an interval without a calendar has no other meaning."""


def parse_timespan(text: str, now: int) -> TimeRange:
    """`P7D`, `start/end`, `start/duration`, `duration/end` or `start` (up to now); half-open, in ticks.

    An end that is named belongs to the range. Raises InvalidTimespanError.
    """
    parts = [part.strip() for part in text.strip().split("/")]
    if len(parts) == 1:
        length = _duration(parts[0])
        start = _moment(text, parts[0]) if length is None else now - length
        return _range(text, start, now)
    if len(parts) != 2:
        raise InvalidTimespanError(value=text)
    before, after = _duration(parts[0]), _duration(parts[1])
    if before is not None and after is not None:
        raise InvalidTimespanError(value=text)
    if before is not None:
        end = _moment(text, parts[1])
        return _range(text, end - before, end)
    start = _moment(text, parts[0])
    return _range(text, start, _moment(text, parts[1]) if after is None else start + after)


def _range(text: str, start: int, end: int) -> TimeRange:
    if start > end:
        raise InvalidTimespanError(value=text)
    return max(start, 0), end + 1


def _duration(text: str) -> int | None:
    if (match := _DURATION.fullmatch(text)) is None:
        return None
    ticks = sum(Decimal(value) * _SECONDS[unit] for unit, value in match.groupdict().items() if value is not None)
    return int(ticks * TICKS_PER_SECOND)


def _moment(timespan: str, text: str) -> int:
    if (ticks := parse_moment(text)) is None:
        raise InvalidTimespanError(value=timespan)
    return ticks


def parse_moment(text: str) -> int | None:
    """Ticks of an ISO 8601 date or date and time, UTC where it names no zone; None for anything else."""
    if (match := _MOMENT.fullmatch(text)) is None:
        return None
    zone = (match["zone"] or "Z").replace("Z", "+00:00")
    try:
        moment = datetime.datetime.fromisoformat(f"{match['date']}T{match['time'] or '00:00'}{zone}")
    except ValueError:
        return None
    elapsed = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    fraction = int((match["fraction"] or "0").ljust(7, "0")[:7])
    return UNIX_EPOCH_TICKS + (elapsed.days * 86_400 + elapsed.seconds) * TICKS_PER_SECOND + fraction
