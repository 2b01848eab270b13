"""Every call of a resource API as a row of the hunting table GraphAPIAuditEvents, written in batches."""

import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import pyarrow as pa

from vedette.api.records import RequestRecord
from vedette.clock import Clock, now_ticks
from vedette.ids import Ids
from vedette.lake.engine import Lake
from vedette.observability.logs import get_logger

LOG = get_logger(__name__)

TABLE = "GraphAPIAuditEvents"
WORKLOADS = {"graph": "Microsoft.Graph.Security", "defender": "Microsoft.Defender"}
"""`TargetWorkload` of the surfaces whose calls are recorded."""

FLUSH_SECONDS = 2.0
MAX_WAITING = 50_000
"""Rows that wait; more are dropped and told in the log, so that a lake that is away takes no memory without end."""

Row = dict[str, object]


class ApiAudit:
    """An observer of requests. `start` it in the process that serves, `stop` it before the lake's writer."""

    def __init__(
        self, lake: Lake, clock: Clock, ids: Ids, unit: Callable[[], AbstractContextManager[object]] = nullcontext
    ) -> None:
        """Each batch is written within a `unit` of work."""
        self._unit = unit
        self._lake = lake
        self._clock = clock
        self._ids = ids
        self._waiting: dict[str, list[Row]] = defaultdict(list)
        self._count = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def observe(self, record: RequestRecord) -> None:
        """Keep a request until the next batch. One without a verified caller belongs to nobody."""
        if record.surface not in WORKLOADS or not record.tenant_id:
            return
        with self._lock:
            if self._count >= MAX_WAITING:
                return
            self._waiting[record.tenant_id].append(_row(record, now_ticks(self._clock)))
            self._count += 1

    def start(self) -> None:
        """Write in the background."""
        self._thread = threading.Thread(target=self._flush_forever, name="api-audit", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        with self._unit():
            self.flush()

    def forget(self) -> None:
        """Let go of what waits: it never happened."""
        with self._lock:
            self._waiting, self._count = defaultdict(list), 0

    def flush(self) -> None:
        """Write what waits, one batch a tenant."""
        with self._lock:
            waiting, self._waiting, count = self._waiting, defaultdict(list), self._count
            self._count = 0
        if count >= MAX_WAITING:
            LOG.warning("rows of the audit of API calls were dropped", kept=count)
        for tenant_id, rows in waiting.items():
            self._lake.append(tenant_id, f"api/{self._ids.guid()}", {TABLE: pa.Table.from_pylist(rows)}, b"{}")

    def _flush_forever(self) -> None:
        while not self._stopping.wait(FLUSH_SECONDS):
            try:
                with self._unit():
                    self.flush()
            except Exception:  # the rows of this batch are lost; those to come need not be
                LOG.exception("the audit of API calls cannot be written")


def _row(record: RequestRecord, now: int) -> Row:
    segments = record.path.split("/")
    version = segments[1].lower() if len(segments) > 1 and record.surface == "graph" else "v1.0"
    return {
        "Timestamp": now,
        "TimeGenerated": now,
        "RequestId": record.request_id,
        "ClientRequestId": record.correlation_id,
        "OperationId": record.request_id,
        "ApplicationId": record.app_id,
        "AccountObjectId": record.object_id if record.is_user else "",
        "ServicePrincipalId": "" if record.is_user else record.object_id,
        "EntityType": "user" if record.is_user else "app",
        "Scopes": " ".join(record.permissions),
        "UniqueTokenIdentifier": record.token_id,
        "RequestMethod": record.method,
        "RequestUri": record.uri,
        "RequestDuration": str(round(record.seconds * 1000)),
        "ResponseStatusCode": str(record.status),
        "ResponseSize": record.response_size,
        "IpAddress": record.client_address,
        "ApiVersion": version,
        "TargetWorkload": WORKLOADS[record.surface],
        "IdentityProvider": "AAD",
        "TenantId": record.tenant_id,
        "ReportId": record.request_id,
        "Type": TABLE,
        "SourceSystem": "Vedette",
    }
