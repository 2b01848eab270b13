"""Prometheus metrics of all processes. Labels never carry a tenant, an application or anything a user typed.

With several processes every one writes its own memory-mapped files into one folder and `/metrics` adds them up;
that folder has to be chosen (`share_between_processes`) before this module is imported, which `server.up` does.
"""

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
