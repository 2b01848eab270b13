"""Tables of background work: jobs to do, schedules that make jobs, and the outbox of events not yet handed on."""

from sqlalchemy import JSON, Column, Float, Index, Integer, String, Table, UniqueConstraint

from vedette.store.metadata import METADATA

JOBS = Table(
    "jobs",
    METADATA,
    Column("tenant_id", String(36), primary_key=True),
    Column("job_id", String(36), primary_key=True),
    Column("kind", String(100), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("key", String(200), nullable=True),
    Column("state", String(10), nullable=False),
    Column("run_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_id", String(36), nullable=True),
    Column("last_error", String(2000), nullable=True),
    Column("created_at", Float, nullable=False),
    # A key is unique per tenant while its job waits or runs; NULLs never collide.
    UniqueConstraint("tenant_id", "kind", "key"),
    Index("ix_jobs_state_run_at", "state", "run_at"),
)

SCHEDULES = Table(
    "schedules",
    METADATA,
    Column("tenant_id", String(36), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("kind", String(100), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("every_seconds", Float, nullable=False),
    Column("next_at", Float, nullable=False, index=True),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("tenant_id", String(36), primary_key=True),
    Column("event_id", String(36), primary_key=True),
    Column("topic", String(100), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("created_at", Float, nullable=False, index=True),
)
