"""Subscriptions keep the version of TLS that was said, and the application that validation tokens are for."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only."""
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tls_version", sa.String(length=8), server_default="v1_2", nullable=False))
        batch_op.add_column(sa.Column("notification_url_app_id", sa.String(length=36), nullable=True))
