"""Alerts of an incident are found in the order of their age."""

from collections.abc import Sequence

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only."""
    name = "ix_alerts_tenant_id_incident_id"
    op.drop_index(name, table_name="alerts")
    op.create_index(name, "alerts", ["tenant_id", "incident_id", "created", "alert_id"], unique=False)
