"""Call quotas per tenant and class, as fixed windows of a minute and an hour, and the CPU time of hunting.

The default profile has none. Counting goes through `store.counters`, which the processes of a server share.
"""

from collections.abc import Iterator, Mapping

import msgspec

from vedette.api.hunting import HuntingRunner
from vedette.clock import Clock
from vedette.context import RequestContext
from vedette.contracts.quotas import QuotaProfile
from vedette.errors import QuotaExceededError
from vedette.hunting.results import Results
from vedette.store.counters import Counters, LocalCounters

MINUTE, HOUR = 60, 3600
_WINDOW_NAMES = {MINUTE: "00:01:00", HOUR: "01:00:00"}
CPU_CYCLE = 900
"""Seconds after which used CPU time counts no more (microsoft-graph-docs-contrib security-api-overview.md)."""


class Usage(msgspec.Struct, frozen=True):
    """How much of a quota is used. `reset` are the seconds until the window ends."""

    quota: str
    window_seconds: int
    used: float
    limit: float
    reset: int

    def headers(self) -> dict[str, str]:
        """What an answer says about it."""
        return {
            "ratelimit-limit": f"{self.limit:.0f}",
            "ratelimit-remaining": f"{max(0, self.limit - self.used):.0f}",
            "ratelimit-reset": str(self.reset),
        }


class Throttle:
    """Counts calls and refuses the one too many. Thread-safe."""

    def __init__(self, profile: QuotaProfile, clock: Clock, counters: Counters | None = None) -> None:
        self._profile = profile
        self._clock = clock
        self._counters = counters or LocalCounters()

    def admit(self, tenant_id: str, quota_class: str) -> Usage | None:
        """Count one call; the use of the quota that is nearest to its end, None where there is none.

        Raises QuotaExceededError with the seconds until the window ends.
        """
        now = self._clock.time()
        nearest: Usage | None = None
        for seconds, limit in self._limits(quota_class):
            start = int(now // seconds) * seconds
            used = self._counters.add(_name(tenant_id, quota_class, seconds, start), 1, start + seconds)
            usage = Usage(quota_class, seconds, used, limit, int(start + seconds - now) or 1)
            if used > limit:
                raise QuotaExceededError(limit=limit, window=_WINDOW_NAMES[seconds], retry_after=usage.reset)
            if nearest is None or limit - used < nearest.limit - nearest.used:
                nearest = usage
        return nearest

    def usage(self, tenant_id: str) -> list[Usage]:
        """What a tenant has used in the windows of this moment."""
        now, found = self._clock.time(), []
        counted = self._counters.read(f"{tenant_id}/")
        for quota_class in self._profile.calls:
            for seconds, limit in self._limits(quota_class):
                start = int(now // seconds) * seconds
                used = counted.get(_name(tenant_id, quota_class, seconds, start), 0.0)
                found.append(Usage(quota_class, seconds, used, limit, int(start + seconds - now) or 1))
        budget = self._profile.hunting.cpu_cycle_seconds
        if budget is not None:
            start = int(now // CPU_CYCLE) * CPU_CYCLE
            used = counted.get(_name(tenant_id, "hunting_cpu", CPU_CYCLE, start), 0.0)
            found.append(Usage("hunting_cpu", CPU_CYCLE, used, budget, int(start + CPU_CYCLE - now) or 1))
        return found

    def check_cpu(self, tenant_id: str, seconds: float = 0.0) -> None:
        """Count CPU time; without any, raise QuotaExceededError if that of the cycle is used up."""
        budget = self._profile.hunting.cpu_cycle_seconds
        if budget is None:
            return
        now = self._clock.time()
        start = int(now // CPU_CYCLE) * CPU_CYCLE
        used = self._counters.add(_name(tenant_id, "hunting_cpu", CPU_CYCLE, start), seconds, start + CPU_CYCLE)
        if not seconds and used >= budget:
            raise QuotaExceededError("CpuQuotaExceeded", retry_after=int(start + CPU_CYCLE - now) or 1)

    def _limits(self, quota_class: str) -> Iterator[tuple[int, int]]:
        quota = self._profile.calls[quota_class]
        for seconds, limit in ((MINUTE, quota.per_minute), (HOUR, quota.per_hour)):
            if limit:
                yield seconds, limit


class MeteredHunting:
    """Hunting whose CPU time is counted against the tenant."""

    def __init__(self, hunting: HuntingRunner, throttle: Throttle) -> None:
        self._hunting = hunting
        self._throttle = throttle

    def run(self, context: RequestContext, query: str, timespan: str | None, /) -> Results:
        """See `HuntingRunner`. Raises QuotaExceededError when the cycle's CPU time is used up."""
        self._throttle.check_cpu(context.tenant.tenant_id)
        results = self._hunting.run(context, query, timespan)
        self._throttle.check_cpu(context.tenant.tenant_id, max(results.statistics.cpu, 1e-6))
        return results


def usage_headers(usage: Usage | None) -> Mapping[str, str]:
    """Headers of an answer to a counted call."""
    return {} if usage is None else usage.headers()


def _name(tenant_id: str, quota_class: str, seconds: int, start: int) -> str:
    return f"{tenant_id}/{quota_class}/{seconds}/{start}"
