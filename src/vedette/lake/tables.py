"""Control-plane tables of the lake: the manifest of segments, and the batches that were accepted."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, String, Table

from vedette.store.metadata import METADATA

SEGMENTS = Table(
    "segments",
    METADATA,
    Column("tenant_id", String(36), primary_key=True),
    Column("segment_id", String(36), primary_key=True),
    Column("table_name", String(128), nullable=False),
    Column("path", String(512), nullable=False, comment="relative to the tenant's segments folder"),
    Column("schema_id", String(16), nullable=False),
    Column("level", Integer, nullable=False, comment="0 as flushed, 1 rewritten in time order"),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("min_time", BigInteger, comment="ticks; null where a row has no time"),
    Column("max_time", BigInteger),
    Column("min_ingestion", BigInteger, nullable=False),
    Column("max_ingestion", BigInteger, nullable=False),
    Column("retired_at", Float, comment="Unix seconds; set when replaced or expired, the file goes later"),
    Index("ix_segments_live", "tenant_id", "table_name", "retired_at"),
)

BATCHES = Table(
    "ingest_batches",
    METADATA,
    Column("tenant_id", String(36), primary_key=True),
    Column("batch_id", String(256), primary_key=True),
    Column("log", String(64), nullable=False, comment="the log file and position that hold the accepted copy"),
    Column("position", BigInteger, nullable=False),
    Column("summary", LargeBinary, nullable=False),
    Column("accepted_at", Float, nullable=False),
    Column("published", Boolean, nullable=False),
)
