"""Time, injected. Nothing else in the project asks the operating system for the time of day.

Two units are used: Unix seconds (tokens, control plane) and ticks (telemetry, KQL). A tick is 100 ns since
0001-01-01T00:00:00 UTC, as in .NET; it covers years 1 to 9999 in a signed 64-bit integer.
"""

import datetime
import functools
import time
from typing import Protocol

TICKS_PER_SECOND = 10_000_000
UNIX_EPOCH_TICKS = 62_135_596_800 * TICKS_PER_SECOND


class Clock(Protocol):
    """Where the time comes from."""

    def time(self) -> float:
        """Seconds since 1970-01-01T00:00:00Z."""
        ...


class SystemClock:
    """The operating system's clock."""

    def time(self) -> float:
        return time.time()


class ManualClock:
    """A clock that stands still until it is moved; for tests and replays."""

    def __init__(self, start: float) -> None:
        self._now = start

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock forward by `seconds`."""
        self._now += seconds


def to_ticks(unix_seconds: float) -> int:
    """Ticks of a Unix time. Exact to the microsecond, the most a float of this century can hold."""
    return UNIX_EPOCH_TICKS + round(unix_seconds * 1_000_000) * 10


def now_ticks(clock: Clock) -> int:
    """The clock's time in ticks."""
    return to_ticks(clock.time())


def from_ticks(ticks: int) -> float:
    """Unix seconds of `ticks`; loses what a float cannot hold."""
    return (ticks - UNIX_EPOCH_TICKS) / TICKS_PER_SECOND


def format_ticks(ticks: int) -> str:
    """ISO 8601 in UTC with all seven fractional digits: `2026-11-23T05:49:45.1234567Z`."""
    seconds, fraction = divmod(ticks, TICKS_PER_SECOND)
    return f"{_format_second(seconds)}.{fraction:07d}Z"


@functools.lru_cache(maxsize=4096)
def _format_second(seconds: int) -> str:
    """Kept, because what is written out together happened together."""
    return (datetime.datetime(1, 1, 1) + datetime.timedelta(seconds=seconds)).isoformat()  # noqa: DTZ001 — UTC, unsaid
