"""Tokens in one call, for tests and `vedette token mint`: any roles, scopes and lifetime, through the same issuer.

Consent is not asked. Whoever exposes this must allow it only where the installation's owner did.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection

from vedette.contracts.permissions import ResourceContract, load_resources
from vedette.identity.clients import AuthenticatedClient
from vedette.identity.consent import GrantedPermissions, granted_to_application
from vedette.identity.directory.applications import find_application
from vedette.identity.directory.service_principals import ServicePrincipals
from vedette.identity.directory.tenants import TenantRecord, Tenants
from vedette.identity.directory.users import Users
from vedette.identity.errors import ObjectNotFoundError, UnknownPermissionError
from vedette.identity.resources import Resource, resolve_resource
from vedette.identity.services import IdentityServices
from vedette.identity.tokens.issuer import IssuedToken, TokenIssuer
from vedette.store.engine import Reading

PREFERRED_RESOURCES = ("mtp", "wdatp", "graph", "vedette")


class MintOrder(msgspec.Struct, frozen=True):
    """What to mint. `roles` None: the roles the application was granted."""

    tenant: str
    """GUID or domain."""
    app_id: str
    user: str | None = None
    """Object id or user principal name; None: the application itself."""
    roles: tuple[str, ...] | None = None
    scopes: tuple[str, ...] = ()
    resource: str | None = None
    """Key of the resource application; None: the first that has all the roles and scopes."""
    lifetime: int | None = None
    base_url: str = "https://localhost"


def mint(services: IdentityServices, order: MintOrder) -> IssuedToken:
    """Sign the token. Raises ObjectNotFoundError or UnknownPermissionError."""
    with services.store.connect() as connection:
        tenant = Tenants(connection).find(order.tenant)
        if tenant is None:
            raise ObjectNotFoundError("tenant", order.tenant)
        client = _client(connection, tenant, order.app_id.lower())
        resource = resolve_resource(connection, tenant, services.issuers, _resource(order).audiences[0])
        issuer = TokenIssuer(Reading.over(connection), services, tenant, order.base_url)
        if order.user is None:
            permissions = _application_permissions(connection, client, resource, order)
            return issuer.issue(client, resource, permissions, lifetime=order.lifetime)
        user = Users(connection, tenant.tenant.tenant_id).get(order.user)
        permissions = GrantedPermissions(frozenset(order.roles or ()), frozenset(order.scopes))
        person = issuer.subject_of(user, client)
        return issuer.issue(client, resource, permissions, user=person, lifetime=order.lifetime)


def _client(connection: Connection, tenant: TenantRecord, app_id: str) -> AuthenticatedClient:
    application = find_application(connection, app_id)
    principal = ServicePrincipals(connection, tenant.tenant.tenant_id).find(app_id)
    if application is None or principal is None:
        raise ObjectNotFoundError("service principal", app_id)
    return AuthenticatedClient(application, principal, "0" if application.is_fallback_public_client else "1")


def _application_permissions(
    connection: Connection, client: AuthenticatedClient, resource: Resource, order: MintOrder
) -> GrantedPermissions:
    if order.roles is not None:
        return GrantedPermissions(roles=frozenset(order.roles))
    return granted_to_application(connection, client.principal, resource)


def _resource(order: MintOrder) -> ResourceContract:
    resources = load_resources()
    if order.resource is not None:
        if order.resource not in resources:
            raise ObjectNotFoundError("resource application", order.resource)
        return resources[order.resource]
    for key in PREFERRED_RESOURCES:
        if _has_all(resources[key], order.roles or (), order.scopes):
            return resources[key]
    raise UnknownPermissionError("permissions", " ".join((*(order.roles or ()), *order.scopes)))


def _has_all(resource: ResourceContract, roles: Iterable[str], scopes: Iterable[str]) -> bool:
    known_roles = {role.value for role in resource.app_roles}
    known_scopes = {scope.value for scope in resource.scopes}
    return known_roles.issuperset(roles) and known_scopes.issuperset(scopes)
