"""The way rows take into the lake: log, acknowledge, and within a second or so publish.

Concurrent appends of a tenant share one synchronisation of the log and one control-plane transaction (group commit).
"""

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

import msgspec
import pyarrow as pa

from vedette.clock import Clock
from vedette.lake.engine import LakeFolders
from vedette.lake.errors import InvalidBatchError
from vedette.lake.json_check import JsonValidator, require_json
from vedette.lake.log import Batch, LogFile, logs_in
from vedette.lake.publish import Entry, Publisher
from vedette.lake.schema import stored_tables
from vedette.lake.tenant_log import TenantLog

_log = logging.getLogger(__name__)

MAX_BATCH_ID = 256


class WriterOptions(msgspec.Struct, frozen=True):
    """When the background flush runs, and when an append has to wait for it."""

    flush_seconds: float = 1.0
    flush_rows: int = 65_536
    max_pending_rows: int = 524_288


class Recovery(msgspec.Struct, frozen=True):
    """What was found in the logs of processes that are gone."""

    logs: int = 0
    batches: int = 0
    torn_bytes: int = 0


class LakeWriter:
    """Accepts batches for all tenants. Thread-safe; several processes may write into one lake, each with its own."""

    def __init__(
        self,
        folders: LakeFolders,
        clock: Clock,
        publisher: Publisher,
        is_json: JsonValidator,
        options: WriterOptions | None = None,
        *,
        unit: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """The background flush does its rounds each within a `unit` of work."""
        self._folders = folders
        self._clock = clock
        self._options = options or WriterOptions()
        self._publisher = publisher
        self._tenants: dict[str, TenantLog] = {}
        self._tenants_lock = threading.Lock()
        self._is_json = is_json
        self._unit = unit
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._flusher: threading.Thread | None = None

    def append(self, tenant_id: str, batch_id: str, rows: Mapping[str, pa.Table], summary: bytes) -> bytes | None:
        """Make a batch durable; see `lake.engine.Lake`. Tables may lack columns; `dynamic` must be valid JSON text.

        Raises InvalidBatchError before anything is written, LogWriteError when the disk refuses.
        """
        if not 0 < len(batch_id) <= MAX_BATCH_ID:
            raise InvalidBatchError("batch_id")
        tenant = self._tenant(tenant_id)
        known = self._publisher.known_summary(tenant_id, batch_id)
        if known is not None:
            return known
        batch = Batch(batch_id, summary, self._clock.time(), self._conform(rows))
        first = tenant.append(batch)
        if tenant.pending_rows >= self._options.max_pending_rows:
            tenant.flush()
        elif tenant.pending_rows >= self._options.flush_rows:
            self._wake.set()
        return first

    def flush(self, tenant_id: str) -> None:
        """Publish everything this process has accepted for the tenant. Costs nothing when there is nothing."""
        self._tenant(tenant_id).flush()

    def flush_all(self) -> None:
        """Publish everything this process has accepted."""
        with self._tenants_lock:
            tenants = list(self._tenants.values())
        for tenant in tenants:
            tenant.flush()

    def recover(self) -> Recovery:
        """Publish what processes that are gone have acknowledged; every batch once. Harmless at any time."""
        total = Recovery()
        for tenant_id in self._folders.tenants():
            for path in logs_in(self._folders.log(tenant_id)):
                if (log := LogFile.take_over(path)) is not None:
                    found = self._recover_log(tenant_id, log)
                    total = Recovery(total.logs + 1, total.batches + found.batches, total.torn_bytes + found.torn_bytes)
        return total

    def start(self) -> None:
        """Recover, then flush in the background until `stop`."""
        self.recover()
        self._flusher = threading.Thread(target=self._flush_forever, name="lake-flusher", daemon=True)
        self._flusher.start()

    def stop(self) -> None:
        """Publish what is left and let go of the logs."""
        self._stopping.set()
        self._wake.set()
        if self._flusher is not None:
            self._flusher.join()
        try:
            with self._unit():
                self.flush_all()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the logs as they are, without publishing; the next `recover`, anybody's, does that."""
        with self._tenants_lock:
            for tenant in self._tenants.values():
                tenant.close()
            self._tenants.clear()

    def abandon(self) -> None:
        """Forget the logs, files and all: what they hold has been undone, or is somebody else's to publish now."""
        with self._tenants_lock:
            for tenant in self._tenants.values():
                tenant.abandon()
            self._tenants.clear()

    def _tenant(self, tenant_id: str) -> TenantLog:
        with self._tenants_lock:
            if tenant_id not in self._tenants:
                self._folders.log(tenant_id)  # refuses what is not a tenant id
                self._tenants[tenant_id] = TenantLog(tenant_id, self._folders, self._publisher)
            return self._tenants[tenant_id]

    def _conform(self, rows: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
        conformed = {}
        for name, table_rows in rows.items():
            if (table := stored_tables().get(name)) is None:
                raise InvalidBatchError("unknown_table", table=name)
            if table_rows.num_rows:
                conformed[name] = table.conform(table_rows)
                require_json(name, conformed[name], self._is_json)
        return conformed

    def _recover_log(self, tenant_id: str, log: LogFile) -> Recovery:
        entries = [Entry(log, position, batch) for position, batch in log.frames()]
        torn = log.torn_bytes()
        try:
            if entries:
                self._publisher.claim(tenant_id, entries)
                self._publisher.publish(tenant_id, entries)
        except BaseException:
            log.close()
            raise
        log.remove()
        if entries or torn:
            fields = {"tenant_id": tenant_id, "log": log.name, "batches": len(entries), "torn_bytes": torn}
            _log.warning("recovered a log of a process that is gone", extra=fields)
        return Recovery(1, len(entries), torn)

    def _flush_forever(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self._options.flush_seconds)
            self._wake.clear()
            try:
                with self._unit():
                    self.flush_all()
                    self.recover()
            except Exception:  # noqa: BLE001 - the rows are safe in the log; the next round tries again
                _log.exception("flushing the lake failed")
