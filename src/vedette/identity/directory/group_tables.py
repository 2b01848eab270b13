"""The tables of groups. Only `identity` may import this module."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKeyConstraint, Table, Text

from vedette.identity.directory.tables import TENANTS, USERS
from vedette.store.metadata import METADATA
from vedette.store.tenancy import GUID, tenant_key

GROUPS = Table(
    "groups",
    METADATA,
    tenant_key(),
    Column("id", GUID, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("properties", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    ForeignKeyConstraint(["tenant_id"], [TENANTS.c.tenant_id], ondelete="CASCADE"),
)

GROUP_MEMBERS = Table(
    "group_members",
    METADATA,
    tenant_key(),
    Column("group_id", GUID, primary_key=True),
    Column("user_id", GUID, primary_key=True),
    ForeignKeyConstraint(["tenant_id", "group_id"], [GROUPS.c.tenant_id, GROUPS.c.id], ondelete="CASCADE"),
    ForeignKeyConstraint(["tenant_id", "user_id"], [USERS.c.tenant_id, USERS.c.id], ondelete="CASCADE"),
)
