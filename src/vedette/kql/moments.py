"""Moments that only execution knows, because they are reckoned from the time of the query; ranges between such.

A compiled query is kept for when it comes again: its text does not hold the time, its parameters do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

LAST_TICK = 3155378975999999999
"""The end of the calendar, in ticks."""

Step = tuple[str, int]
"""`("add", ticks)` or `("bin", ticks)`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Moment:
    """The time of the query after some steps. Outside the calendar it is null."""

    steps: tuple[Step, ...] = ()

    def shifted(self, ticks: int) -> Moment:
        """So much later."""
        return Moment((*self.steps, ("add", ticks))) if ticks else self

    def binned(self, size: int) -> Moment:
        """Rounded down to a multiple of `size`."""
        return Moment((*self.steps, ("bin", size)))

    def at(self, now: int) -> int | None:
        """The moment in ticks, for a query that runs at `now`."""
        ticks = now
        for step, amount in self.steps:
            ticks = ticks + amount if step == "add" else ticks - ticks % amount
            if not 0 <= ticks <= LAST_TICK:
                return None
        return ticks

    @property
    def shift(self) -> int | None:
        """How much later than the query it is; None where that depends on when the query runs."""
        return sum(amount for _, amount in self.steps) if all(step == "add" for step, _ in self.steps) else None

    def __str__(self) -> str:
        text = "now"
        for step, amount in self.steps:
            text = f"{text}{amount:+}" if step == "add" else f"bin({text}, {amount})"
        return text


Bound = int | Moment


@dataclasses.dataclass(frozen=True, slots=True)
class TimeRange:
    """A half-open range: from the latest of `starts` to before the earliest of `stops`. None of them: unbounded."""

    starts: frozenset[Bound] = frozenset()
    stops: frozenset[Bound] = frozenset()

    def within(self, other: TimeRange) -> TimeRange:
        """What both ranges have in common."""
        return TimeRange(_tightest(self.starts | other.starts, max), _tightest(self.stops | other.stops, min))

    def at(self, now: int) -> tuple[int | None, int | None]:
        """Start and end in ticks for a query that runs at `now`."""
        return max(_known(self.starts, now), default=None), min(_known(self.stops, now), default=None)

    def __str__(self) -> str:
        starts, stops = (" ".join(sorted(map(str, each))) or "None" for each in (self.starts, self.stops))
        return f"({starts}, {stops})"


ALWAYS = TimeRange()


def time_range(start: Bound | None = None, stop: Bound | None = None) -> TimeRange:
    """The range between two bounds; None is unbounded."""
    return TimeRange(frozenset(() if start is None else (start,)), frozenset(() if stop is None else (stop,)))


def shifted(bound: Bound, ticks: int) -> Bound:
    """A bound so much later."""
    return bound + ticks if isinstance(bound, int) else bound.shifted(ticks)


def _known(bounds: Iterable[Bound], now: int) -> list[int]:
    found = (each if isinstance(each, int) else each.at(now) for each in bounds)
    return [each for each in found if each is not None]


def _tightest(bounds: frozenset[Bound], choose: Callable[[list[int]], int]) -> frozenset[Bound]:
    """Of several fixed bounds one is enough."""
    fixed = [each for each in bounds if isinstance(each, int)]
    if len(fixed) < 2:
        return bounds
    return frozenset(each for each in bounds if not isinstance(each, int)) | {choose(fixed)}
