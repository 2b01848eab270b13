"""The tables of custom roles and of who may see which device group. Only `identity` may import this module."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKeyConstraint, Index, String, Table, Text, UniqueConstraint

from vedette.identity.directory.tables import TENANTS
from vedette.store.metadata import METADATA
from vedette.store.tenancy import GUID, tenant_key

SECURITY_ROLES = Table(
    "security_roles",
    METADATA,
    tenant_key(),
    Column("id", GUID, primary_key=True),
    Column("display_name", String(256), nullable=False),
    Column("description", Text, nullable=False),
    Column("permissions", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("tenant_id", "display_name"),
    ForeignKeyConstraint(["tenant_id"], [TENANTS.c.tenant_id], ondelete="CASCADE"),
)

SECURITY_ROLE_ASSIGNMENTS = Table(
    "security_role_assignments",
    METADATA,
    tenant_key(),
    Column("id", GUID, primary_key=True),
    Column("role_id", GUID, nullable=False),
    Column("principal_id", GUID, nullable=False, comment="a user or a group"),
    Column("data_sources", JSON(none_as_null=True), comment="null: all"),
    Column("device_groups", JSON(none_as_null=True), comment="null: all"),
    Column("created_at", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "role_id"], [SECURITY_ROLES.c.tenant_id, SECURITY_ROLES.c.id], ondelete="CASCADE"
    ),
    Index("ix_security_role_assignments_tenant_id_principal_id", "tenant_id", "principal_id"),
)

# A group of people that is deleted stays named here: a device group does not open to everybody by that.
DEVICE_GROUP_ACCESS = Table(
    "device_group_access",
    METADATA,
    tenant_key(),
    Column("device_group_id", BigInteger, primary_key=True, autoincrement=False),
    Column("group_id", GUID, primary_key=True),
    ForeignKeyConstraint(["tenant_id"], [TENANTS.c.tenant_id], ondelete="CASCADE"),
)
