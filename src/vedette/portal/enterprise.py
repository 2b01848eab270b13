"""Enterprise applications: who may do what in this tenant, and how that ends."""

from collections.abc import Mapping

from sqlalchemy import Connection

from vedette.api.http import ApiResponse
from vedette.contracts.permissions import resource_for_app_id
from vedette.identity.change_log import ChangeLog
from vedette.identity.consents import Consents
from vedette.identity.directory.service_principals import (
    AppRoleAssignments,
    OAuth2PermissionGrants,
    ServicePrincipal,
    ServicePrincipals,
)
from vedette.identity.directory.tenants import Tenants
from vedette.identity.directory.users import Users
from vedette.identity.errors import InvalidValueError
from vedette.identity.provisioning import Provisioning
from vedette.identity.services import IdentityServices
from vedette.odata.paging import Selection
from vedette.portal.permissions import offered_by
from vedette.portal.rendering import see
from vedette.portal.visit import Page, Visit

SECTION = "enterprise"


class EnterprisePages:
    """Handlers of the section."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def pages(self) -> Mapping[str, Page]:
        """Pages by operation handler name."""
        return {
            "list_enterprise": self.list,
            "show_enterprise": self.show,
            "change_enterprise": self.change,
        }

    def list(self, visit: Visit) -> ApiResponse:
        """Every application that is present in the tenant, the server's own APIs aside."""
        with self._services.store.connect() as connection:
            found, _ = ServicePrincipals(connection, visit.tenant_id).page(Selection(None, ()))
            rows = [
                (principal, _publisher(connection, principal))
                for principal in sorted(found, key=lambda each: each.display_name.casefold())
                if resource_for_app_id(principal.app_id) is None
            ]
        return visit.show("enterprise", "Enterprise applications", section=SECTION, rows=rows)

    def show(self, visit: Visit) -> ApiResponse:
        """What one application was granted."""
        with self._services.store.connect() as connection:
            principal = _principal(connection, visit)
            roles, grants = _roles(connection, principal), _grants(connection, principal)
            publisher = _publisher(connection, principal)
        return visit.show(
            "enterprise_one",
            principal.display_name,
            section=SECTION,
            principal=principal,
            publisher=publisher,
            roles=roles,
            grants=grants,
            is_own=principal.app_owner_tenant_id == visit.tenant_id,
        )

    def change(self, visit: Visit) -> ApiResponse:
        """Revoke one consent or all, disable or enable."""
        action, key = visit.field("action"), visit.field("id").lower()
        with self._services.store.begin() as connection:
            principal = _principal(connection, visit)
            if resource_for_app_id(principal.app_id) is not None:
                raise InvalidValueError("application", principal.display_name)
            consents = Consents(connection, self._services, visit.tenant_id)
            provisioning = Provisioning(connection, self._services)
            log = ChangeLog(connection, self._services, visit.author)
            if action == "revoke-role":
                assignment = AppRoleAssignments(connection, visit.tenant_id).get(key)
                consents.withdraw_role(assignment)
                log.tell_of_role("withdraw", assignment)
            elif action == "revoke-grant":
                grant = OAuth2PermissionGrants(connection, visit.tenant_id).get(key)
                consents.withdraw_grant(key)
                log.tell_of_grant("remove_grant", grant)
            elif action in ("disable", "enable"):
                provisioning.set_principal_enabled(visit.tenant_id, principal.app_id, action == "enable")
                log.tell("update_service_principal", principal, accountEnabled=str(action == "enable"))
            elif action == "remove":
                provisioning.withdraw_consent(visit.tenant_id, principal.app_id)
                log.tell("remove_service_principal", principal, appId=principal.app_id)
                return see("/portal/enterprise")
            else:
                raise InvalidValueError("action", action)
        return see(f"/portal/enterprise/{principal.id}")


def _principal(connection: Connection, visit: Visit) -> ServicePrincipal:
    return ServicePrincipals(connection, visit.tenant_id).get(visit.path("principal"))


def _publisher(connection: Connection, principal: ServicePrincipal) -> str:
    owner = Tenants(connection).find(principal.app_owner_tenant_id)
    return owner.tenant.display_name if owner else principal.app_owner_tenant_id


def _roles(connection: Connection, principal: ServicePrincipal) -> list[tuple[str, str, str, str]]:
    """Assignment id, API, permission, text."""
    principals = ServicePrincipals(connection, principal.tenant_id)
    found = []
    for assignment in AppRoleAssignments(connection, principal.tenant_id).of_principal(principal.id):
        resource = principals.get(assignment.resource_id)
        offered = {each.id: each for each in offered_by(connection, principal.tenant_id, resource.app_id)}
        known = offered.get(assignment.app_role_id)
        value = known.value if known else assignment.app_role_id
        found.append((assignment.id, resource.display_name, value, known.text if known else ""))
    return sorted(found, key=lambda each: each[1:3])


def _grants(connection: Connection, principal: ServicePrincipal) -> list[tuple[str, str, str, str]]:
    """Grant id, API, scopes, for whom."""
    principals, users = ServicePrincipals(connection, principal.tenant_id), Users(connection, principal.tenant_id)
    found = []
    for grant in OAuth2PermissionGrants(connection, principal.tenant_id).of_client(principal.id):
        person = users.find(grant.principal_id) if grant.principal_id else None
        whom = "everybody" if grant.consent_type == "AllPrincipals" else (person.display_name if person else "nobody")
        name = principals.get(grant.resource_id).display_name
        found.append((grant.id, name, " ".join(sorted(grant.scopes)), whom))
    return sorted(found, key=lambda each: each[1:])
