"""What sign-in keeps: who is signed in, in which browser. Times are Unix seconds."""

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, LargeBinary, String, Table

from vedette.identity.directory import tables as directory
from vedette.store.metadata import METADATA
from vedette.store.tenancy import GUID, tenant_key

BROWSER_SESSIONS = Table(
    "browser_sessions",
    METADATA,
    tenant_key(),
    Column("browser_hash", LargeBinary, primary_key=True),
    Column("user_id", GUID, primary_key=True),
    Column("methods", String(64), nullable=False),
    Column("signed_in_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_browser_sessions_browser", "browser_hash"),
    ForeignKeyConstraint(
        ["tenant_id", "user_id"], [directory.USERS.c.tenant_id, directory.USERS.c.id], ondelete="CASCADE"
    ),
)
"""One row an account and browser. The browser is known by the keyed hash of its cookie."""
