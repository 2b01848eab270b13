"""Numbered changes of incidents and alerts: the activity log, and what stable paging reads."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What was there before has no history: its present state is its change number 0.
_INCIDENTS_AS_THEY_ARE = """
INSERT INTO incident_changes (tenant_id, incident_id, change_number, activity, actor, facts, last_update, display_name,
  status, severity, classification, determination, assigned_to, redirect_incident_id)
SELECT tenant_id, incident_id, 0, 'created', '', '{}', last_update, display_name,
  status, severity, classification, determination, assigned_to, redirect_incident_id
FROM incidents
"""
_ALERTS_AS_THEY_ARE = """
INSERT INTO alert_changes (tenant_id, alert_id, change_number, activity, actor, facts, last_update, incident_id,
  status, classification, determination, assigned_to, resolved)
SELECT tenant_id, alert_id, 0, 'created', '', '{}', last_update, incident_id,
  status, classification, determination, assigned_to, resolved
FROM alerts
"""


def upgrade() -> None:
    """Forward only."""
    _count_changes("incident_counters", "last_change")
    for table in ("incidents", "alerts"):
        _count_changes(table, "change_number")
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.create_index(f"ix_{table}_tenant_id_change_number", ["tenant_id", "change_number"], unique=False)
    op.create_table(
        "incident_changes",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("activity", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("last_update", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.String(length=32), nullable=False),
        sa.Column("classification", sa.String(length=64), nullable=False),
        sa.Column("determination", sa.String(length=64), nullable=False),
        sa.Column("assigned_to", sa.Text(), nullable=True),
        sa.Column("redirect_incident_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.incident_id"],
            name=op.f("fk_incident_changes_tenant_id_incidents"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "incident_id", "change_number", name=op.f("pk_incident_changes")),
    )
    op.create_table(
        "alert_changes",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("alert_id", sa.String(length=64), nullable=False),
        sa.Column("change_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("activity", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("last_update", sa.BigInteger(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("classification", sa.String(length=64), nullable=False),
        sa.Column("determination", sa.String(length=64), nullable=False),
        sa.Column("assigned_to", sa.Text(), nullable=True),
        sa.Column("resolved", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "alert_id"],
            ["alerts.tenant_id", "alerts.alert_id"],
            name=op.f("fk_alert_changes_tenant_id_alerts"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "alert_id", "change_number", name=op.f("pk_alert_changes")),
    )
    op.execute(_INCIDENTS_AS_THEY_ARE)
    op.execute(_ALERTS_AS_THEY_ARE)


def _count_changes(table: str, column: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.add_column(sa.Column(column, sa.BigInteger(), server_default="0", nullable=False))
