"""Registrations that were deleted: for thirty days they can be brought back as they were, then they are gone for good.

A deleted registration is found by nobody. What its service principal at home was given is kept with it.
"""

import msgspec
from sqlalchemy import Connection

from vedette.identity.directory.applications import DELETED_AT, Application, Applications
from vedette.identity.directory.service_principals import (
    AppRoleAssignment,
    AppRoleAssignments,
    OAuth2PermissionGrant,
    OAuth2PermissionGrants,
    ServicePrincipal,
    ServicePrincipals,
)
from vedette.identity.errors import ObjectNotFoundError
from vedette.identity.services import IdentityServices

KEPT_SECONDS = 30 * 86_400
PRESENCE = "deletedPresence"


class Presence(msgspec.Struct, frozen=True):
    """A service principal with its names and what it was given."""

    principal: ServicePrincipal
    names: tuple[str, ...] = ()
    assignments: tuple[AppRoleAssignment, ...] = ()
    grants: tuple[OAuth2PermissionGrant, ...] = ()


class DeletedApplications:
    """The deleted registrations of one tenant, in the caller's transaction."""

    def __init__(self, connection: Connection, services: IdentityServices, tenant_id: str) -> None:
        self._services = services
        self._applications = Applications(connection, tenant_id)
        self._principals = ServicePrincipals(connection, tenant_id)
        self._assignments = AppRoleAssignments(connection, tenant_id)
        self._grants = OAuth2PermissionGrants(connection, tenant_id)

    def add(self, application: Application) -> None:
        """Delete a registration with its service principal at home. The caller tells caches."""
        properties = {**application.properties, DELETED_AT: self._services.now()}
        principal = self._principals.find(application.app_id)
        if principal is not None:
            properties[PRESENCE] = msgspec.to_builtins(self._presence(principal))
            self._principals.remove(principal.id)
        self._applications.replace(msgspec.structs.replace(application, properties=properties))

    def restore(self, application: Application) -> Application:
        """Bring a registration back as it was, with its service principal. The caller checks and tells caches."""
        properties = dict(application.properties)
        del properties[DELETED_AT]
        presence = properties.pop(PRESENCE, None)
        restored = msgspec.structs.replace(application, properties=properties)
        self._applications.replace(restored)
        if presence is not None:
            self._bring_back(msgspec.convert(presence, Presence))
        return restored

    def erase_old(self) -> None:
        """Forget what was deleted long ago."""
        for application in self._applications.deleted():
            if application.properties[DELETED_AT] <= self._services.now() - KEPT_SECONDS:
                self._applications.remove(application)

    def _presence(self, principal: ServicePrincipal) -> Presence:
        return Presence(
            principal,
            tuple(self._principals.names(principal.id)),
            tuple(self._assignments.of_principal(principal.id)),
            tuple(self._grants.of_client(principal.id)),
        )

    def _bring_back(self, presence: Presence) -> None:
        self._principals.create(presence.principal, presence.names)
        for assignment in filter(self._is_resource_there, presence.assignments):
            self._assignments.add(assignment)
        for grant in filter(self._is_resource_there, presence.grants):
            self._grants.add(grant)

    def _is_resource_there(self, consent: AppRoleAssignment | OAuth2PermissionGrant) -> bool:
        try:
            self._principals.get(consent.resource_id)
        except ObjectNotFoundError:
            return False
        return True
