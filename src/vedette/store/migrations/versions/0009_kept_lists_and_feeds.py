"""Kept lists, remediation tasks, feeds, states of score controls; encrypted notifications, Graph's indicators."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only."""
    op.create_table(
        "kept_lists",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("list_id", sa.String(length=36), nullable=False),
        sa.Column("page", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("keys", sa.JSON(), nullable=False),
        sa.Column("is_last", sa.Boolean(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "list_id", "page", name=op.f("pk_kept_lists")),
    )
    with op.batch_alter_table("kept_lists", schema=None) as batch_op:
        batch_op.create_index("ix_kept_lists_expires", ["expires"], unique=False)
    op.create_table(
        "remediation_tasks",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("task_id", sa.String(length=36), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False, comment="what the task was asked for with"),
        sa.Column(
            "machine_ids", sa.JSON(), nullable=False, comment="the machines that were exposed when it was asked for"
        ),
        sa.Column("completed", sa.BigInteger(), nullable=True),
        sa.Column(
            "completer", sa.JSON(), nullable=True, comment="who marked it as completed; null: all machines were mended"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "task_id", name=op.f("pk_remediation_tasks")),
    )
    with op.batch_alter_table("remediation_tasks", schema=None) as batch_op:
        batch_op.create_index(
            "ix_remediation_tasks_tenant_id_created", ["tenant_id", "created", "task_id"], unique=False
        )
    op.create_table(
        "feed_resources",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("collection", sa.String(length=64), nullable=False),
        sa.Column("resource_id", sa.String(length=200), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False, comment="ids of what it belongs to, by navigation property"),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("last_update", sa.BigInteger(), nullable=False),
        sa.Column("last_modified_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "collection", "resource_id", name=op.f("pk_feed_resources")),
    )
    op.create_table(
        "score_control_updates",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("control_id", sa.String(length=200), nullable=False),
        sa.Column("updated", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("assigned_to", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "control_id", "updated", name=op.f("pk_score_control_updates")),
    )
    with op.batch_alter_table("indicators", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("details", sa.JSON(), nullable=True, comment="what only Graph's tiIndicator says")
        )
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("encryption_certificate", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("encryption_certificate_id", sa.String(length=128), nullable=True))
