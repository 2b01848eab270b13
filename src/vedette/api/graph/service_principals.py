"""Graph's servicePrincipals: applications as a tenant knows them."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from vedette.api.graph import directory_entities as wire
from vedette.api.graph.applications import CREATED_BY, OWNED_ONLY, exposed_roles, exposed_scopes, new_certificate
from vedette.api.graph.authors import change_log
from vedette.api.graph.directory_answers import (
    directory_rules,
    entity_answer,
    list_answer,
    no_content,
)
from vedette.api.graph.directory_bodies import ServicePrincipalBody, read_entity
from vedette.api.http import ApiRequest, ApiResponse
from vedette.context import RequestContext
from vedette.contracts.permissions import ResourceContract, resource_for_app_id
from vedette.errors import InvalidRequestError, PermissionDeniedError
from vedette.identity.directory.applications import Application, find_application
from vedette.identity.directory.exposed_permissions import AppRole, PermissionScope
from vedette.identity.directory.principal_credentials import KEYS, keys_of, passwords_of, with_key, without
from vedette.identity.directory.service_principals import (
    SERVICE_PRINCIPAL_FIELDS,
    SERVICE_PRINCIPAL_NAME_ROWS,
    ServicePrincipal,
    ServicePrincipals,
)
from vedette.identity.directory.tenants import Tenants
from vedette.identity.errors import InvalidValueError, ObjectExistsError, ObjectNotFoundError
from vedette.identity.provisioning import Provisioning
from vedette.identity.services import IdentityServices
from vedette.ids import is_guid
from vedette.odata.sql import CollectionProperty, Property

COLLECTION = "servicePrincipals"
WIRE_ONLY = (
    "description",
    "notes",
    "tags",
    "login_url",
    "notification_email_addresses",
    "alternative_names",
    "preferred_single_sign_on_mode",
)

_FIELDS, _NAMES = SERVICE_PRINCIPAL_FIELDS, SERVICE_PRINCIPAL_NAME_ROWS
RULES = directory_rules(
    {
        "id": Property(_FIELDS.id, "string"),
        "appId": Property(_FIELDS.app_id, "string"),
        "displayName": Property(_FIELDS.display_name, "string"),
        "accountEnabled": Property(_FIELDS.account_enabled, "boolean"),
        "appOwnerOrganizationId": Property(_FIELDS.app_owner_tenant_id, "string"),
        "servicePrincipalNames": CollectionProperty(
            _NAMES,
            (_NAMES.c.tenant_id == _FIELDS.tenant_id) & (_NAMES.c.service_principal_id == _FIELDS.id),
            Property(_NAMES.c.name, "string", folds_case=True),
        ),
    },
    ((_FIELDS.created_at, True), (_FIELDS.id, True)),
)


class GraphServicePrincipals:
    """Handlers."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /servicePrincipals."""
        with self._services.store.connect() as connection:
            principals = ServicePrincipals(connection, context.tenant.tenant_id)
            return list_answer(request, RULES, COLLECTION, principals, lambda each: _members(connection, each))

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /servicePrincipals/{id}."""
        with self._services.store.connect() as connection:
            principal = principal_of(connection, context, request)
            return entity_answer(request, COLLECTION, _members(connection, principal))

    def create(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /servicePrincipals: of an application of this tenant, or of a multi-tenant one of another."""
        body = read_entity(request.body, ServicePrincipalBody)
        if isinstance(body.app_id, msgspec.UnsetType):
            raise InvalidRequestError("DirectoryPropertyRequired", property="appId")
        app_id, tenant_id = body.app_id.lower(), context.tenant.tenant_id
        with self._services.store.begin() as connection:
            application = find_application(connection, app_id) if is_guid(app_id) else None
            if application is None or not (application.is_multi_tenant or application.tenant_id == tenant_id):
                raise InvalidValueError("appId", app_id)
            principals = ServicePrincipals(connection, tenant_id)
            if principals.find(app_id) is not None:
                raise ObjectExistsError("servicePrincipalNames", app_id)
            principal = Provisioning(connection, self._services).ensure_client_principal(tenant_id, application)
            created = _changed(principal, body)
            created = msgspec.structs.replace(
                created, properties={**created.properties, CREATED_BY: context.principal.app_id}
            )
            principals.replace(created)
            change_log(connection, self._services, context, request).tell(
                "add_service_principal", created, appId=app_id
            )
            members = _members(connection, created)
        return entity_answer(request, COLLECTION, members, status=201)

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /servicePrincipals/{id}."""
        body = read_entity(request.body, ServicePrincipalBody)
        if not isinstance(body.app_id, msgspec.UnsetType):
            raise InvalidRequestError("UnknownBodyProperty", property="appId")
        with self._services.store.begin() as connection:
            principal = writable_principal(connection, context, request)
            ServicePrincipals(connection, context.tenant.tenant_id).replace(
                self._with_keys(_changed(principal, body), body)
            )
            Tenants(connection).advance_generation(context.tenant.tenant_id)
            change_log(connection, self._services, context, request).tell("update_service_principal", principal)
        return no_content()

    def _with_keys(self, principal: ServicePrincipal, body: ServicePrincipalBody) -> ServicePrincipal:
        """With exactly the certificates that the body names, if it names any."""
        if isinstance(body.key_credentials, msgspec.UnsetType):
            return principal
        staying = {key.key_id.lower() for key in body.key_credentials if key.key is None and key.key_id is not None}
        for credential in keys_of(principal):
            if credential.key_id not in staying:
                principal = without(principal, KEYS, credential.key_id)
        for key in body.key_credentials:
            if key.key is not None:
                new = new_certificate(key)
                principal, _ = with_key(principal, self._services.ids, new.certificate, new.display_name)
        return principal

    def delete(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /servicePrincipals/{id}: with it goes every consent it was given."""
        with self._services.store.begin() as connection:
            principal = writable_principal(connection, context, request)
            if resource_for_app_id(principal.app_id) is not None:
                raise PermissionDeniedError("InsufficientPrivileges")
            ServicePrincipals(connection, context.tenant.tenant_id).remove(principal.id)
            Tenants(connection).advance_generation(context.tenant.tenant_id)
            log = change_log(connection, self._services, context, request)
            log.tell("remove_service_principal", principal, appId=principal.app_id)
        return no_content()


def principal_of(connection: Connection, context: RequestContext, request: ApiRequest) -> ServicePrincipal:
    """The service principal of the path, by object id or `appId`. Raises ObjectNotFoundError."""
    principals = ServicePrincipals(connection, context.tenant.tenant_id)
    app_id = request.path_parameters.get("app_id")
    if app_id is None:
        return principals.get(request.path_parameters["id"].lower())
    principal = principals.find(app_id.lower())
    if principal is None:
        raise ObjectNotFoundError("service principal", app_id)
    return principal


def writable_principal(connection: Connection, context: RequestContext, request: ApiRequest) -> ServicePrincipal:
    """The same, if the caller may change it."""
    principal = principal_of(connection, context, request)
    permissions = context.principal.roles if context.principal.kind == "application" else context.principal.scopes
    others = permissions & {"Application.ReadWrite.All", "Directory.ReadWrite.All"}
    own = {principal.app_id, principal.properties.get(CREATED_BY)}
    if OWNED_ONLY in permissions and not others and context.principal.app_id not in own:
        raise PermissionDeniedError("InsufficientPrivileges")
    return principal


def _changed(principal: ServicePrincipal, body: ServicePrincipalBody) -> ServicePrincipal:
    names = {field.name: field.encode_name for field in msgspec.structs.fields(body)}
    kept = {names[name]: getattr(body, name) for name in WIRE_ONLY if getattr(body, name) is not msgspec.UNSET}
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}
    set_: dict[str, Any] = {"properties": {**principal.properties, **listed}}
    if isinstance(body.display_name, str) and body.display_name.strip():
        set_["display_name"] = body.display_name
    if isinstance(body.account_enabled, bool):
        set_["account_enabled"] = body.account_enabled
    if not isinstance(body.app_role_assignment_required, msgspec.UnsetType):
        set_["app_role_assignment_required"] = body.app_role_assignment_required
    return msgspec.structs.replace(principal, **set_)


def _members(connection: Connection, principal: ServicePrincipal) -> dict[str, object]:
    contract = resource_for_app_id(principal.app_id)
    application = None if contract else find_application(connection, principal.app_id)
    names = ServicePrincipals(connection, principal.tenant_id).names(principal.id)
    return to_service_principal(
        principal,
        application,
        names=[*(contract.audiences[:-1] if contract else names), principal.app_id],
        roles=_roles(connection, contract, application),
        scopes=_scopes(connection, contract, application),
    )


def _roles(
    connection: Connection, contract: ResourceContract | None, application: Application | None
) -> list[wire.AppRole]:
    if contract is not None:
        return [wire.to_app_role(AppRole(role.id, role.value, role.display), {}) for role in contract.app_roles]
    return exposed_roles(connection, application) if application is not None else []


def _scopes(
    connection: Connection, contract: ResourceContract | None, application: Application | None
) -> list[wire.PermissionScope]:
    if contract is not None:
        return [
            wire.to_scope(PermissionScope(scope.id, scope.value, scope.display, scope.admin_only), {})
            for scope in contract.scopes
        ]
    return exposed_scopes(connection, application) if application is not None else []


def to_service_principal(
    principal: ServicePrincipal,
    application: Application | None,
    *,
    names: list[str],
    roles: list[wire.AppRole],
    scopes: list[wire.PermissionScope],
) -> dict[str, object]:
    """servicePrincipal."""
    kept = principal.properties
    uris = application.redirect_uris if application else None
    web = application.properties.get("web", {}) if application else {}
    return {
        "id": principal.id,
        "deletedDateTime": None,
        "accountEnabled": principal.account_enabled,
        "alternativeNames": kept.get("alternativeNames", []),
        "appDescription": application.properties.get("description") if application else None,
        "appDisplayName": application.display_name if application else principal.display_name,
        "appId": principal.app_id,
        "applicationTemplateId": None,
        "appOwnerOrganizationId": principal.app_owner_tenant_id,
        "appRoleAssignmentRequired": principal.app_role_assignment_required,
        "createdByAppId": kept.get(CREATED_BY),
        "createdDateTime": wire.wire_time(principal.created_at),
        "description": kept.get("description"),
        "disabledByMicrosoftStatus": None,
        "displayName": principal.display_name,
        "homepage": web.get("homePageUrl"),
        "isDisabled": (application.is_disabled or None) if application else None,
        "loginUrl": kept.get("loginUrl"),
        "logoutUrl": web.get("logoutUrl"),
        "notes": kept.get("notes"),
        "notificationEmailAddresses": kept.get("notificationEmailAddresses", []),
        "preferredSingleSignOnMode": kept.get("preferredSingleSignOnMode"),
        "preferredTokenSigningKeyThumbprint": None,
        "replyUrls": [*uris.web, *uris.spa, *uris.public_client] if uris else [],
        "servicePrincipalNames": names,
        "servicePrincipalType": "Application",
        "signInAudience": application.sign_in_audience if application else "AzureADMultipleOrgs",
        "tags": kept.get("tags", []),
        "tokenEncryptionKeyId": None,
        "samlSingleSignOnSettings": None,
        "addIns": [],
        "appRoles": roles,
        "info": (application.properties.get("info") if application else None) or wire.InformationalUrl(),
        "keyCredentials": [wire.to_key(credential) for credential in keys_of(principal)],
        "oauth2PermissionScopes": scopes,
        "passwordCredentials": [wire.to_password(credential) for credential in passwords_of(principal)],
        "resourceSpecificApplicationPermissions": [],
        "verifiedPublisher": wire.VerifiedPublisher(),
    }
