"""One tenant's log in one process: group commit on the way in, hand-over to the publisher on the way out."""

import threading

from vedette.lake.batches import Claim
from vedette.lake.engine import LakeFolders
from vedette.lake.errors import LogWriteError
from vedette.lake.log import Batch, LogFile, encode
from vedette.lake.publish import Entry, Publisher


class _Waiting:
    """A written batch whose sender waits to hear that it is durable and whether it is the first of its id."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.settled = False
        self.first_summary: bytes | None = None
        self.error: LogWriteError | None = None

    def settle(self, winner: Claim) -> None:
        self.settled = True
        self.first_summary = None if winner == self.entry.claim else winner.summary

    def fail(self, error: LogWriteError) -> None:
        self.settled = True
        self.error = error


class TenantLog:
    """Thread-safe. Locks in the order in which they are taken:

    flush (one publication at a time), commit (one synchronisation for all who wait), write (the log's end, the lists).
    """

    def __init__(self, tenant_id: str, folders: LakeFolders, publisher: Publisher) -> None:
        self._tenant_id = tenant_id
        self._folders = folders
        self._publisher = publisher
        self._flush_lock = threading.Lock()
        self._commit_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._log: LogFile | None = None
        self._sealed: list[LogFile] = []
        self._waiting: list[_Waiting] = []
        self._accepted: list[Entry] = []

    @property
    def pending_rows(self) -> int:
        """Rows accepted and not yet published."""
        with self._write_lock:
            return sum(rows.num_rows for entry in self._accepted for rows in entry.batch.rows.values())

    def append(self, batch: Batch) -> bytes | None:
        """Make the batch durable. Returns None, or the first summary if its id was accepted before."""
        frame = encode(batch)
        with self._write_lock:
            if self._log is None:
                self._log = LogFile.create(self._folders.log(self._tenant_id))
            waiting = _Waiting(Entry(self._log, self._log.write(frame), batch))
            self._waiting.append(waiting)
        with self._commit_lock:
            if not waiting.settled:
                self._commit()
        if waiting.error is not None:
            raise waiting.error
        return waiting.first_summary

    def flush(self) -> None:
        """Publish what was accepted. On failure everything stays pending, in memory and in the log."""
        with self._flush_lock:
            with self._commit_lock:
                self._commit()
                with self._write_lock:
                    entries = list(self._accepted)
                    if entries:
                        self._seal()
            if entries:
                self._publisher.publish(self._tenant_id, entries)
                self._forget(entries)

    def close(self) -> None:
        """Let go of the logs: empty ones go, what is still in the others is found by the next recovery."""
        with self._write_lock:
            if self._log is not None:
                self._seal()
            busy = self._busy()
            for log in self._sealed:
                if log in busy:
                    log.close()
                else:
                    log.remove()
            self._sealed = []
            self._accepted = []

    def abandon(self) -> None:
        """Let go of the logs without touching their files."""
        with self._write_lock:
            if self._log is not None:
                self._seal()
            for log in self._sealed:
                log.close()
            self._sealed, self._accepted = [], []

    def _busy(self) -> set[LogFile]:
        return {entry.log for entry in self._accepted} | {waiting.entry.log for waiting in self._waiting}

    def _commit(self) -> None:
        """Settle everything written so far. The commit lock is held."""
        with self._write_lock:
            group = list(self._waiting)
        if not group:
            return
        try:
            for log in {waiting.entry.log: None for waiting in group}:
                log.sync()
        except LogWriteError as error:
            self._give_up(group, error)
            return
        winners = self._publisher.claim(self._tenant_id, [waiting.entry for waiting in group])
        with self._write_lock:
            for waiting in group:
                waiting.settle(winners[waiting.entry.batch.batch_id])
                self._waiting.remove(waiting)
                if waiting.first_summary is None:
                    self._accepted.append(waiting.entry)

    def _give_up(self, group: list[_Waiting], error: LogWriteError) -> None:
        """After a failed synchronisation nobody knows what the file holds: acknowledge none, write elsewhere."""
        with self._write_lock:
            if self._log is not None:
                self._seal()
            for waiting in group:
                waiting.fail(error)
                self._waiting.remove(waiting)

    def _seal(self) -> None:
        assert self._log is not None
        self._sealed.append(self._log)
        self._log = None

    def _forget(self, entries: list[Entry]) -> None:
        """Drop published entries, and the logs nobody needs any more."""
        published = set(entries)
        with self._write_lock:
            self._accepted = [entry for entry in self._accepted if entry not in published]
            busy = self._busy()
            done = [log for log in self._sealed if log not in busy]
            self._sealed = [log for log in self._sealed if log in busy]
        for log in done:
            log.remove()
