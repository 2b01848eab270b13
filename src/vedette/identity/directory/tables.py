"""The directory's tables. Times are Unix seconds. Only `identity` may import this module."""

from sqlalchemy import (
    JSON,
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
)

from vedette.store.metadata import METADATA
from vedette.store.tenancy import GUID, tenant_key


def _of_application() -> ForeignKeyConstraint:
    columns = ["tenant_id", "application_id"]
    return ForeignKeyConstraint(columns, ["applications.tenant_id", "applications.id"], ondelete="CASCADE")


def _of_tenant() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], ondelete="CASCADE")


def _of_service_principal(column: str) -> ForeignKeyConstraint:
    columns = ["tenant_id", column]
    return ForeignKeyConstraint(columns, ["service_principals.tenant_id", "service_principals.id"], ondelete="CASCADE")


TENANTS = Table(
    "tenants",
    METADATA,
    tenant_key(),
    Column("display_name", Text, nullable=False),
    Column("is_home", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("tokens_valid_from", BigInteger, nullable=False),
)

DOMAINS = Table(
    "tenant_domains",
    METADATA,
    tenant_key(),
    Column("name", String(255), primary_key=True),
    Column("is_initial", Boolean, nullable=False),
    UniqueConstraint("name"),
    _of_tenant(),
)

APPLICATIONS = Table(
    "applications",
    METADATA,
    tenant_key(),
    Column("id", GUID, primary_key=True),
    Column("app_id", GUID, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("sign_in_audience", String(64), nullable=False),
    Column("is_fallback_public_client", Boolean, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("requested_token_version", Integer),
    Column("identifier_uris", JSON, nullable=False),
    Column("redirect_uris", JSON, nullable=False),
    Column("properties", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("app_id"),
    _of_tenant(),
)

APP_ROLES = Table(
    "app_roles",
    METADATA,
    tenant_key(),
    Column("application_id", GUID, primary_key=True),
    Column("id", GUID, primary_key=True),
    Column("value", String(255), nullable=False),
    Column("display_name", Text, nullable=False),
    Column("allowed_member_types", JSON, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    _of_application(),
)

PERMISSION_SCOPES = Table(
    "permission_scopes",
    METADATA,
    tenant_key(),
    Column("application_id", GUID, primary_key=True),
    Column("id", GUID, primary_key=True),
    Column("value", String(255), nullable=False),
    Column("admin_consent_display_name", Text, nullable=False),
    Column("admin_only", Boolean, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    _of_application(),
)

REQUIRED_RESOURCE_ACCESS = Table(
    "required_resource_access",
    METADATA,
    tenant_key(),
    Column("application_id", GUID, primary_key=True),
    Column("resource_app_id", GUID, primary_key=True),
    Column("permission_id", GUID, primary_key=True),
    Column("type", String(8), primary_key=True),
    _of_application(),
)

PASSWORD_CREDENTIALS = Table(
    "password_credentials",
    METADATA,
    tenant_key(),
    Column("application_id", GUID, primary_key=True),
    Column("key_id", GUID, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("hint", String(3), nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    _of_application(),
)

KEY_CREDENTIALS = Table(
    "key_credentials",
    METADATA,
    tenant_key(),
    Column("application_id", GUID, primary_key=True),
    Column("key_id", GUID, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("sha1_thumbprint", String(64), nullable=False),
    Column("sha256_thumbprint", String(64), nullable=False),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    _of_application(),
)

SERVICE_PRINCIPALS = Table(
    "service_principals",
    METADATA,
    tenant_key(),
    Column("id", GUID, primary_key=True),
    Column("app_id", GUID, nullable=False),
    Column("app_owner_tenant_id", GUID, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("account_enabled", Boolean, nullable=False),
    Column("app_role_assignment_required", Boolean, nullable=False),
    Column("properties", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("tenant_id", "app_id"),
    _of_tenant(),
)

SERVICE_PRINCIPAL_NAMES = Table(
    "service_principal_names",
    METADATA,
    tenant_key(),
    Column("name", String(255), primary_key=True),
    Column("service_principal_id", GUID, nullable=False),
    _of_service_principal("service_principal_id"),
)

APP_ROLE_ASSIGNMENTS = Table(
    "app_role_assignments",
    METADATA,
    tenant_key(),
    Column("id", GUID, primary_key=True),
    Column("principal_id", GUID, nullable=False),
    Column("principal_type", String(16), nullable=False),
    Column("resource_id", GUID, nullable=False),
    Column("app_role_id", GUID, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("tenant_id", "principal_id", "resource_id", "app_role_id"),
    _of_service_principal("resource_id"),
)

OAUTH2_PERMISSION_GRANTS = Table(
    "oauth2_permission_grants",
    METADATA,
    tenant_key(),
    Column("id", GUID, primary_key=True),
    Column("client_id", GUID, nullable=False),
    Column("consent_type", String(16), nullable=False),
    Column("principal_id", GUID),
    Column("resource_id", GUID, nullable=False),
    Column("scope", Text, nullable=False),
    Index("ix_oauth2_permission_grants_client", "tenant_id", "client_id", "resource_id"),
    _of_service_principal("client_id"),
    _of_service_principal("resource_id"),
)

USERS = Table(
    "users",
    METADATA,
    tenant_key(),
    Column("id", GUID, primary_key=True),
    Column("user_principal_name", String(255), nullable=False),
    Column("display_name", Text, nullable=False),
    Column("account_enabled", Boolean, nullable=False),
    Column("password_hash", Text),
    Column("tokens_valid_from", BigInteger, nullable=False),
    Column("properties", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("user_principal_name"),
    _of_tenant(),
)

DIRECTORY_ROLE_ASSIGNMENTS = Table(
    "directory_role_assignments",
    METADATA,
    tenant_key(),
    Column("user_id", GUID, primary_key=True),
    Column("role_template_id", GUID, primary_key=True),
    ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"], ondelete="CASCADE"),
)

ACCOUNT_POLICIES = Table(
    "account_policies",
    METADATA,
    tenant_key(),
    Column("user_id", GUID, primary_key=True),
    Column("must_change_password", Boolean, nullable=False),
    Column("second_factor_required", Boolean, nullable=False),
    ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"], ondelete="CASCADE"),
)
"""What an account must do before it is let in. No row: nothing beyond its password."""

SECOND_FACTORS = Table(
    "second_factors",
    METADATA,
    tenant_key(),
    Column("user_id", GUID, primary_key=True),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("enrolled_at", BigInteger, nullable=False),
    ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"], ondelete="CASCADE"),
)
"""`last_step` is the time step of the newest code that was taken: no code is taken twice."""

FEDERATED_CREDENTIALS = Table(
    "federated_credentials",
    METADATA,
    tenant_key(),
    Column("application_id", GUID, primary_key=True),
    Column("id", GUID, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("audiences", JSON, nullable=False),
    UniqueConstraint("tenant_id", "application_id", "name"),
    _of_application(),
)

SIGNING_KEYS = Table(
    "signing_keys",
    METADATA,
    tenant_key(),
    Column("kid", String(64), primary_key=True),
    Column("certificate", LargeBinary, nullable=False),
    Column("sealed_private_key", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("verify_until", BigInteger),
    _of_tenant(),
)
"""`verify_until` is empty for the key that signs; a key that was rotated out verifies until then."""
