"""The permissions of an application as pages show them: configured, granted, and what may be added."""

from collections.abc import Iterable
from typing import Literal

import msgspec
from sqlalchemy import Connection

from vedette.contracts.permissions import load_resources, resource_for_app_id
from vedette.identity.directory.applications import Application, Applications, ResourceAccess
from vedette.identity.directory.exposed_permissions import ExposedPermissions
from vedette.identity.directory.service_principals import (
    AppRoleAssignments,
    OAuth2PermissionGrants,
    ServicePrincipal,
    ServicePrincipals,
)
from vedette.identity.resources import offered_roles, offered_scopes, resource_of_application

ALWAYS_LISTED = frozenset({"graph"})
"""APIs that are in the picker before anything is typed; the others are found by their names."""


class OfferedPermission(msgspec.Struct, frozen=True):
    """A permission that an API has."""

    id: str
    kind: Literal["Role", "Scope"]
    value: str
    text: str


class OfferedApi(msgspec.Struct, frozen=True):
    """An API that permissions may be asked of."""

    app_id: str
    name: str


class PermissionLine(msgspec.Struct, frozen=True):
    """One permission of an application in the tenant."""

    resource_app_id: str
    resource_name: str
    permission_id: str
    kind: Literal["Role", "Scope"]
    value: str
    text: str
    is_configured: bool
    is_granted: bool

    @property
    def key(self) -> str:
        """How a form names it."""
        return f"{self.resource_app_id}/{self.kind}/{self.permission_id}"


def find_apis(connection: Connection, tenant_id: str, typed: str) -> list[OfferedApi]:
    """The APIs whose name contains what was typed; without it the few that everybody looks for."""
    wanted = typed.casefold()
    found = [
        OfferedApi(contract.app_id, contract.display_name)
        for contract in load_resources().values()
        if (wanted in contract.display_name.casefold() if wanted else contract.key in ALWAYS_LISTED)
    ]
    for application in Applications(connection, tenant_id).all():
        exposed = ExposedPermissions(connection, application)
        if wanted in application.display_name.casefold() and (exposed.roles() or exposed.scopes()):
            found.append(OfferedApi(application.app_id, application.display_name))
    return found


def offered_by(connection: Connection, tenant_id: str, app_id: str) -> list[OfferedPermission]:
    """Everything an API offers, application permissions first."""
    resource = resource_of_application(connection, tenant_id, app_id)
    if resource is None:
        return []
    roles = [
        OfferedPermission(role.id, "Role", role.value, role.display_name)
        for role in offered_roles(connection, resource).values()
        if "Application" in role.allowed_member_types
    ]
    scopes = [
        OfferedPermission(scope.id, "Scope", scope.value, scope.display_name)
        for scope in offered_scopes(connection, resource).values()
    ]
    return [*sorted(roles, key=lambda each: each.value), *sorted(scopes, key=lambda each: each.value)]


def read_key(text: str) -> ResourceAccess | None:
    """The permission that a form names."""
    parts = text.split("/")
    if len(parts) != 3 or parts[1] not in ("Role", "Scope"):
        return None
    return ResourceAccess(parts[0], parts[2], "Role" if parts[1] == "Role" else "Scope")


class PermissionTable:
    """The permissions of one application in one tenant."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    def lines(self, configured: Iterable[ResourceAccess], principal: ServicePrincipal | None) -> list[PermissionLine]:
        """Configured permissions, and granted ones that are configured no more."""
        wanted = set(configured)
        granted = set() if principal is None else self.granted(principal)
        lines = [self._line(access, access in wanted, access in granted) for access in wanted | granted]
        return sorted(lines, key=lambda line: (line.resource_name, line.kind, line.value))

    def granted(self, principal: ServicePrincipal) -> set[ResourceAccess]:
        """What the tenant granted to a client, for itself and for everybody's account."""
        principals = ServicePrincipals(self._connection, self._tenant_id)
        found = {
            ResourceAccess(principals.get(assignment.resource_id).app_id, assignment.app_role_id, "Role")
            for assignment in AppRoleAssignments(self._connection, self._tenant_id).of_principal(principal.id)
        }
        for grant in OAuth2PermissionGrants(self._connection, self._tenant_id).of_client(principal.id):
            app_id = principals.get(grant.resource_id).app_id
            resource = resource_of_application(self._connection, self._tenant_id, app_id)
            offered = offered_scopes(self._connection, resource) if resource is not None else {}
            if grant.consent_type == "AllPrincipals":
                found |= {
                    ResourceAccess(app_id, offered[value].id, "Scope") for value in grant.scopes if value in offered
                }
        return found

    def _line(self, access: ResourceAccess, is_configured: bool, is_granted: bool) -> PermissionLine:
        offered = {
            (each.kind, each.id): each for each in offered_by(self._connection, self._tenant_id, access.resource_app_id)
        }
        known = offered.get((access.type, access.permission_id))
        return PermissionLine(
            resource_app_id=access.resource_app_id,
            resource_name=self._name(access.resource_app_id),
            permission_id=access.permission_id,
            kind=access.type,
            value=known.value if known else access.permission_id,
            text=known.text if known else "Not offered any more",
            is_configured=is_configured,
            is_granted=is_granted,
        )

    def _name(self, app_id: str) -> str:
        contract = resource_for_app_id(app_id)
        if contract is not None:
            return contract.display_name
        principal = ServicePrincipals(self._connection, self._tenant_id).find(app_id)
        return principal.display_name if principal else app_id


def configured_of(connection: Connection, application: Application) -> list[ResourceAccess]:
    """What a registration asks for."""
    return Applications(connection, application.tenant_id).required(application)
