"""Detection rules that tenants make, and subscriptions to changes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only."""
    op.create_table(
        "detection_rules",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("rule_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.BigInteger(), nullable=False),
        sa.Column("last_modified_by", sa.Text(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("query_columns", sa.JSON(), nullable=True, comment="null: known only when the query runs"),
        sa.PrimaryKeyConstraint("tenant_id", "rule_id", name=op.f("pk_detection_rules")),
        sa.UniqueConstraint("tenant_id", "display_name", name=op.f("uq_detection_rules_tenant_id")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_detection_rules_tenant_id_key")),
    )
    op.create_table(
        "subscriptions",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("subscription_id", sa.String(length=36), nullable=False),
        sa.Column("application_id", sa.String(length=36), nullable=False),
        sa.Column("creator_id", sa.String(length=64), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("change_types", sa.String(length=64), nullable=False),
        sa.Column("notification_url", sa.Text(), nullable=False),
        sa.Column("lifecycle_url", sa.Text(), nullable=True),
        sa.Column("client_state", sa.LargeBinary(), nullable=True, comment="sealed"),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "subscription_id", name=op.f("pk_subscriptions")),
    )
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.create_index("ix_subscriptions_expires", ["expires"], unique=False)
