"""Tables of indicators. Times are ticks; words are the API's own."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, String, Table, Text

from vedette.store.metadata import METADATA
from vedette.store.tenancy import tenant_key

INDICATOR_COUNTERS = Table(
    "indicator_counters",
    METADATA,
    tenant_key(),
    Column("last_indicator_id", BigInteger, nullable=False),
)

INDICATORS = Table(
    "indicators",
    METADATA,
    tenant_key(),
    Column("indicator_id", BigInteger, primary_key=True, autoincrement=False),
    Column("value", Text, nullable=False),
    Column("match_value", String(2048), nullable=False, comment="as events are compared with it"),
    Column("type", String(32), nullable=False),
    Column("action", String(32), nullable=False),
    Column("application", Text),
    Column("source", Text, nullable=False),
    Column("source_type", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("recommended_actions", Text),
    Column("educate_url", Text),
    Column("generate_alert", Boolean, nullable=False),
    Column("rbac_group_names", JSON, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_by_name", Text, nullable=False),
    Column("last_updated_by", Text),
    Column("created", BigInteger, nullable=False),
    Column("last_update", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("details", JSON, comment="what only Graph's tiIndicator says"),
    Index("ix_indicators_tenant_id_type_match_value", "tenant_id", "type", "match_value", unique=True),
    Index("ix_indicators_tenant_id_created", "tenant_id", "created", "indicator_id"),
)
