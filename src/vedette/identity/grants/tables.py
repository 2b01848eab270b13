"""What grants keep between two requests. Codes and tokens are stored only as keyed hashes. Times are Unix seconds."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from vedette.identity.directory import tables as directory
from vedette.store.metadata import METADATA
from vedette.store.tenancy import GUID, tenant_key

USERS = directory.USERS


def _of_user() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id", "user_id"], [USERS.c.tenant_id, USERS.c.id], ondelete="CASCADE")


AUTHORIZATION_CODES = Table(
    "authorization_codes",
    METADATA,
    tenant_key(),
    Column("code_hash", LargeBinary, primary_key=True),
    Column("family", GUID, nullable=False),
    Column("app_id", GUID, nullable=False),
    Column("user_id", GUID, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("nonce", Text),
    Column("code_challenge", String(128)),
    Column("code_challenge_method", String(8)),
    Column("methods", String(64), nullable=False, server_default="pwd"),
    Column("is_single_page", Boolean, nullable=False, server_default=false()),
    Column("issued_at", BigInteger, nullable=False),
    Column("redeemed_at", BigInteger),
    Index("ix_authorization_codes_hash", "code_hash"),
    _of_user(),
)

REFRESH_TOKENS = Table(
    "refresh_tokens",
    METADATA,
    tenant_key(),
    Column("token_hash", LargeBinary, primary_key=True),
    Column("family", GUID, nullable=False),
    Column("app_id", GUID, nullable=False),
    Column("user_id", GUID, nullable=False),
    Column("scope", Text, nullable=False),
    Column("methods", String(64), nullable=False, server_default="pwd"),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Index("ix_refresh_tokens_hash", "token_hash"),
    Index("ix_refresh_tokens_family", "tenant_id", "family"),
    _of_user(),
)
"""`family` is what one sign-in led to: revoked together. `expires_at` is set where use does not prolong it."""

DEVICE_CODES = Table(
    "device_codes",
    METADATA,
    tenant_key(),
    Column("code_hash", LargeBinary, primary_key=True),
    Column("user_code", String(9), nullable=False),
    Column("app_id", GUID, nullable=False),
    Column("scope", Text, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("user_tenant_id", GUID),
    Column("user_id", GUID),
    Column("methods", String(64), nullable=False, server_default="pwd"),
    Column("declined_at", BigInteger),
    Column("redeemed_at", BigInteger),
    Index("ix_device_codes_hash", "code_hash"),
    UniqueConstraint("user_code"),
    ForeignKeyConstraint(["tenant_id"], [directory.TENANTS.c.tenant_id], ondelete="CASCADE"),
)
"""`tenant_id` is the client's home: who will sign in, and where, is known only when they have."""

SIGN_IN_FAILURES = Table(
    "sign_in_failures",
    METADATA,
    tenant_key(),
    Column("user_id", GUID, primary_key=True),
    Column("address", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    _of_user(),
)

ADDRESS_FAILURES = Table(
    "address_failures",
    METADATA,
    tenant_key(),
    Column("address", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    ForeignKeyConstraint(["tenant_id"], [directory.TENANTS.c.tenant_id], ondelete="CASCADE"),
)
"""Wrong passwords from one address, whichever account they were for."""
