"""Consent as single changes: one app role given or taken, one delegated grant made, changed or withdrawn."""

from collections.abc import Iterable
from typing import Literal

from sqlalchemy import Connection

from vedette.identity.directory.groups import Groups
from vedette.identity.directory.service_principals import (
    AppRoleAssignment,
    AppRoleAssignments,
    OAuth2PermissionGrant,
    OAuth2PermissionGrants,
    ServicePrincipal,
    ServicePrincipals,
)
from vedette.identity.directory.tenants import Tenants
from vedette.identity.directory.users import Users
from vedette.identity.errors import (
    AssignmentExistsError,
    GrantExistsError,
    InvalidValueError,
    ObjectNotFoundError,
    UnknownPermissionError,
)
from vedette.identity.resources import offered_roles, offered_scopes, resource_of_application
from vedette.identity.services import IdentityServices

PrincipalType = Literal["ServicePrincipal", "User", "Group"]


class Consents:
    """The consent of one tenant, in the caller's transaction. Every change is told to the tenant's caches."""

    def __init__(self, connection: Connection, services: IdentityServices, tenant_id: str) -> None:
        self._connection = connection
        self._services = services
        self._tenant_id = tenant_id
        self._assignments = AppRoleAssignments(connection, tenant_id)
        self._grants = OAuth2PermissionGrants(connection, tenant_id)
        self._principals = ServicePrincipals(connection, tenant_id)

    def assign_role(self, principal_id: str, resource_id: str, app_role_id: str) -> AppRoleAssignment:
        """Give an app role of a resource to an application, a person or a group. Raises a DirectoryError."""
        principal_type = self._type_of(principal_id)
        resource = self._principals.get(resource_id)
        self._check_role(resource, app_role_id.lower(), principal_type)
        if app_role_id.lower() in self._assignments.role_ids(principal_id, resource_id):
            raise AssignmentExistsError("app role assignment", app_role_id)
        assignment = AppRoleAssignment(
            id=self._services.ids.guid(),
            principal_id=principal_id,
            principal_type=principal_type,
            resource_id=resource_id,
            app_role_id=app_role_id.lower(),
            created_at=self._services.now(),
        )
        self._assignments.add(assignment)
        self._tell()
        return assignment

    def withdraw_role(self, assignment: AppRoleAssignment) -> None:
        """Take an app role back."""
        self._assignments.remove(assignment.id)
        self._tell()

    def grant(self, grant: OAuth2PermissionGrant) -> None:
        """Let a client act for everybody, or for one person, within scopes of a resource. Raises a DirectoryError."""
        self._check_grant(grant)
        if self._grants.find_same(grant) is not None:
            raise GrantExistsError("delegated permission grant", grant.client_id)
        self._grants.add(grant)
        self._tell()

    def regrant(self, grant_id: str, scopes: Iterable[str]) -> None:
        """Exactly these scopes from now on."""
        grant = self._grants.get(grant_id)
        self._check_scopes(self._principals.get(grant.resource_id), scopes)
        self._grants.replace_scopes(grant_id, scopes)
        self._tell()

    def withdraw_grant(self, grant_id: str) -> None:
        """Take a delegated grant back."""
        self._grants.remove(grant_id)
        self._tell()

    def _type_of(self, principal_id: str) -> PrincipalType:
        try:
            self._principals.get(principal_id)
        except ObjectNotFoundError:
            if Users(self._connection, self._tenant_id).find(principal_id) is not None:
                return "User"
            Groups(self._connection, self._tenant_id).get(principal_id)
            return "Group"
        return "ServicePrincipal"

    def _check_role(self, resource: ServicePrincipal, app_role_id: str, principal_type: PrincipalType) -> None:
        known = resource_of_application(self._connection, self._tenant_id, resource.app_id)
        role = offered_roles(self._connection, known).get(app_role_id) if known is not None else None
        if role is None:
            raise UnknownPermissionError("app role", resource.app_id)
        member_type = "Application" if principal_type == "ServicePrincipal" else "User"
        if member_type not in role.allowed_member_types:
            raise InvalidValueError("appRoleId", f"{role.value} is not for a {principal_type}")

    def _check_grant(self, grant: OAuth2PermissionGrant) -> None:
        self._principals.get(grant.client_id)
        if grant.consent_type not in ("AllPrincipals", "Principal"):
            raise InvalidValueError("consentType", grant.consent_type)
        if (grant.consent_type == "Principal") != (grant.principal_id is not None):
            raise InvalidValueError("principalId", grant.principal_id or "")
        if grant.principal_id is not None:
            Users(self._connection, self._tenant_id).get(grant.principal_id)
        self._check_scopes(self._principals.get(grant.resource_id), grant.scopes)

    def _check_scopes(self, resource: ServicePrincipal, scopes: Iterable[str]) -> None:
        known = resource_of_application(self._connection, self._tenant_id, resource.app_id)
        offered = offered_scopes(self._connection, known) if known is not None else {}
        for scope in scopes:
            if scope not in offered:
                raise UnknownPermissionError(f"scope {scope}", resource.app_id)

    def _tell(self) -> None:
        Tenants(self._connection).advance_generation(self._tenant_id)
