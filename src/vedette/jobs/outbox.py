"""The transactional outbox: news travels upwards as rows.

A lower package publishes an event in the same transaction as the change it tells of; the relay turns each event into
one job per subscriber (registered in `server.wiring`), so that subscribers fail and retry independently.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, and_, delete, or_, select

from vedette.clock import Clock
from vedette.ids import Ids
from vedette.jobs.queue import JobQueue, Payload
from vedette.jobs.tables import OUTBOX
from vedette.store.engine import Store

RELAY_BATCH = 200

Subscriptions = Mapping[str, Sequence[str]]
"""Kinds of jobs to make, by topic."""


Need = Callable[[Connection, str, Payload], bool]
"""Whether a subscriber has anything to do about an event: of which tenant, with which payload."""


class Outbox:
    """Publishes events. Give it to whoever makes news; it needs nothing of the subscribers."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    def publish(self, connection: Connection, tenant_id: str, topic: str, payload: Payload) -> None:
        """Record an event in the caller's transaction: it is told if, and only if, that commits."""
        event = Event(self._ids.guid(), topic, payload, self._clock.time())
        publish_event(connection, tenant_id, event)


class Event(msgspec.Struct, frozen=True):
    """News of a tenant. `event_id` is unique there."""

    event_id: str
    topic: str
    payload: Payload
    created_at: float


def publish_event(connection: Connection, tenant_id: str, event: Event) -> None:
    """Record an event that brings its own id and time."""
    connection.execute(
        OUTBOX.insert().values(
            tenant_id=tenant_id,
            event_id=event.event_id,
            topic=event.topic,
            payload=dict(event.payload),
            created_at=event.created_at,
        )
    )


class OutboxRelay:
    """Hands published events on to their subscribers, oldest first, each in one transaction with its removal."""

    def __init__(
        self, store: Store, queue: JobQueue, subscriptions: Subscriptions, needs: Mapping[str, Need] | None = None
    ) -> None:
        """`needs`: by kind of job, where not every event is worth one."""
        self._store = store
        self._queue = queue
        self._subscriptions = subscriptions
        self._needs = needs or {}

    def relay(self) -> int:
        """Hand on what is waiting, one batch; returns the number of events. Topics nobody subscribed to are dropped."""
        oldest = select(OUTBOX).order_by(OUTBOX.c.created_at).limit(RELAY_BATCH)
        with self._store.connect() as connection:
            if connection.execute(oldest.limit(1)).first() is None:
                return 0
        with self._store.begin() as connection:
            rows = connection.execute(oldest.with_for_update(skip_locked=True)).all()
            for row in rows:
                for kind in self._subscriptions.get(row.topic, ()):
                    need = self._needs.get(kind)
                    if need is not None and not need(connection, row.tenant_id, row.payload):
                        continue
                    self._queue.enqueue(connection, row.tenant_id, kind, row.payload, key=f"event:{row.event_id}")
            _forget(connection, [(row.tenant_id, row.event_id) for row in rows])
        return len(rows)


def _forget(connection: Connection, keys: Iterable[tuple[str, str]]) -> None:
    matches = [and_(OUTBOX.c.tenant_id == tenant, OUTBOX.c.event_id == event) for tenant, event in keys]
    if matches:
        connection.execute(delete(OUTBOX).where(or_(*matches)))
