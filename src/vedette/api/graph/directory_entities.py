"""Objects of the directory in Graph's shape."""

import base64
import datetime
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from vedette.identity.directory import credentials as credential_domain
from vedette.identity.directory import exposed_permissions as permission_domain
from vedette.identity.directory import service_principals as principal_domain
from vedette.identity.directory.applications import ResourceAccess as ConfiguredAccess


class Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of Graph's objects."""


class PasswordCredential(Wire, frozen=True, kw_only=True):
    """passwordCredential."""

    custom_key_identifier: str | None = None
    display_name: str | None
    end_date_time: str
    hint: str
    key_id: str
    secret_text: str | None = None
    start_date_time: str


class KeyCredential(Wire, frozen=True, kw_only=True):
    """keyCredential."""

    custom_key_identifier: str | None
    display_name: str | None
    end_date_time: str
    key: str | None = None
    key_id: str
    start_date_time: str
    type: str = "AsymmetricX509Cert"
    usage: str = "Verify"


class AppRole(Wire, frozen=True, kw_only=True):
    """appRole."""

    allowed_member_types: list[str]
    description: str | None
    display_name: str
    id: str
    is_enabled: bool = True
    origin: str = "Application"
    value: str | None


class PermissionScope(Wire, frozen=True, kw_only=True):
    """permissionScope."""

    admin_consent_description: str | None
    admin_consent_display_name: str | None
    id: str
    is_enabled: bool = True
    type: str
    user_consent_description: str | None = None
    user_consent_display_name: str | None = None
    value: str


class ResourceAccess(Wire, frozen=True, kw_only=True):
    """resourceAccess."""

    id: str
    type: str


class RequiredResourceAccess(Wire, frozen=True, kw_only=True):
    """requiredResourceAccess."""

    resource_app_id: str
    resource_access: list[ResourceAccess]


class ApiApplication(Wire, frozen=True, kw_only=True):
    """apiApplication."""

    accept_mapped_claims: bool | None
    known_client_applications: list[str]
    requested_access_token_version: int | None
    oauth2_permission_scopes: list[PermissionScope]
    pre_authorized_applications: list[Any]


class RedirectUriSettings(Wire, frozen=True, kw_only=True):
    """redirectUriSettings."""

    uri: str
    index: int | None = None


class ImplicitGrantSettings(Wire, frozen=True, kw_only=True):
    """implicitGrantSettings."""

    enable_access_token_issuance: bool
    enable_id_token_issuance: bool


class WebApplication(Wire, frozen=True, kw_only=True):
    """webApplication."""

    home_page_url: str | None
    logout_url: str | None
    redirect_uris: list[str]
    implicit_grant_settings: ImplicitGrantSettings
    redirect_uri_settings: list[RedirectUriSettings]


class RedirectUriList(Wire, frozen=True, kw_only=True):
    """spaApplication and publicClientApplication."""

    redirect_uris: list[str]


class VerifiedPublisher(Wire, frozen=True, kw_only=True):
    """verifiedPublisher: nobody verifies publishers here."""

    display_name: None = None
    verified_publisher_id: None = None
    added_date_time: None = None


class ParentalControlSettings(Wire, frozen=True, kw_only=True):
    """parentalControlSettings."""

    countries_blocked_for_minors: list[str] = []
    legal_age_group_rule: str = "Allow"


class InformationalUrl(Wire, frozen=True, kw_only=True):
    """informationalUrl."""

    logo_url: str | None = None
    marketing_url: str | None = None
    privacy_statement_url: str | None = None
    support_url: str | None = None
    terms_of_service_url: str | None = None


class AppRoleAssignment(Wire, frozen=True, kw_only=True):
    """appRoleAssignment."""

    id: str
    deleted_date_time: None = None
    app_role_id: str
    created_date_time: str
    principal_display_name: str | None
    principal_id: str
    principal_type: str
    resource_display_name: str | None
    resource_id: str


class OAuth2PermissionGrant(Wire, frozen=True, kw_only=True):
    """oAuth2PermissionGrant."""

    id: str
    client_id: str
    consent_type: str
    principal_id: str | None
    resource_id: str
    scope: str


def wire_time(seconds: float) -> str:
    """ISO 8601 in UTC."""
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def to_password(credential: credential_domain.PasswordCredential, secret: str | None = None) -> PasswordCredential:
    """A client secret; its value only at the moment it is made."""
    return PasswordCredential(
        display_name=credential.display_name or None,
        end_date_time=wire_time(credential.end_at),
        hint=credential.hint,
        key_id=credential.key_id,
        secret_text=secret,
        start_date_time=wire_time(credential.start_at),
    )


def to_key(credential: credential_domain.KeyCredential) -> KeyCredential:
    """A certificate, without its bytes: the service shows them only to those who select them."""
    return KeyCredential(
        custom_key_identifier=_hexadecimal(credential.sha1_thumbprint),
        display_name=credential.display_name or None,
        end_date_time=wire_time(credential.end_at),
        key_id=credential.key_id,
        start_date_time=wire_time(credential.start_at),
    )


def _hexadecimal(thumbprint: str) -> str:
    return base64.urlsafe_b64decode(thumbprint + "=" * (-len(thumbprint) % 4)).hex().upper()


def to_app_role(role: permission_domain.AppRole, texts: Mapping[str, Any]) -> AppRole:
    """An app role; `texts` are its wire-only texts."""
    return AppRole(
        allowed_member_types=list(role.allowed_member_types),
        description=texts.get("description", role.display_name),
        display_name=role.display_name,
        id=role.id,
        is_enabled=role.is_enabled,
        value=role.value or None,
    )


def to_scope(scope: permission_domain.PermissionScope, texts: Mapping[str, Any]) -> PermissionScope:
    """A delegated permission; `texts` are its wire-only texts."""
    return PermissionScope(
        admin_consent_description=texts.get("adminConsentDescription", scope.display_name),
        admin_consent_display_name=scope.display_name,
        id=scope.id,
        is_enabled=scope.is_enabled,
        type="Admin" if scope.admin_only else "User",
        user_consent_description=texts.get("userConsentDescription"),
        user_consent_display_name=texts.get("userConsentDisplayName"),
        value=scope.value,
    )


def to_required(accesses: Iterable[ConfiguredAccess]) -> list[RequiredResourceAccess]:
    """Configured permissions, by resource."""
    by_resource: dict[str, list[ResourceAccess]] = {}
    for access in accesses:
        one = ResourceAccess(id=access.permission_id, type=access.type)
        by_resource.setdefault(access.resource_app_id, []).append(one)
    return [
        RequiredResourceAccess(resource_app_id=app_id, resource_access=accesses)
        for app_id, accesses in by_resource.items()
    ]


def to_grant(grant: principal_domain.OAuth2PermissionGrant) -> OAuth2PermissionGrant:
    """A delegated permission grant."""
    return OAuth2PermissionGrant(
        id=grant.id,
        client_id=grant.client_id,
        consent_type=grant.consent_type,
        principal_id=grant.principal_id,
        resource_id=grant.resource_id,
        scope=" ".join(sorted(grant.scopes)),
    )
