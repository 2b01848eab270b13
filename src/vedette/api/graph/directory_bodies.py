"""Request bodies of the directory. Whatever a body names and we cannot keep is refused by name."""

from typing import TypeVar

import msgspec

from vedette.api.bodies import read_json, read_object
from vedette.errors import InvalidRequestError

T = TypeVar("T", bound=msgspec.Struct)

Unset = msgspec.UnsetType
UNSET = msgspec.UNSET


class Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of bodies and of what they contain."""


class PermissionScopeBody(Body, frozen=True, kw_only=True):
    """permissionScope."""

    id: str
    value: str
    admin_consent_display_name: str | None = None
    admin_consent_description: str | None = None
    user_consent_display_name: str | None = None
    user_consent_description: str | None = None
    type: str = "User"
    is_enabled: bool = True
    origin: str | None = None


class AppRoleBody(Body, frozen=True, kw_only=True):
    """appRole."""

    id: str
    display_name: str
    value: str | None = None
    description: str | None = None
    allowed_member_types: tuple[str, ...] = ("User",)
    is_enabled: bool = True
    origin: str | None = None


class PreAuthorizedApplicationBody(Body, frozen=True, kw_only=True):
    """preAuthorizedApplication."""

    app_id: str
    delegated_permission_ids: tuple[str, ...] = ()


class ApiBody(Body, frozen=True, kw_only=True):
    """apiApplication."""

    requested_access_token_version: int | Unset | None = UNSET
    accept_mapped_claims: bool | Unset | None = UNSET
    known_client_applications: tuple[str, ...] | Unset = UNSET
    oauth2_permission_scopes: tuple[PermissionScopeBody, ...] | Unset = UNSET
    pre_authorized_applications: tuple[PreAuthorizedApplicationBody, ...] | Unset = UNSET


class ImplicitGrantBody(Body, frozen=True, kw_only=True):
    """implicitGrantSettings."""

    enable_access_token_issuance: bool | None = None
    enable_id_token_issuance: bool | None = None


class RedirectUriSettingsBody(Body, frozen=True, kw_only=True):
    """redirectUriSettings."""

    uri: str
    index: int | None = None


class WebBody(Body, frozen=True, kw_only=True):
    """webApplication."""

    home_page_url: str | Unset | None = UNSET
    logout_url: str | Unset | None = UNSET
    redirect_uris: tuple[str, ...] | Unset = UNSET
    implicit_grant_settings: ImplicitGrantBody | Unset | None = UNSET
    redirect_uri_settings: tuple[RedirectUriSettingsBody, ...] | Unset = UNSET


class RedirectUrisBody(Body, frozen=True, kw_only=True):
    """spaApplication and publicClientApplication."""

    redirect_uris: tuple[str, ...] | Unset = UNSET


class ResourceAccessBody(Body, frozen=True, kw_only=True):
    """resourceAccess."""

    id: str
    type: str


class RequiredResourceAccessBody(Body, frozen=True, kw_only=True):
    """requiredResourceAccess."""

    resource_app_id: str
    resource_access: tuple[ResourceAccessBody, ...]


class KeyCredentialBody(Body, frozen=True, kw_only=True):
    """keyCredential."""

    key: str | None = None
    key_id: str | None = None
    type: str | None = "AsymmetricX509Cert"
    usage: str | None = "Verify"
    display_name: str | None = None
    custom_key_identifier: str | None = None
    start_date_time: str | None = None
    end_date_time: str | None = None


class PasswordCredentialBody(Body, frozen=True, kw_only=True):
    """passwordCredential."""

    display_name: str | None = None
    start_date_time: str | None = None
    end_date_time: str | None = None
    custom_key_identifier: str | None = None
    key_id: str | None = None
    hint: str | None = None
    secret_text: str | None = None


class InformationalUrlBody(Body, frozen=True, kw_only=True):
    """informationalUrl."""

    logo_url: str | None = None
    marketing_url: str | None = None
    privacy_statement_url: str | None = None
    support_url: str | None = None
    terms_of_service_url: str | None = None


class OptionalClaimBody(Body, frozen=True, kw_only=True):
    """optionalClaim."""

    name: str
    source: str | None = None
    essential: bool = False
    additional_properties: tuple[str, ...] = ()


class OptionalClaimsBody(Body, frozen=True, kw_only=True):
    """optionalClaims."""

    access_token: tuple[OptionalClaimBody, ...] = ()
    id_token: tuple[OptionalClaimBody, ...] = ()
    saml2_token: tuple[OptionalClaimBody, ...] = ()


class ParentalControlBody(Body, frozen=True, kw_only=True):
    """parentalControlSettings."""

    countries_blocked_for_minors: tuple[str, ...] = ()
    legal_age_group_rule: str | None = "Allow"


class ApplicationBody(Body, frozen=True, kw_only=True):
    """application: what may be written."""

    display_name: str | Unset = UNSET
    sign_in_audience: str | Unset = UNSET
    identifier_uris: tuple[str, ...] | Unset = UNSET
    is_fallback_public_client: bool | Unset | None = UNSET
    is_disabled: bool | Unset | None = UNSET
    api: ApiBody | Unset | None = UNSET
    app_roles: tuple[AppRoleBody, ...] | Unset = UNSET
    web: WebBody | Unset | None = UNSET
    spa: RedirectUrisBody | Unset | None = UNSET
    public_client: RedirectUrisBody | Unset | None = UNSET
    required_resource_access: tuple[RequiredResourceAccessBody, ...] | Unset = UNSET
    key_credentials: tuple[KeyCredentialBody, ...] | Unset = UNSET
    password_credentials: tuple[PasswordCredentialBody, ...] | Unset = UNSET
    description: str | Unset | None = UNSET
    notes: str | Unset | None = UNSET
    tags: tuple[str, ...] | Unset = UNSET
    group_membership_claims: str | Unset | None = UNSET
    service_management_reference: str | Unset | None = UNSET
    is_device_only_auth_supported: bool | Unset | None = UNSET
    default_redirect_uri: str | Unset | None = UNSET
    unique_name: str | Unset | None = UNSET
    info: InformationalUrlBody | Unset | None = UNSET
    optional_claims: OptionalClaimsBody | Unset | None = UNSET
    parental_control_settings: ParentalControlBody | Unset | None = UNSET


class AddPasswordBody(Body, frozen=True, kw_only=True):
    """addPassword."""

    password_credential: PasswordCredentialBody | None = None


class KeyIdBody(Body, frozen=True, kw_only=True):
    """removePassword."""

    key_id: str


class AddKeyBody(Body, frozen=True, kw_only=True):
    """addKey."""

    key_credential: KeyCredentialBody
    password_credential: PasswordCredentialBody | None = None
    proof: str


class RemoveKeyBody(Body, frozen=True, kw_only=True):
    """removeKey."""

    key_id: str
    proof: str


class FederatedCredentialBody(Body, frozen=True, kw_only=True):
    """federatedIdentityCredential."""

    name: str | Unset = UNSET
    issuer: str | Unset = UNSET
    subject: str | Unset = UNSET
    audiences: tuple[str, ...] | Unset = UNSET
    description: str | Unset | None = UNSET
    id: str | Unset = UNSET


class ServicePrincipalBody(Body, frozen=True, kw_only=True):
    """servicePrincipal: what may be written."""

    key_credentials: tuple[KeyCredentialBody, ...] | Unset = UNSET
    app_id: str | Unset = UNSET
    display_name: str | Unset | None = UNSET
    account_enabled: bool | Unset | None = UNSET
    app_role_assignment_required: bool | Unset = UNSET
    description: str | Unset | None = UNSET
    notes: str | Unset | None = UNSET
    tags: tuple[str, ...] | Unset = UNSET
    login_url: str | Unset | None = UNSET
    notification_email_addresses: tuple[str, ...] | Unset = UNSET
    alternative_names: tuple[str, ...] | Unset = UNSET
    preferred_single_sign_on_mode: str | Unset | None = UNSET


class AppRoleAssignmentBody(Body, frozen=True, kw_only=True):
    """appRoleAssignment."""

    principal_id: str
    resource_id: str
    app_role_id: str


class GrantBody(Body, frozen=True, kw_only=True):
    """oAuth2PermissionGrant."""

    client_id: str
    consent_type: str
    resource_id: str
    scope: str = ""
    principal_id: str | None = None
    id: str | None = None
    start_time: str | None = None
    expiry_time: str | None = None


class GrantChange(Body, frozen=True, kw_only=True):
    """oAuth2PermissionGrant: what may be changed."""

    scope: str


class ReferenceBody(msgspec.Struct, frozen=True):
    """A reference to another object."""

    odata_id: str = msgspec.field(name="@odata.id")


def read_entity(body: bytes, type_: type[T]) -> T:
    """The body as `type_`; OData's annotations count for nothing at any depth."""
    return read_object(msgspec.json.encode(_without_annotations(read_json(body))), type_)


def read_reference(body: bytes) -> str:
    """The id at the end of a body's `@odata.id`."""
    try:
        reference = msgspec.convert(read_json(body), ReferenceBody).odata_id
    except msgspec.ValidationError as error:
        raise InvalidRequestError("MissingParameter", parameter="@odata.id") from error
    return reference.rstrip("/").rpartition("/")[2].strip("{}")


def _without_annotations(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_annotations(item) for name, item in value.items() if "@odata." not in name}
    if isinstance(value, list):
        return [_without_annotations(item) for item in value]
    return value
