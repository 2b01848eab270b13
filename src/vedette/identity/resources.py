"""From the name a client asks for to the resource application in the tenant."""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection

from vedette.contracts.permissions import (
    ResourceContract,
    canonical_audience,
    load_resources,
    resource_for_app_id,
    resources_by_audience,
)
from vedette.identity.directory.applications import find_application
from vedette.identity.directory.exposed_permissions import AppRole, ExposedPermissions, PermissionScope
from vedette.identity.directory.service_principals import ServicePrincipal, ServicePrincipals
from vedette.identity.directory.tenants import TenantRecord
from vedette.identity.errors import OAuthError
from vedette.identity.issuers import Issuers
from vedette.ids import is_guid


class Resource(msgspec.Struct, frozen=True):
    """A resource in a tenant, as a token for it needs to know it."""

    audience: str
    """`aud` of v1.0 tokens: the name as asked for."""
    principal: ServicePrincipal
    token_version: Literal[1, 2]
    contract: ResourceContract | None
    """The resource application's record; None for an API that was registered here."""


def resolve_resource(connection: Connection, tenant: TenantRecord, issuers: Issuers, name: str) -> Resource:
    """The resource asked for by `name` in `tenant`. Raises OAuthError."""
    contract = contract_for_audience(name, issuers)
    principals = ServicePrincipals(connection, tenant.tenant.tenant_id)
    principal = principals.find(contract.app_id) if contract else _registered(principals, name)
    if principal is None:
        raise OAuthError("resource_not_found", resource=name, tenant=tenant.tenant.display_name)
    if not principal.account_enabled:
        raise OAuthError("resource_disabled", resource=name)
    if contract is None:
        contract = resource_for_app_id(principal.app_id)
    audience = contract.audiences[0] if contract and _is_own_host(name, issuers) else name
    version = contract.token_version if contract else _registered_version(connection, principal)
    return Resource(audience, principal, version, contract)


def offered_scopes(connection: Connection, resource: Resource) -> Mapping[str, PermissionScope]:
    """The delegated permissions of a resource, by value."""
    if resource.contract is None:
        exposed = _exposed(connection, resource.principal)
        return {} if exposed is None else {scope.value: scope for scope in exposed.scopes()}
    return {
        scope.value: PermissionScope(scope.id, scope.value, scope.display, scope.admin_only)
        for scope in resource.contract.scopes
    }


def offered_roles(connection: Connection, resource: Resource) -> Mapping[str, AppRole]:
    """The app roles of a resource, by id."""
    if resource.contract is None:
        exposed = _exposed(connection, resource.principal)
        return {} if exposed is None else {role.id: role for role in exposed.roles()}
    return {role.id: AppRole(role.id, role.value, role.display) for role in resource.contract.app_roles}


def resource_of_application(connection: Connection, tenant_id: str, app_id: str) -> Resource | None:
    """The resource that an application id stands for in a tenant; None if it has no service principal there."""
    principal = ServicePrincipals(connection, tenant_id).find(app_id)
    if principal is None:
        return None
    contract = resource_for_app_id(app_id)
    version = contract.token_version if contract else _registered_version(connection, principal)
    return Resource(contract.audiences[0] if contract else app_id, principal, version, contract)


def contract_for_audience(name: str, issuers: Issuers) -> ResourceContract | None:
    """The resource application of an audience; the server's own host names are aliases of one of them."""
    found = resources_by_audience().get(canonical_audience(name))
    if found is None and _is_own_host(name, issuers):
        return next(resource for resource in load_resources().values() if resource.own_hosts)
    return found


def _is_own_host(name: str, issuers: Issuers) -> bool:
    parts = urlsplit(name)
    return parts.scheme == "https" and parts.path in ("", "/") and issuers.is_own_host(parts.hostname)


def _registered(principals: ServicePrincipals, name: str) -> ServicePrincipal | None:
    return principals.find(name.lower()) if is_guid(name) else principals.find_by_name(name)


def _exposed(connection: Connection, principal: ServicePrincipal) -> ExposedPermissions | None:
    application = find_application(connection, principal.app_id)
    return None if application is None else ExposedPermissions(connection, application)


def _registered_version(connection: Connection, principal: ServicePrincipal) -> Literal[1, 2]:
    application = find_application(connection, principal.app_id)
    return 2 if application is not None and application.requested_token_version == 2 else 1
