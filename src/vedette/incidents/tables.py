"""Tables of incidents, alerts and their evidence. Times are ticks (see `clock`); enums are in Graph's spelling.

Every change of an incident or an alert has a number, counted per tenant in the order of commits. The tables of changes
keep what the row was after each: they are the activity log, and what lists are paged by while rows change underneath.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKeyConstraint, Index, Integer, String, Table, Text

from vedette.store.metadata import METADATA
from vedette.store.tenancy import tenant_key

INCIDENT_COUNTERS = Table(
    "incident_counters",
    METADATA,
    tenant_key(),
    Column("last_incident_id", BigInteger, nullable=False),
    Column("last_change", BigInteger, nullable=False, server_default="0"),
)

INCIDENTS = Table(
    "incidents",
    METADATA,
    tenant_key(),
    Column("incident_id", BigInteger, primary_key=True, autoincrement=False),
    Column("display_name", Text, nullable=False),
    Column("is_renamed", Boolean, nullable=False),
    Column("status", String(32), nullable=False),
    Column("severity", String(32), nullable=False),
    Column("classification", String(64), nullable=False),
    Column("determination", String(64), nullable=False),
    Column("assigned_to", Text),
    Column("created", BigInteger, nullable=False),
    Column("last_update", BigInteger, nullable=False),
    Column("last_modified_by", Text),
    Column("redirect_incident_id", BigInteger),
    Column("custom_tags", JSON, nullable=False),
    Column("system_tags", JSON, nullable=False),
    Column("details", JSON, nullable=False),
    Column("change_number", BigInteger, nullable=False, server_default="0"),
    Index("ix_incidents_tenant_id_change_number", "tenant_id", "change_number"),
    Index("ix_incidents_tenant_id_created", "tenant_id", "created", "incident_id"),
    Index("ix_incidents_tenant_id_last_update", "tenant_id", "last_update", "incident_id"),
)

INCIDENT_COMMENTS = Table(
    "incident_comments",
    METADATA,
    tenant_key(),
    Column("incident_id", BigInteger, primary_key=True, autoincrement=False),
    Column("created", BigInteger, primary_key=True, autoincrement=False),
    Column("comment", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    ForeignKeyConstraint(["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.incident_id"]),
)

ALERTS = Table(
    "alerts",
    METADATA,
    tenant_key(),
    Column("alert_id", String(64), primary_key=True),
    Column("incident_id", BigInteger, nullable=False),
    Column("source_key", String(200)),
    Column("title", Text, nullable=False),
    Column("severity", String(32), nullable=False),
    Column("status", String(32), nullable=False),
    Column("category", String(64), nullable=False),
    Column("classification", String(64), nullable=False),
    Column("determination", String(64), nullable=False),
    Column("assigned_to", Text),
    Column("service_source", String(64), nullable=False),
    Column("detection_source", String(64), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("last_update", BigInteger, nullable=False),
    Column("first_activity", BigInteger, nullable=False),
    Column("last_activity", BigInteger, nullable=False),
    Column("resolved", BigInteger),
    Column("details", JSON, nullable=False),
    Column("change_number", BigInteger, nullable=False, server_default="0"),
    ForeignKeyConstraint(["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.incident_id"]),
    Index("ix_alerts_tenant_id_change_number", "tenant_id", "change_number"),
    # With their order: else SQLite may read every alert of the tenant along the index of ages to find those of one.
    Index("ix_alerts_tenant_id_incident_id", "tenant_id", "incident_id", "created", "alert_id"),
    Index("ix_alerts_tenant_id_created", "tenant_id", "created", "alert_id"),
    Index("ix_alerts_tenant_id_last_update", "tenant_id", "last_update", "alert_id"),
    # NULLs never collide: an alert without a key is never a repetition.
    Index("ix_alerts_tenant_id_source_key", "tenant_id", "source_key", unique=True),
)

ALERT_COMMENTS = Table(
    "alert_comments",
    METADATA,
    tenant_key(),
    Column("alert_id", String(64), primary_key=True),
    Column("created", BigInteger, primary_key=True, autoincrement=False),
    Column("comment", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    ForeignKeyConstraint(["tenant_id", "alert_id"], ["alerts.tenant_id", "alerts.alert_id"]),
)

ALERT_EVIDENCE = Table(
    "alert_evidence",
    METADATA,
    tenant_key(),
    Column("alert_id", String(64), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("entity", Text, nullable=False),
    ForeignKeyConstraint(["tenant_id", "alert_id"], ["alerts.tenant_id", "alerts.alert_id"]),
)

ALERT_DEVICES = Table(
    "alert_devices",
    METADATA,
    tenant_key(),
    Column("alert_id", String(64), primary_key=True),
    Column("device_id", String(400), primary_key=True, comment="in lower case"),
    ForeignKeyConstraint(["tenant_id", "alert_id"], ["alerts.tenant_id", "alerts.alert_id"]),
    Index("ix_alert_devices_tenant_id_device_id", "tenant_id", "device_id"),
)
"""Every device that an alert's evidence names."""

ALERT_LINKS = Table(
    "alert_links",
    METADATA,
    tenant_key(),
    Column("kind", String(16), primary_key=True),
    Column("value", String(400), primary_key=True),
    Column("alert_id", String(64), primary_key=True),
    # The alert's, said again: without it SQLite reads every link of the tenant to find those of one incident.
    Column("incident_id", BigInteger, nullable=False),
    ForeignKeyConstraint(["tenant_id", "alert_id"], ["alerts.tenant_id", "alerts.alert_id"]),
    Index("ix_alert_links_tenant_id_incident_id", "tenant_id", "incident_id", "kind", "value"),
)

INCIDENT_CHANGES = Table(
    "incident_changes",
    METADATA,
    tenant_key(),
    Column("incident_id", BigInteger, primary_key=True, autoincrement=False),
    Column("change_number", BigInteger, primary_key=True, autoincrement=False),
    Column("activity", String(32), nullable=False),
    Column("actor", Text, nullable=False),
    Column("via", String(32), comment="the surface that was used; null: none, the server itself"),
    Column("facts", JSON, nullable=False),
    Column("last_update", BigInteger, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("status", String(32), nullable=False),
    Column("severity", String(32), nullable=False),
    Column("classification", String(64), nullable=False),
    Column("determination", String(64), nullable=False),
    Column("assigned_to", Text),
    Column("redirect_incident_id", BigInteger),
    ForeignKeyConstraint(["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.incident_id"]),
)

ALERT_CHANGES = Table(
    "alert_changes",
    METADATA,
    tenant_key(),
    Column("alert_id", String(64), primary_key=True),
    Column("change_number", BigInteger, primary_key=True, autoincrement=False),
    Column("activity", String(32), nullable=False),
    Column("actor", Text, nullable=False),
    Column("via", String(32), comment="the surface that was used; null: none, the server itself"),
    Column("facts", JSON, nullable=False),
    Column("last_update", BigInteger, nullable=False),
    Column("incident_id", BigInteger, nullable=False),
    Column("status", String(32), nullable=False),
    Column("classification", String(64), nullable=False),
    Column("determination", String(64), nullable=False),
    Column("assigned_to", Text),
    Column("resolved", BigInteger),
    ForeignKeyConstraint(["tenant_id", "alert_id"], ["alerts.tenant_id", "alerts.alert_id"]),
)
