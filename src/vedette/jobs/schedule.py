"""Schedules: rows that make a job every so often. A schedule that fell behind runs once, not once per missed time."""

from sqlalchemy import Connection, delete, select, update

from vedette.clock import Clock
from vedette.jobs.queue import JobQueue, Payload
from vedette.jobs.tables import SCHEDULES
from vedette.store.engine import Store


class Schedules:
    """The schedules of one control plane."""

    def __init__(self, store: Store, queue: JobQueue, clock: Clock) -> None:
        self._store = store
        self._queue = queue
        self._clock = clock

    def put(
        self,
        connection: Connection,
        tenant_id: str,
        name: str,
        *,
        kind: str,
        payload: Payload,
        every_seconds: float,
    ) -> None:
        """Create or change a tenant's schedule; a new one is due at once, a changed one keeps its time."""
        values = {"kind": kind, "payload": dict(payload), "every_seconds": every_seconds}
        where = (SCHEDULES.c.tenant_id == tenant_id) & (SCHEDULES.c.name == name)
        if connection.execute(update(SCHEDULES).where(where).values(values)).rowcount == 0:
            row = {**values, "tenant_id": tenant_id, "name": name, "next_at": self._clock.time()}
            connection.execute(SCHEDULES.insert().values(row))

    def remove(self, connection: Connection, tenant_id: str, name: str) -> bool:
        """Remove a tenant's schedule; False when there was none."""
        where = (SCHEDULES.c.tenant_id == tenant_id) & (SCHEDULES.c.name == name)
        return connection.execute(delete(SCHEDULES).where(where)).rowcount == 1

    def release_due(self) -> int:
        """Turn every due schedule into a job and set its next time; returns how many jobs were made."""
        now = self._clock.time()
        due = select(SCHEDULES).where(SCHEDULES.c.next_at <= now)
        with self._store.connect() as connection:
            if connection.execute(due.limit(1)).first() is None:
                return 0
        made = 0
        with self._store.begin() as connection:
            for row in connection.execute(due.order_by(SCHEDULES.c.next_at).with_for_update()).all():
                key = f"schedule:{row.name}"
                made += self._queue.enqueue(connection, row.tenant_id, row.kind, row.payload, key=key) is not None
                where = (SCHEDULES.c.tenant_id == row.tenant_id) & (SCHEDULES.c.name == row.name)
                next_at = next_time(row.next_at, row.every_seconds, now)
                connection.execute(update(SCHEDULES).where(where).values(next_at=next_at))
        return made


def next_time(planned: float, every_seconds: float, now: float) -> float:
    """The first time after `now` on the grid of `planned` and `every_seconds`."""
    missed = int((now - planned) // every_seconds)
    return planned + (missed + 1) * every_seconds
