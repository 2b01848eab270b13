"""Device groups with rules and user access, custom roles, and the devices of alerts."""

import json
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only."""
    _roles()
    _device_groups()
    _alert_devices()


def _roles() -> None:
    op.create_table(
        "security_roles",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("display_name", sa.String(length=256), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.tenant_id"], name=op.f("fk_security_roles_tenant_id_tenants"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_security_roles")),
        sa.UniqueConstraint("tenant_id", "display_name", name=op.f("uq_security_roles_tenant_id")),
    )
    op.create_table(
        "security_role_assignments",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("role_id", sa.String(length=36), nullable=False),
        sa.Column("principal_id", sa.String(length=36), nullable=False, comment="a user or a group"),
        sa.Column("data_sources", sa.JSON(none_as_null=True), nullable=True, comment="null: all"),
        sa.Column("device_groups", sa.JSON(none_as_null=True), nullable=True, comment="null: all"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "role_id"],
            ["security_roles.tenant_id", "security_roles.id"],
            name=op.f("fk_security_role_assignments_tenant_id_security_roles"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_security_role_assignments")),
    )
    with op.batch_alter_table("security_role_assignments", schema=None) as batch_op:
        batch_op.create_index(
            "ix_security_role_assignments_tenant_id_principal_id", ["tenant_id", "principal_id"], unique=False
        )
    op.create_table(
        "device_group_access",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("device_group_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("group_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.tenant_id"],
            name=op.f("fk_device_group_access_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "device_group_id", "group_id", name=op.f("pk_device_group_access")),
    )


def _device_groups() -> None:
    with op.batch_alter_table("machine_groups", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rank", sa.BigInteger(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("description", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("remediation_level", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("conditions", sa.JSON(), server_default="[]", nullable=False))
    with op.batch_alter_table("machines", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "reported_group", sa.Text(), nullable=True, comment="the group that the newest inventory record names"
            )
        )
    # Groups were known from inventory records alone until now: they go on matching by these.
    machines = sa.table("machines", sa.column("rbac_group_name"), sa.column("reported_group"))
    op.execute(machines.update().values(reported_group=machines.c.rbac_group_name))
    groups = sa.table(
        "machine_groups",
        sa.column("tenant_id"),
        sa.column("name"),
        sa.column("group_id", sa.BigInteger()),
        sa.column("rank", sa.BigInteger()),
        sa.column("conditions", sa.JSON()),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(groups.c.tenant_id, groups.c.name, groups.c.group_id)).all():
        condition = {"property": "reportedGroup", "operator": "equals", "values": [row.name]}
        own = groups.update().where(groups.c.tenant_id == row.tenant_id, groups.c.name == row.name)
        connection.execute(own.values(rank=row.group_id, conditions=[condition]))


def _alert_devices() -> None:
    op.create_table(
        "alert_devices",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("alert_id", sa.String(length=64), nullable=False),
        sa.Column("device_id", sa.String(length=400), nullable=False, comment="in lower case"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "alert_id"],
            ["alerts.tenant_id", "alerts.alert_id"],
            name=op.f("fk_alert_devices_tenant_id_alerts"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "alert_id", "device_id", name=op.f("pk_alert_devices")),
    )
    with op.batch_alter_table("alert_devices", schema=None) as batch_op:
        batch_op.create_index("ix_alert_devices_tenant_id_device_id", ["tenant_id", "device_id"], unique=False)
    evidence = sa.table(
        "alert_evidence",
        sa.column("tenant_id"),
        sa.column("alert_id"),
        sa.column("entity", sa.Text()),
    )
    devices = sa.table("alert_devices", sa.column("tenant_id"), sa.column("alert_id"), sa.column("device_id"))
    connection = op.get_bind()
    named = {
        (row.tenant_id, row.alert_id, device_id.lower()[:400])
        for row in connection.execute(sa.select(evidence))
        if (device_id := json.loads(row.entity).get("device_id"))
    }
    names = ("tenant_id", "alert_id", "device_id")
    if named:
        connection.execute(devices.insert(), [dict(zip(names, row, strict=True)) for row in sorted(named)])
