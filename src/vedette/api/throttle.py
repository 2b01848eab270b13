"""Call quotas per tenant and class, as fixed windows of a minute and an hour. The default profile has none.

Each process counts its own calls: with several web processes a tenant may reach the number in each of them.
"""

import threading
from collections import OrderedDict

from vedette.clock import Clock
from vedette.contracts.quotas import QuotaProfile
from vedette.errors import QuotaExceededError

MINUTE, HOUR = 60, 3600
_WINDOW_NAMES = {MINUTE: "00:01:00", HOUR: "01:00:00"}
_REMEMBERED = 100_000


class Throttle:
    """Counts calls and refuses the one too many. Thread-safe."""

    def __init__(self, profile: QuotaProfile, clock: Clock) -> None:
        self._profile = profile
        self._clock = clock
        self._counts: OrderedDict[tuple[str, str, int, int], int] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, tenant_id: str, quota_class: str) -> None:
        """Count one call. Raises QuotaExceededError with the seconds until the window ends."""
        quota = self._profile.calls[quota_class]
        limits = [(seconds, limit) for seconds, limit in ((MINUTE, quota.per_minute), (HOUR, quota.per_hour)) if limit]
        if not limits:
            return
        now = int(self._clock.time())
        with self._lock:
            for seconds, limit in limits:
                if self._counts.get((tenant_id, quota_class, seconds, now // seconds), 0) >= limit:
                    raise QuotaExceededError(
                        limit=limit, window=_WINDOW_NAMES[seconds], retry_after=seconds - now % seconds
                    )
            for seconds, _ in limits:
                key = (tenant_id, quota_class, seconds, now // seconds)
                self._counts[key] = self._counts.get(key, 0) + 1
                self._counts.move_to_end(key)
            while len(self._counts) > _REMEMBERED:
                self._counts.popitem(last=False)
