"""Leased jobs. Whoever claims a job holds it until a lease runs out; a job is done at least once, so handlers of jobs
are idempotent. A finished job leaves no row; one that failed too often stays as `dead` until somebody looks.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from vedette.clock import Clock
from vedette.ids import Ids
from vedette.jobs.tables import JOBS
from vedette.store.engine import Store

LEASE_SECONDS = 300.0
MAX_ATTEMPTS = 8
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 600.0

PENDING, RUNNING, DEAD = "pending", "running", "dead"

Payload = Mapping[str, Any]


class Job(msgspec.Struct, frozen=True):
    """A claimed job. `attempt` counts from 1; `lease_id` proves that the claim is still ours."""

    tenant_id: str
    job_id: str
    kind: str
    payload: Payload
    attempt: int
    lease_id: str


class JobQueue:
    """The queue of one control plane. `enqueue` works inside the caller's transaction, the rest in their own."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    def enqueue(
        self,
        connection: Connection,
        tenant_id: str,
        kind: str,
        payload: Payload,
        *,
        run_at: float | None = None,
        key: str | None = None,
    ) -> str | None:
        """Add a job. With a `key`, only if the tenant has no such job of this kind waiting or running; else None."""
        now = self._clock.time()
        job_id = self._ids.guid()
        row = {
            "tenant_id": tenant_id,
            "job_id": job_id,
            "kind": kind,
            "payload": dict(payload),
            "key": key,
            "state": PENDING,
            "run_at": now if run_at is None else run_at,
            "attempts": 0,
            "created_at": now,
        }
        try:
            with connection.begin_nested():
                connection.execute(JOBS.insert().values(row))
        except IntegrityError:
            return None
        return job_id

    def claim(self, lease_seconds: float = LEASE_SECONDS) -> Job | None:
        """Take the job that is due longest, its lease included; None when there is nothing to do."""
        now = self._clock.time()
        with self._store.connect() as connection:  # the cheap look first: waiting workers do not take the write lock
            if connection.execute(select(JOBS.c.job_id).where(_is_due(now)).limit(1)).first() is None:
                return None
        oldest = (
            select(JOBS.c.job_id)
            .where(_is_due(now))
            .order_by(JOBS.c.run_at)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        statement = (
            update(JOBS)
            .where(JOBS.c.job_id == oldest)
            .values(state=RUNNING, attempts=JOBS.c.attempts + 1, lease_id=self._ids.guid(), run_at=now + lease_seconds)
            .returning(JOBS.c.tenant_id, JOBS.c.job_id, JOBS.c.kind, JOBS.c.payload, JOBS.c.attempts, JOBS.c.lease_id)
        )
        with self._store.begin() as connection:
            row = connection.execute(statement).first()
        return Job(*row) if row else None

    def complete(self, job: Job) -> bool:
        """Remove a finished job; False when its lease ran out meanwhile and somebody else has it."""
        with self._store.begin() as connection:
            return connection.execute(delete(JOBS).where(_is_held(job))).rowcount == 1

    def fail(self, job: Job, error: str) -> bool:
        """Put a failed job back for later, or aside as dead; False when it is no longer ours."""
        dead = job.attempt >= MAX_ATTEMPTS
        values: dict[str, Any] = {
            "state": DEAD if dead else PENDING,
            "lease_id": None,
            "last_error": error[:2000],
            "run_at": self._clock.time() + retry_delay(job.attempt),
        }
        if dead:
            values["key"] = None  # a dead job does not stand in the way of the next one
        with self._store.begin() as connection:
            return connection.execute(update(JOBS).where(_is_held(job)).values(values)).rowcount == 1

    def extend(self, job: Job, lease_seconds: float = LEASE_SECONDS) -> bool:
        """Hold a long job for `lease_seconds` more; False when it is no longer ours."""
        until = self._clock.time() + lease_seconds
        with self._store.begin() as connection:
            return connection.execute(update(JOBS).where(_is_held(job)).values(run_at=until)).rowcount == 1

    def depth(self, kind: str | None = None) -> Mapping[str, int]:
        """How many jobs are in each state."""
        statement = select(JOBS.c.state, func.count().label("jobs")).group_by(JOBS.c.state)
        if kind is not None:
            statement = statement.where(JOBS.c.kind == kind)
        with self._store.connect() as connection:
            return {row.state: row.jobs for row in connection.execute(statement)}


def retry_delay(attempt: int) -> float:
    """Seconds to wait after failed attempt number `attempt`: 2, 4, 8 … at most ten minutes."""
    return float(min(FIRST_RETRY_SECONDS * 2 ** (attempt - 1), LONGEST_RETRY_SECONDS))


def _is_due(now: float) -> Any:
    # `run_at` of a running job is the end of its lease: one index serves both.
    return and_(or_(JOBS.c.state == PENDING, JOBS.c.state == RUNNING), JOBS.c.run_at <= now)


def _is_held(job: Job) -> Any:
    return and_(JOBS.c.tenant_id == job.tenant_id, JOBS.c.job_id == job.job_id, JOBS.c.lease_id == job.lease_id)
