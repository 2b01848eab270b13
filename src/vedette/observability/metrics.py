"""Prometheus metrics of all processes. Only one has tenants as labels; none an application or what a user typed.

With several processes every one writes its own memory-mapped files into one folder and `/metrics` adds them up;
that folder has to be chosen (`share_between_processes`) before this module is imported, which `server.up` does.
"""

import threading

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client import values as _values
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

REGISTRY = CollectorRegistry(auto_describe=True)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0)

HTTP_REQUESTS = Counter(
    "vedette_http_requests", "Requests answered.", ["surface", "operation", "status"], registry=REGISTRY
)
HTTP_SECONDS = Histogram(
    "vedette_http_request_seconds",
    "Time to answer a request.",
    ["surface", "operation"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
TENANT_REQUESTS = Counter(
    "vedette_tenant_requests", "Requests answered to verified callers.", ["tenant", "surface"], registry=REGISTRY
)
TOKENS_ISSUED = Counter("vedette_tokens_issued", "Token requests by outcome.", ["grant", "outcome"], registry=REGISTRY)
HUNTING_QUERIES = Counter("vedette_hunting_queries", "Hunting queries by outcome.", ["outcome"], registry=REGISTRY)
HUNTING_SECONDS = Histogram(
    "vedette_hunting_query_seconds", "Time of a hunting query.", buckets=_SECONDS, registry=REGISTRY
)
EVENTS_ACCEPTED = Counter("vedette_ingest_events", "Events accepted into the lake.", registry=REGISTRY)
LINES_QUARANTINED = Counter("vedette_ingest_quarantined", "Lines put into quarantine.", registry=REGISTRY)
JOBS = Counter("vedette_jobs", "Background jobs by outcome.", ["kind", "outcome"], registry=REGISTRY)
JOB_SECONDS = Histogram(
    "vedette_job_seconds", "Time of a background job.", ["kind"], buckets=_SECONDS, registry=REGISTRY
)
ALERTS = Counter("vedette_alerts", "Alerts made by detection rules.", ["severity"], registry=REGISTRY)
START_TIME = Gauge(
    "vedette_start_time_seconds",
    "When the latest process of the server started.",
    registry=REGISTRY,
    multiprocess_mode="max",
)


class BoundedLabel:
    """The values of a label, up to a number of them: the rest is counted together as `other`. Thread-safe."""

    OTHER = "other"

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def of(self, value: str) -> str:
        """The value itself if it is among the first, else `other`."""
        with self._lock:
            if value not in self._known and len(self._known) < self._limit:
                self._known.add(value)
            return value if value in self._known else self.OTHER


def exposition() -> bytes:
    """All metrics in Prometheus' text format, added up over the processes."""
    if not shared():
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def shared() -> bool:
    """Whether this process adds to the metrics of several processes."""
    return _values.ValueClass is not _values.MutexValue
