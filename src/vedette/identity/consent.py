"""Consent: which permissions of a resource the tenant has granted to a client, for itself or for a user."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from vedette.identity.directory.service_principals import (
    AppRoleAssignments,
    OAuth2PermissionGrants,
    ServicePrincipal,
)
from vedette.identity.directory.users import User
from vedette.identity.errors import OAuthError
from vedette.identity.resources import Resource
from vedette.identity.scopes import RequestedAccess


class GrantedPermissions(msgspec.Struct, frozen=True):
    """What goes into a token: `roles`, and for a user `scp`."""

    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()


def granted_to_application(connection: Connection, client: ServicePrincipal, resource: Resource) -> GrantedPermissions:
    """Application permissions; there may be none, unless the resource requires assignment (OAuthError)."""
    assigned = AppRoleAssignments(connection, client.tenant_id).role_ids(client.id, resource.principal.id)
    if not assigned and resource.principal.app_role_assignment_required:
        raise OAuthError("not_assigned", principal=client.app_id, resource=resource.audience)
    names = _role_values(resource)
    return GrantedPermissions(roles=frozenset(names[role_id] for role_id in assigned if role_id in names))


def granted_for_user(
    connection: Connection, client: ServicePrincipal, resource: Resource, user: User, requested: RequestedAccess
) -> GrantedPermissions:
    """Delegated permissions and the user's app roles. Raises OAuthError for what nobody consented to."""
    grants = OAuth2PermissionGrants(connection, client.tenant_id)
    consented = grants.scopes(client.id, resource.principal.id, user.id)
    missing = not consented if requested.is_default else not requested.scopes <= consented
    if missing:
        raise OAuthError("consent_missing", app_id=client.app_id, app_name=client.display_name)
    assigned = AppRoleAssignments(connection, client.tenant_id).role_ids(user.id, resource.principal.id)
    names = _role_values(resource)
    roles = frozenset(names[role_id] for role_id in assigned if role_id in names)
    return GrantedPermissions(roles=roles, scopes=consented)


def _role_values(resource: Resource) -> Mapping[str, str]:
    return {} if resource.contract is None else {role.id: role.value for role in resource.contract.app_roles}
