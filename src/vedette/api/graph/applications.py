"""Graph's applications: list, get, create, update, delete."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, true

from vedette.api.graph import directory_entities as wire
from vedette.api.graph.authors import change_log
from vedette.api.graph.directory_answers import (
    directory_rules,
    entity_answer,
    list_answer,
    members_of,
    no_content,
    unix_property,
    whole_list_answer,
)
from vedette.api.graph.directory_bodies import (
    ApiBody,
    ApplicationBody,
    AppRoleBody,
    KeyCredentialBody,
    PermissionScopeBody,
    RedirectUrisBody,
    RequiredResourceAccessBody,
    WebBody,
    read_entity,
)
from vedette.api.http import ApiRequest, ApiResponse
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError, PermissionDeniedError
from vedette.identity.directory.applications import (
    APPLICATION_FIELDS,
    DELETED_AT,
    IDENTIFIER_URI_ROWS,
    Application,
    Applications,
    ImplicitGrant,
    RedirectUris,
    ResourceAccess,
    SignInAudience,
)
from vedette.identity.directory.credentials import KeyCredentials, PasswordCredentials
from vedette.identity.directory.exposed_permissions import AppRole, ExposedPermissions, PermissionScope
from vedette.identity.directory.service_principals import ServicePrincipals
from vedette.identity.directory.users import Users
from vedette.identity.errors import ObjectNotFoundError
from vedette.identity.registrations import NewCertificate, Registrations, read_certificate
from vedette.identity.services import IdentityServices
from vedette.ids import is_guid
from vedette.odata.sql import CollectionProperty, Property

COLLECTION = "applications"
CREATED_BY, OWNERS = "createdByAppId", "owners"
SCOPE_TEXTS, ROLE_TEXTS = "scopeTexts", "roleTexts"
OWNED_ONLY = "Application.ReadWrite.OwnedBy"
WIRE_ONLY = (
    "description",
    "notes",
    "tags",
    "group_membership_claims",
    "service_management_reference",
    "is_device_only_auth_supported",
    "default_redirect_uri",
    "unique_name",
    "info",
    "optional_claims",
    "parental_control_settings",
)
"""Fields of the body that are kept as they come."""

_FIELDS = APPLICATION_FIELDS
RULES = directory_rules(
    {
        "id": Property(_FIELDS.id, "string"),
        "appId": Property(_FIELDS.app_id, "string"),
        "displayName": Property(_FIELDS.display_name, "string"),
        "signInAudience": Property(_FIELDS.sign_in_audience, "string"),
        "createdDateTime": unix_property(_FIELDS.created_at),
        "isFallbackPublicClient": Property(_FIELDS.is_fallback_public_client, "boolean"),
        "identifierUris": CollectionProperty(
            IDENTIFIER_URI_ROWS, true(), Property(IDENTIFIER_URI_ROWS.c.value, "string")
        ),
        "uniqueName": Property(_FIELDS.properties["uniqueName"].as_string(), "string"),
    },
    ((_FIELDS.created_at, True), (_FIELDS.id, True)),
)


class GraphApplications:
    """Handlers."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /applications."""
        with self._services.store.connect() as connection:
            applications = Applications(connection, context.tenant.tenant_id)
            return list_answer(
                request, RULES, COLLECTION, applications, lambda each: self.members(connection, context, each)
            )

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /applications/{id}."""
        with self._services.store.connect() as connection:
            application = application_of(connection, context, request)
            return entity_answer(request, COLLECTION, self.members(connection, context, application))

    def create(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /applications. The service principal is made by a request of its own."""
        body = read_entity(request.body, ApplicationBody)
        if isinstance(body.display_name, msgspec.UnsetType):
            raise InvalidRequestError("DirectoryPropertyRequired", property="displayName")
        blank = Application(
            id=self._services.ids.guid(),
            app_id=self._services.ids.guid(),
            tenant_id=context.tenant.tenant_id,
            display_name=body.display_name,
            sign_in_audience="AzureADMyOrg",
            created_at=self._services.now(),
            properties={CREATED_BY: context.principal.app_id, OWNERS: [context.principal.object_id]},
        )
        application = changed(blank, body)
        with self._services.store.begin() as connection:
            registrations = Registrations(connection, self._services, context.tenant.tenant_id)
            registrations.create(application)
            self._write_parts(registrations, connection, application, body)
            change_log(connection, self._services, context, request).tell(
                "add_application", application, appId=application.app_id
            )
            members = self.members(connection, context, application)
        return entity_answer(request, COLLECTION, members, status=201)

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /applications/{id}."""
        body = read_entity(request.body, ApplicationBody)
        with self._services.store.begin() as connection:
            before = writable_application(connection, context, request)
            application = changed(before, body)
            registrations = Registrations(connection, self._services, context.tenant.tenant_id)
            registrations.change(application)
            self._write_parts(registrations, connection, application, body)
            log = change_log(connection, self._services, context, request)
            log.tell("update_application", application, changed=", ".join(_named(body)))
        return no_content()

    def delete(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /applications/{id}."""
        with self._services.store.begin() as connection:
            application = writable_application(connection, context, request)
            Registrations(connection, self._services, context.tenant.tenant_id).remove(application)
            change_log(connection, self._services, context, request).tell(
                "delete_application", application, appId=application.app_id
            )
        return no_content()

    def owners(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /applications/{id}/owners: who registered it, a person or an application."""
        with self._services.store.connect() as connection:
            application = application_of(connection, context, request)
            found = [_owner(connection, context, owner) for owner in application.properties.get(OWNERS, ())]
        return whole_list_answer(request, "directoryObjects", [owner for owner in found if owner is not None])

    def _write_parts(
        self, registrations: Registrations, connection: Connection, application: Application, body: ApplicationBody
    ) -> None:
        if body.password_credentials:
            raise InvalidRequestError("UnknownBodyProperty", property="passwordCredentials")
        if not isinstance(body.required_resource_access, msgspec.UnsetType):
            registrations.configure(application, _accesses(body.required_resource_access))
        scopes = body.api.oauth2_permission_scopes if isinstance(body.api, ApiBody) else msgspec.UNSET
        if not (isinstance(body.app_roles, msgspec.UnsetType) and isinstance(scopes, msgspec.UnsetType)):
            exposed = ExposedPermissions(connection, application)
            all_roles, all_scopes = exposed.roles(with_disabled=True), exposed.scopes(with_disabled=True)
            registrations.expose(
                application,
                all_roles if isinstance(body.app_roles, msgspec.UnsetType) else map(_role, body.app_roles),
                all_scopes if isinstance(scopes, msgspec.UnsetType) else map(_scope, scopes),
            )
        if not isinstance(body.key_credentials, msgspec.UnsetType):
            kept = [key.key_id for key in body.key_credentials if key.key is None and key.key_id is not None]
            added = [new_certificate(key) for key in body.key_credentials if key.key is not None]
            registrations.replace_certificates(application, kept, added)

    def members(self, connection: Connection, context: RequestContext, application: Application) -> dict[str, object]:
        """An application as it is shown."""
        parts = ApplicationParts(
            passwords=[
                wire.to_password(credential)
                for credential in PasswordCredentials(connection, application, self._services.secret_hasher).all()
            ],
            keys=[wire.to_key(credential) for credential in KeyCredentials(connection, application).all()],
            roles=exposed_roles(connection, application),
            scopes=exposed_scopes(connection, application),
            required=wire.to_required(Applications(connection, context.tenant.tenant_id).required(application)),
        )
        return to_application(application, parts, context.tenant.domain)


def _named(body: ApplicationBody) -> list[str]:
    """The members that a body sets."""
    return [name for name, value in members_of(body).items() if value is not msgspec.UNSET]


class ApplicationParts(msgspec.Struct, frozen=True):
    """What an application shows of other tables."""

    passwords: list[wire.PasswordCredential]
    keys: list[wire.KeyCredential]
    roles: list[wire.AppRole]
    scopes: list[wire.PermissionScope]
    required: list[wire.RequiredResourceAccess]


def application_of(connection: Connection, context: RequestContext, request: ApiRequest) -> Application:
    """The application of the path, by object id or `appId`. Raises ObjectNotFoundError."""
    applications = Applications(connection, context.tenant.tenant_id)
    app_id = request.path_parameters.get("app_id")
    key = (app_id or request.path_parameters["id"]).lower()
    if not is_guid(key):
        raise ObjectNotFoundError("application", key)
    return applications.by_object_id(key) if app_id is None else applications.get(key)


def writable_application(connection: Connection, context: RequestContext, request: ApiRequest) -> Application:
    """The same, if the caller may change it: one permission opens only what the calling application made itself."""
    application = application_of(connection, context, request)
    check_ownership(context, application)
    return application


def check_ownership(context: RequestContext, application: Application) -> None:
    """Raises PermissionDeniedError for somebody else's application, where the caller may change only their own."""
    permissions = context.principal.roles if context.principal.kind == "application" else context.principal.scopes
    others = permissions & {"Application.ReadWrite.All", "Directory.ReadWrite.All"}
    own = {application.app_id, application.properties.get(CREATED_BY)}
    if OWNED_ONLY in permissions and not others and context.principal.app_id not in own:
        raise PermissionDeniedError("InsufficientPrivileges")


def _owner(connection: Connection, context: RequestContext, object_id: str) -> dict[str, object] | None:
    """The person or application of an id; None if it is there no more."""
    person = Users(connection, context.tenant.tenant_id).find(object_id)
    if person is not None:
        named = {"displayName": person.display_name, "userPrincipalName": person.user_principal_name}
        return {"@odata.type": "#microsoft.graph.user", "id": person.id, **named}
    try:
        principal = ServicePrincipals(connection, context.tenant.tenant_id).get(object_id)
    except ObjectNotFoundError:
        return None
    named = {"displayName": principal.display_name, "appId": principal.app_id}
    return {"@odata.type": "#microsoft.graph.servicePrincipal", "id": principal.id, **named}


def exposed_roles(connection: Connection, application: Application) -> list[wire.AppRole]:
    """The app roles that a registration offers."""
    texts = application.properties.get(ROLE_TEXTS, {})
    roles = ExposedPermissions(connection, application).roles(with_disabled=True)
    return [wire.to_app_role(role, texts.get(role.id, {})) for role in roles]


def exposed_scopes(connection: Connection, application: Application) -> list[wire.PermissionScope]:
    """The delegated permissions that a registration offers."""
    texts = application.properties.get(SCOPE_TEXTS, {})
    scopes = ExposedPermissions(connection, application).scopes(with_disabled=True)
    return [wire.to_scope(scope, texts.get(scope.id, {})) for scope in scopes]


def new_certificate(body: KeyCredentialBody) -> NewCertificate:
    """The certificate of a key credential. Raises InvalidRequestError for another kind of key."""
    if (body.type, body.usage) != ("AsymmetricX509Cert", "Verify") or body.key is None:
        raise InvalidRequestError("InvalidBodyValue", property="keyCredentials")
    return NewCertificate(read_certificate(body.key), body.display_name or "")


def changed(application: Application, body: ApplicationBody) -> Application:
    """The registration with the values that a body names."""
    set_: dict[str, Any] = {}
    if not isinstance(body.display_name, msgspec.UnsetType):
        set_["display_name"] = body.display_name
    if not isinstance(body.sign_in_audience, msgspec.UnsetType):
        set_["sign_in_audience"] = cast(SignInAudience, body.sign_in_audience)
    if not isinstance(body.identifier_uris, msgspec.UnsetType):
        set_["identifier_uris"] = body.identifier_uris
    if not isinstance(body.is_fallback_public_client, msgspec.UnsetType):
        set_["is_fallback_public_client"] = bool(body.is_fallback_public_client)
    if not isinstance(body.is_disabled, msgspec.UnsetType):
        set_["is_disabled"] = bool(body.is_disabled)
    if isinstance(body.api, ApiBody) and not isinstance(body.api.requested_access_token_version, msgspec.UnsetType):
        set_["requested_token_version"] = body.api.requested_access_token_version
    set_["redirect_uris"] = _redirect_uris(application.redirect_uris, body)
    set_["implicit_grant"] = _implicit_grant(application.implicit_grant, body.web)
    set_["properties"] = {**application.properties, **_wire_only(body)}
    return msgspec.structs.replace(application, **set_)


def to_application(application: Application, parts: ApplicationParts, domain: str) -> dict[str, object]:
    """application."""
    kept = application.properties
    return {
        "id": application.id,
        "deletedDateTime": wire.wire_time(kept[DELETED_AT]) if DELETED_AT in kept else None,
        "appId": application.app_id,
        "applicationTemplateId": None,
        "disabledByMicrosoftStatus": None,
        "createdByAppId": kept.get(CREATED_BY),
        "createdDateTime": wire.wire_time(application.created_at),
        "displayName": application.display_name,
        "description": kept.get("description"),
        "groupMembershipClaims": kept.get("groupMembershipClaims"),
        "identifierUris": list(application.identifier_uris),
        "isDeviceOnlyAuthSupported": kept.get("isDeviceOnlyAuthSupported"),
        "isDisabled": application.is_disabled or None,
        "isFallbackPublicClient": application.is_fallback_public_client,
        "nativeAuthenticationApisEnabled": None,
        "notes": kept.get("notes"),
        "publisherDomain": domain,
        "serviceManagementReference": kept.get("serviceManagementReference"),
        "signInAudience": application.sign_in_audience,
        "tags": kept.get("tags", []),
        "tokenEncryptionKeyId": None,
        "uniqueName": kept.get("uniqueName"),
        "samlMetadataUrl": None,
        "defaultRedirectUri": kept.get("defaultRedirectUri"),
        "certification": None,
        "optionalClaims": kept.get("optionalClaims"),
        "servicePrincipalLockConfiguration": None,
        "requestSignatureVerification": None,
        "addIns": [],
        "api": _api(application, parts.scopes),
        "appRoles": parts.roles,
        "info": kept.get("info") or wire.InformationalUrl(),
        "keyCredentials": parts.keys,
        "parentalControlSettings": kept.get("parentalControlSettings") or wire.ParentalControlSettings(),
        "passwordCredentials": parts.passwords,
        "publicClient": wire.RedirectUriList(redirect_uris=list(application.redirect_uris.public_client)),
        "requiredResourceAccess": [members_of(required) for required in parts.required],
        "verifiedPublisher": wire.VerifiedPublisher(),
        "web": _web(application),
        "spa": wire.RedirectUriList(redirect_uris=list(application.redirect_uris.spa)),
    }


def _api(application: Application, scopes: list[wire.PermissionScope]) -> wire.ApiApplication:
    kept: Mapping[str, Any] = application.properties.get("api", {})
    return wire.ApiApplication(
        accept_mapped_claims=kept.get("acceptMappedClaims"),
        known_client_applications=kept.get("knownClientApplications", []),
        requested_access_token_version=application.requested_token_version,
        oauth2_permission_scopes=scopes,
        pre_authorized_applications=kept.get("preAuthorizedApplications", []),
    )


def _web(application: Application) -> wire.WebApplication:
    kept: Mapping[str, Any] = application.properties.get("web", {})
    implicit = application.implicit_grant
    return wire.WebApplication(
        home_page_url=kept.get("homePageUrl"),
        logout_url=kept.get("logoutUrl"),
        redirect_uris=list(application.redirect_uris.web),
        implicit_grant_settings=wire.ImplicitGrantSettings(
            enable_access_token_issuance=implicit.enable_access_token_issuance,
            enable_id_token_issuance=implicit.enable_id_token_issuance,
        ),
        redirect_uri_settings=[wire.RedirectUriSettings(uri=uri) for uri in application.redirect_uris.web],
    )


def _redirect_uris(before: RedirectUris, body: ApplicationBody) -> RedirectUris:
    given = {
        "web": body.web.redirect_uris if isinstance(body.web, WebBody) else msgspec.UNSET,
        "spa": body.spa.redirect_uris if isinstance(body.spa, RedirectUrisBody) else msgspec.UNSET,
        "public_client": (
            body.public_client.redirect_uris if isinstance(body.public_client, RedirectUrisBody) else msgspec.UNSET
        ),
    }
    return msgspec.structs.replace(before, **{name: uris for name, uris in given.items() if uris is not msgspec.UNSET})


def _implicit_grant(before: ImplicitGrant, web: WebBody | msgspec.UnsetType | None) -> ImplicitGrant:
    settings = web.implicit_grant_settings if isinstance(web, WebBody) else None
    if settings is None or isinstance(settings, msgspec.UnsetType):
        return before
    return ImplicitGrant(bool(settings.enable_id_token_issuance), bool(settings.enable_access_token_issuance))


def _wire_only(body: ApplicationBody) -> dict[str, Any]:
    names = {field.name: field.encode_name for field in msgspec.structs.fields(body)}
    kept = {names[name]: getattr(body, name) for name in WIRE_ONLY}
    if isinstance(body.web, WebBody):
        kept["web"] = {"homePageUrl": body.web.home_page_url, "logoutUrl": body.web.logout_url}
    if isinstance(body.api, ApiBody):
        kept["api"] = {
            "acceptMappedClaims": body.api.accept_mapped_claims,
            "knownClientApplications": body.api.known_client_applications,
            "preAuthorizedApplications": body.api.pre_authorized_applications,
        }
        if not isinstance(body.api.oauth2_permission_scopes, msgspec.UnsetType):
            kept[SCOPE_TEXTS] = {scope.id.lower(): _texts(scope) for scope in body.api.oauth2_permission_scopes}
    if not isinstance(body.app_roles, msgspec.UnsetType):
        kept[ROLE_TEXTS] = {role.id.lower(): {"description": role.description} for role in body.app_roles}
    return cast(dict[str, Any], _without_unset(kept))


def _without_unset(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_unset(item) for name, item in value.items() if item is not msgspec.UNSET}
    return msgspec.to_builtins(value)


def _texts(scope: PermissionScopeBody) -> dict[str, str | None]:
    return {
        "adminConsentDescription": scope.admin_consent_description,
        "userConsentDisplayName": scope.user_consent_display_name,
        "userConsentDescription": scope.user_consent_description,
    }


def _accesses(required: Iterable[RequiredResourceAccessBody]) -> list[ResourceAccess]:
    return [
        ResourceAccess(each.resource_app_id.lower(), access.id.lower(), cast(Any, access.type))
        for each in required
        for access in each.resource_access
    ]


def _role(body: AppRoleBody) -> AppRole:
    return AppRole(body.id.lower(), body.value or "", body.display_name, body.allowed_member_types, body.is_enabled)


def _scope(body: PermissionScopeBody) -> PermissionScope:
    display = body.admin_consent_display_name or body.value
    return PermissionScope(body.id.lower(), body.value, display, body.type == "Admin", body.is_enabled)
