"""Limits of one hunting query: what the settings allow, narrowed by the profile. The default profile has no limits.

Rates (calls a minute) are the API's affair, per operation.
"""

import msgspec

from vedette.clock import TICKS_PER_SECOND
from vedette.contracts.quotas import HuntingQuota
from vedette.lake.engine import QueryLimits, TimeRange

UNLIMITED_ROWS = 10_000_000
"""Where no profile limits rows: still a bound, because an answer is made in memory."""


class Admission(msgspec.Struct, frozen=True):
    """What one query may do: limits of its execution, and the only time range it may see."""

    limits: QueryLimits
    window: TimeRange


class HuntingLimits:
    """Admits queries. `seconds` and `memory` are the server's own settings."""

    def __init__(self, quota: HuntingQuota, *, seconds: float, memory: int) -> None:
        self._lookback_days = quota.lookback_days
        self._limits = QueryLimits(
            rows=UNLIMITED_ROWS if quota.rows is None else quota.rows,
            seconds=seconds if quota.seconds is None else min(seconds, quota.seconds),
            memory=memory,
            result_bytes=quota.result_bytes or memory,
        )

    def admit(self, now: int, asked: TimeRange) -> Admission:
        """The narrower of the time range asked for and the profile's lookback."""
        start, stop = asked
        if self._lookback_days is not None:
            earliest = now - self._lookback_days * 86_400 * TICKS_PER_SECOND
            start = earliest if start is None else max(start, earliest)
        return Admission(self._limits, (start, stop))
