"""Call quotas per tenant and class, as fixed windows of a minute and an hour, and the time of hunting.

The default profile has none. Counting goes through `store.counters`, which the processes of a server share.
"""

import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from vedette.api.hunting import HuntingRunner
from vedette.clock import Clock
from vedette.context import RequestContext
from vedette.contracts.quotas import QuotaProfile
from vedette.errors import QuotaExceededError
from vedette.hunting.errors import HuntingError
from vedette.hunting.results import Results
from vedette.store.counters import Counters, LocalCounters

MINUTE, HOUR, DAY = 60, 3600, 86_400
CPU_CYCLE = 900
"""Seconds after which used CPU time counts no more (microsoft-graph-docs-contrib security-api-overview.md)."""
_WINDOW_NAMES = {MINUTE: "00:01:00", CPU_CYCLE: "00:15:00", HOUR: "01:00:00", DAY: "1.00:00:00"}


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

    def admit(self, tenant_id: str, quota_class: str, operation: str = "") -> Usage | None:
        """Count one call; the use of the quota that is nearest to its end, None where there is none.

        `operation` is what a class counts by that counts each operation for itself. Raises QuotaExceededError with the
        seconds until the window ends.
        """
        quota = quota_class
        if operation and self._profile.calls[quota_class].by_operation:
            quota = f"{quota_class}:{operation}"
        now = self._clock.time()
        nearest: Usage | None = None
        for seconds, limit in self._limits(quota_class):
            start = int(now // seconds) * seconds
            used = self._counters.add(_name(tenant_id, quota, seconds, start), 1, start + seconds)
            usage = Usage(quota, seconds, used, limit, int(start + seconds - now) or 1)
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
                for quota in self._counted_as(quota_class, tenant_id, counted):
                    used = counted.get(_name(tenant_id, quota, seconds, start), 0.0)
                    found.append(Usage(quota, seconds, used, limit, int(start + seconds - now) or 1))
        for quota_class in ("hunting", *self._profile.hunting_by_class):
            for allowance in self._allowances(quota_class):
                start = int(now // allowance.window) * allowance.window
                used = counted.get(_name(tenant_id, allowance.quota, allowance.window, start), 0.0)
                reset = int(start + allowance.window - now) or 1
                found.append(Usage(allowance.quota, allowance.window, used, allowance.limit, reset))
        return found

    def admit_hunting(self, tenant_id: str, quota_class: str) -> None:
        """Raise QuotaExceededError if the time that the tenant's hunting queries may use is used up."""
        now = self._clock.time()
        for allowance in self._allowances(quota_class):
            start = int(now // allowance.window) * allowance.window
            used = self._add(tenant_id, allowance, start, 0.0)
            if used >= allowance.limit:
                raise QuotaExceededError(
                    allowance.fault,
                    limit=round(allowance.limit),
                    window=_WINDOW_NAMES[allowance.window],
                    retry_after=int(start + allowance.window - now) or 1,
                )

    def count_hunting(self, tenant_id: str, quota_class: str, *, cpu: float, elapsed: float) -> None:
        """Add what a query has used, in seconds."""
        now = self._clock.time()
        for allowance in self._allowances(quota_class):
            start = int(now // allowance.window) * allowance.window
            self._add(tenant_id, allowance, start, cpu if allowance.window == CPU_CYCLE else elapsed)

    def _add(self, tenant_id: str, allowance: "_Allowance", start: int, seconds: float) -> float:
        name = _name(tenant_id, allowance.quota, allowance.window, start)
        return self._counters.add(name, seconds, start + allowance.window)

    def _allowances(self, quota_class: str) -> Iterator["_Allowance"]:
        own = quota_class if quota_class in self._profile.hunting_by_class else "hunting"
        quota = self._profile.hunting_by_class.get(quota_class, self._profile.hunting)
        for name, fault, window, limit in (
            ("cpu", "CpuQuotaExceeded", CPU_CYCLE, quota.cpu_cycle_seconds),
            ("run_time", "RunTimeQuotaExceeded", HOUR, quota.run_seconds_per_hour),
            ("run_time", "RunTimeQuotaExceeded", DAY, quota.run_seconds_per_day),
        ):
            if limit is not None:
                yield _Allowance(f"{own}_{name}", fault, window, limit)

    def _counted_as(self, quota_class: str, tenant_id: str, counted: Mapping[str, float]) -> list[str]:
        """Names that calls of a class were counted by: its own, or those of the operations that were called."""
        if not self._profile.calls[quota_class].by_operation:
            return [quota_class]
        start = f"{tenant_id}/{quota_class}:"
        return sorted({name.split("/")[1] for name in counted if name.startswith(start)})

    def _limits(self, quota_class: str) -> Iterator[tuple[int, int]]:
        quota = self._profile.calls[quota_class]
        for seconds, limit in ((MINUTE, quota.per_minute), (HOUR, quota.per_hour)):
            if limit:
                yield seconds, limit


class _Allowance(NamedTuple):
    """Seconds that a tenant's hunting queries may use in a window."""

    quota: str
    fault: str
    window: int
    limit: float


class MeteredHunting:
    """Hunting whose time is counted against the tenant, by the quota class of the operation."""

    def __init__(self, hunting: HuntingRunner, throttle: Throttle) -> None:
        self._hunting = hunting
        self._throttle = throttle

    def run(self, context: RequestContext, query: str, timespan: str | None, /) -> Results:
        """See `HuntingRunner`. Raises QuotaExceededError when the time of the window is used up."""
        tenant_id = context.tenant.tenant_id
        self._throttle.admit_hunting(tenant_id, context.quota)
        started = time.perf_counter()
        try:
            results = self._hunting.run(context, query, timespan)
        except HuntingError:  # it used what it took; one that ran into its deadline most of all
            seconds = time.perf_counter() - started
            self._throttle.count_hunting(tenant_id, context.quota, cpu=seconds, elapsed=seconds)
            raise
        used = results.statistics
        self._throttle.count_hunting(tenant_id, context.quota, cpu=used.cpu, elapsed=used.elapsed)
        return results


def usage_headers(usage: Usage | None) -> Mapping[str, str]:
    """Headers of an answer to a counted call."""
    return {} if usage is None else usage.headers()


def _name(tenant_id: str, quota_class: str, seconds: int, start: int) -> str:
    return f"{tenant_id}/{quota_class}/{seconds}/{start}"
