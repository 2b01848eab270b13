"""Activity logs say over which surface each change was made."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only."""
    for table in ("incident_changes", "alert_changes"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(
                sa.Column(
                    "via",
                    sa.String(length=32),
                    nullable=True,
                    comment="the surface that was used; null: none, the server itself",
                )
            )
