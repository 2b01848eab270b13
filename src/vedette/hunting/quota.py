"""Limits of one hunting query: what the settings allow, narrowed by the profile. The default profile has no limits.

Rates (calls a minute) are the API's affair, per operation.
"""

from collections.abc import Mapping

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
    """Admits queries. `by_class` has the quotas of classes of operations that differ from `quota`.

    `seconds` and `memory` are the server's own settings.
    """

    def __init__(
        self,
        quota: HuntingQuota,
        by_class: Mapping[str, HuntingQuota] | None = None,
        *,
        seconds: float,
        memory: int,
    ) -> None:
        self._quota = quota
        self._by_class = by_class or {}
        self._seconds = seconds
        self._memory = memory

    def admit(self, now: int, asked: TimeRange, quota_class: str = "none") -> Admission:
        """The narrower of the time range asked for and the lookback, and the limits of a class of operations."""
        quota = self._by_class.get(quota_class, self._quota)
        start, stop = asked
        if quota.lookback_days is not None:
            earliest = now - quota.lookback_days * 86_400 * TICKS_PER_SECOND
            start = earliest if start is None else max(start, earliest)
        return Admission(self._limits(quota), (start, stop))

    def _limits(self, quota: HuntingQuota) -> QueryLimits:
        return QueryLimits(
            rows=UNLIMITED_ROWS if quota.rows is None else quota.rows,
            seconds=self._seconds if quota.seconds is None else min(self._seconds, quota.seconds),
            memory=self._memory,
            result_bytes=quota.result_bytes or self._memory,
        )
