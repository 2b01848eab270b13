"""What the worker does for a tenant's lake now and then: compact, expire, and delete what nobody reads any more."""

import msgspec

from vedette.clock import TICKS_PER_SECOND, Clock, SystemClock, now_ticks
from vedette.lake.compaction import Compactor
from vedette.lake.engine import LakeFolders
from vedette.lake.retention import expire, remove_retired, remove_strays
from vedette.store.engine import Store

READER_LEASE_SECONDS = 660.0
"""A query's lease is its deadline; this is longer than the longest (`MAX_QUERY_SECONDS`), so that no reader is left."""


class MaintenanceReport(msgspec.Struct, frozen=True):
    """Segments rewritten and expired, files deleted."""

    compacted: int
    expired: int
    deleted: int


class Maintenance:
    """Keeps lakes in shape. `retention_days` None keeps everything."""

    def __init__(
        self,
        store: Store,
        folders: LakeFolders,
        clock: Clock,
        compactor: Compactor,
        retention_days: int | None = None,
    ) -> None:
        self._store = store
        self._folders = folders
        self._clock = clock
        self._compactor = compactor
        self._retention_days = retention_days

    def run(self, tenant_id: str) -> MaintenanceReport:
        """One round for one tenant."""
        now = self._clock.time()
        expired = 0
        if self._retention_days is not None:
            cutoff = now_ticks(self._clock) - self._retention_days * 86_400 * TICKS_PER_SECOND
            expired = expire(self._store, tenant_id, cutoff, now)
        compacted = self._compactor.compact(tenant_id)
        deleted = remove_retired(self._store, self._folders, tenant_id, now - READER_LEASE_SECONDS)
        # Files are aged by the system's time, wherever a test has moved the clock: one that is being written is young.
        deleted += remove_strays(self._store, self._folders, tenant_id, SystemClock().time())
        return MaintenanceReport(compacted, expired, deleted)
