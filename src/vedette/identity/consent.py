"""Consent: which permissions of a resource the tenant has granted to a client, for itself or for a user."""

import msgspec
from sqlalchemy import Connection

from vedette.identity.directory.groups import Groups
from vedette.identity.directory.service_principals import (
    AppRoleAssignments,
    OAuth2PermissionGrants,
    ServicePrincipal,
)
from vedette.identity.directory.users import User
from vedette.identity.errors import OAuthError
from vedette.identity.resources import Resource, offered_roles, offered_scopes, resource_of_application
from vedette.identity.scopes import DEFAULT_SCOPE, RequestedAccess


class GrantedPermissions(msgspec.Struct, frozen=True):
    """What goes into a token: `roles`, and for a user `scp`."""

    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()


def granted_to_application(connection: Connection, client: ServicePrincipal, resource: Resource) -> GrantedPermissions:
    """Application permissions; there may be none, unless the resource requires assignment (OAuthError)."""
    assigned = AppRoleAssignments(connection, client.tenant_id).role_ids(client.id, resource.principal.id)
    if not assigned and resource.principal.app_role_assignment_required:
        raise OAuthError("not_assigned", principal=client.app_id, resource=resource.audience)
    return GrantedPermissions(roles=_values(connection, resource, assigned))


def granted_for_user(
    connection: Connection, client: ServicePrincipal, resource: Resource, user: User, requested: RequestedAccess
) -> GrantedPermissions:
    """Delegated permissions and the user's app roles. Raises OAuthError for what nobody consented to."""
    grants = OAuth2PermissionGrants(connection, client.tenant_id)
    consented = grants.scopes(client.id, resource.principal.id, user.id)
    unknown = requested.scopes - {DEFAULT_SCOPE} - set(offered_scopes(connection, resource))
    if unknown:
        raise OAuthError("scope_not_valid_for_access_token", scope=f"{requested.resource}/{min(unknown)}")
    missing = not consented if requested.is_default else not requested.scopes <= consented
    if missing:
        raise OAuthError("consent_missing", app_id=client.app_id, app_name=client.display_name)
    return GrantedPermissions(roles=user_roles(connection, resource, user), scopes=consented)


def user_roles(connection: Connection, resource: Resource, user: User) -> frozenset[str]:
    """The app roles that a person or a group of theirs was given. Raises OAuthError where one is needed to get in."""
    assignments = AppRoleAssignments(connection, user.tenant_id)
    assigned = assignments.role_ids(user.id, resource.principal.id)
    for group_id in Groups(connection, user.tenant_id).ids_of(user):
        assigned |= assignments.role_ids(group_id, resource.principal.id)
    if not assigned and resource.principal.app_role_assignment_required:
        raise OAuthError("not_assigned", principal=user.user_principal_name, resource=resource.audience)
    return _values(connection, resource, assigned)


def own_roles(connection: Connection, client: ServicePrincipal, user: User) -> frozenset[str]:
    """The client's own app roles that a person was given: `roles` of their id_token. Raises OAuthError as above."""
    resource = resource_of_application(connection, client.tenant_id, client.app_id)
    return frozenset() if resource is None else user_roles(connection, resource, user)


def _values(connection: Connection, resource: Resource, role_ids: frozenset[str]) -> frozenset[str]:
    offered = offered_roles(connection, resource) if role_ids else {}
    return frozenset(offered[role_id].value for role_id in role_ids if role_id in offered)
