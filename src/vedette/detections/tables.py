"""Tables of detections: which hits have become alerts, and how each rule's last run went."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, UniqueConstraint

from vedette.store.metadata import METADATA
from vedette.store.tenancy import tenant_key

DETECTION_HITS = Table(
    "detection_hits",
    METADATA,
    tenant_key(),
    Column("rule_id", String(80), primary_key=True),
    Column("hit_key", String(64), primary_key=True),
    Column("seen_at", Float, nullable=False),
    Index("ix_detection_hits_seen_at", "seen_at"),
)

DETECTION_RULE_RUNS = Table(
    "detection_rule_runs",
    METADATA,
    tenant_key(),
    Column("rule_id", String(80), primary_key=True),
    Column("is_enabled", Boolean, nullable=False),
    Column("last_run_at", Float),
    Column("last_status", String(20)),
    Column("last_error", Text),
    Column("last_hits", Integer),
    Column("alerts", Integer, nullable=False),
)
"""`last_status` in Graph's spelling of huntingRuleRunStatus; `alerts` counts all that the rule ever made."""

DETECTION_RULES = Table(
    "detection_rules",
    METADATA,
    tenant_key(),
    Column("rule_id", String(64), primary_key=True),
    Column("key", String(80), nullable=False),
    Column("display_name", Text, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("last_modified", BigInteger, nullable=False),
    Column("last_modified_by", Text, nullable=False),
    Column("definition", JSON, nullable=False),
    Column("query_columns", JSON, comment="null: known only when the query runs"),
    UniqueConstraint("tenant_id", "display_name", name="uq_detection_rules_tenant_id"),
    UniqueConstraint("tenant_id", "key", name="uq_detection_rules_tenant_id_key"),
)
"""Rules that tenants made. `key` is what runs and hits of the rule are filed under; it is never used again."""
