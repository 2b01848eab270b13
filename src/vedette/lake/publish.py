"""From log to lake: settles which logged copies count, writes their rows as segments, and publishes them at once.

The steps leave a consistent lake wherever a process dies between them: a copy is claimed before it is acknowledged;
files are written before the manifest names them; the log goes last.
"""

from collections.abc import Iterable, Sequence

import msgspec
import pyarrow as pa
from sqlalchemy import Connection

from vedette.clock import to_ticks
from vedette.ids import Ids
from vedette.jobs.outbox import Outbox
from vedette.lake.batches import Batches, Claim
from vedette.lake.engine import LakeFolders
from vedette.lake.log import Batch, LogFile
from vedette.lake.retention import remove_files
from vedette.lake.schema import INGESTION_TIME, stored_tables
from vedette.lake.segments import Segment, Segments, write_segment
from vedette.store.engine import Store

EVENTS_COMMITTED = "EventsCommitted"
"""Outbox topic; payload `{"tables": [names], "ingestion_from": ticks, "ingestion_to": ticks}`."""

MAX_SEGMENT_ROWS = 1_000_000
MAX_SEGMENT_BYTES = 512 * 2**20
"""Arrow bytes of the rows that become one segment; bounds the memory of writing it."""


class Entry(msgspec.Struct, frozen=True, eq=False):
    """A batch at its place in a log."""

    log: LogFile
    position: int
    batch: Batch

    @property
    def claim(self) -> Claim:
        """What is registered for this copy."""
        batch = self.batch
        return Claim(batch.batch_id, self.log.name, self.position, batch.summary, batch.accepted_at)


class Publisher:
    """Publishes logged batches of any tenant. Holds no state."""

    def __init__(self, store: Store, folders: LakeFolders, ids: Ids, outbox: Outbox) -> None:
        self._store = store
        self._folders = folders
        self._ids = ids
        self._outbox = outbox

    def known_summary(self, tenant_id: str, batch_id: str) -> bytes | None:
        """Summary of a batch accepted before, by any process."""
        with self._store.connect() as connection:
            return Batches(connection, tenant_id).summary(batch_id)

    def claim(self, tenant_id: str, entries: Sequence[Entry]) -> dict[str, Claim]:
        """Settle, once and for all, which copy of every batch counts. The log must be durable by now.

        Claiming again changes nothing.
        """
        with self._store.begin() as connection:
            return Batches(connection, tenant_id).claim([entry.claim for entry in entries])

    def publish(self, tenant_id: str, entries: Sequence[Entry]) -> frozenset[str]:
        """Make the entries that count visible, all in one transaction. Every one must have been claimed.

        Returns the tables that got rows.
        """
        with self._store.connect() as connection:
            due = Batches(connection, tenant_id).unpublished([entry.claim for entry in entries])
        counting = [entry for entry in entries if entry.claim in due]
        if not counting:
            return frozenset()
        segments: list[Segment] = []
        try:
            self._write(tenant_id, counting, segments)
            with self._store.begin() as connection:
                Batches(connection, tenant_id).mark_published([entry.claim for entry in counting])
                Segments(connection, tenant_id).add(segments)
                self._announce(connection, tenant_id, segments)
        except BaseException:
            remove_files(self._folders.segments(tenant_id), segments)
            raise
        return frozenset(segment.table_name for segment in segments)

    def _write(self, tenant_id: str, entries: Sequence[Entry], segments: list[Segment]) -> None:
        folder = self._folders.segments(tenant_id)
        for name in sorted({name for entry in entries for name in entry.batch.rows}):
            table = stored_tables()[name]
            rows = pa.concat_tables([_stamped(entry.batch, name) for entry in entries if name in entry.batch.rows])
            for part in _segment_sized(rows):
                segments.append(write_segment(folder, table, part, self._ids))

    def _announce(self, connection: Connection, tenant_id: str, segments: Sequence[Segment]) -> None:
        if not segments:
            return
        payload = {
            "tables": sorted({segment.table_name for segment in segments}),
            "ingestion_from": min(segment.min_ingestion for segment in segments),
            "ingestion_to": max(segment.max_ingestion for segment in segments),
        }
        self._outbox.publish(connection, tenant_id, EVENTS_COMMITTED, payload)


def _stamped(batch: Batch, table_name: str) -> pa.Table:
    rows = batch.rows[table_name]
    return rows.append_column(INGESTION_TIME, pa.repeat(pa.scalar(to_ticks(batch.accepted_at), pa.int64()), len(rows)))


def _segment_sized(rows: pa.Table) -> Iterable[pa.Table]:
    per_row = max(1, rows.nbytes // max(1, rows.num_rows))
    step = max(1, min(MAX_SEGMENT_ROWS, MAX_SEGMENT_BYTES // per_row))
    for start in range(0, rows.num_rows, step):
        yield rows.slice(start, step)
