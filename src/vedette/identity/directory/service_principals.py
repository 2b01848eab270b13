"""Service principals: an application's presence in one tenant, and the consent it was given there."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, select

from vedette.contracts.permissions import canonical_audience
from vedette.identity.directory.tables import (
    APP_ROLE_ASSIGNMENTS,
    OAUTH2_PERMISSION_GRANTS,
    SERVICE_PRINCIPAL_NAMES,
    SERVICE_PRINCIPALS,
)
from vedette.identity.errors import ObjectNotFoundError
from vedette.store.tenancy import TenantRepository

ConsentType = Literal["AllPrincipals", "Principal"]


class ServicePrincipal(msgspec.Struct, frozen=True):
    """An application in a tenant. `id` is its object id there: `oid` of its tokens."""

    id: str
    app_id: str
    tenant_id: str
    app_owner_tenant_id: str
    display_name: str
    created_at: int
    account_enabled: bool = True
    app_role_assignment_required: bool = False


class AppRoleAssignment(msgspec.Struct, frozen=True):
    """An application permission (or a user's app role) that was granted."""

    id: str
    principal_id: str
    principal_type: Literal["ServicePrincipal", "User", "Group"]
    resource_id: str
    app_role_id: str
    created_at: int


class OAuth2PermissionGrant(msgspec.Struct, frozen=True):
    """Delegated permissions granted to a client: for everybody, or for one user (`principal_id`)."""

    id: str
    client_id: str
    consent_type: ConsentType
    resource_id: str
    scopes: frozenset[str]
    principal_id: str | None = None


class ServicePrincipals(TenantRepository):
    """The service principals of one tenant."""

    def create(self, principal: ServicePrincipal, names: Iterable[str] = ()) -> None:
        """Store a service principal with the names by which its API may be asked for."""
        fields = msgspec.structs.asdict(principal)
        del fields["tenant_id"]
        self.insert(SERVICE_PRINCIPALS, properties={}, **fields)
        for name in sorted({canonical_audience(name) for name in names}):
            self.insert(SERVICE_PRINCIPAL_NAMES, name=name, service_principal_id=principal.id)

    def find(self, app_id: str) -> ServicePrincipal | None:
        """The service principal of a client id."""
        query = self.select(SERVICE_PRINCIPALS).where(SERVICE_PRINCIPALS.c.app_id == app_id)
        row = self.connection.execute(query).one_or_none()
        return None if row is None else _to_service_principal(row)

    def find_by_name(self, name: str) -> ServicePrincipal | None:
        """The service principal whose API is asked for by this identifier URI."""
        names = SERVICE_PRINCIPAL_NAMES
        query = select(names.c.service_principal_id).where(self.own(names), names.c.name == canonical_audience(name))
        found = self.connection.scalar(query)
        return None if found is None else self.get(found)

    def get(self, object_id: str) -> ServicePrincipal:
        """The service principal of this object id. Raises ObjectNotFoundError."""
        query = self.select(SERVICE_PRINCIPALS).where(SERVICE_PRINCIPALS.c.id == object_id)
        row = self.connection.execute(query).one_or_none()
        if row is None:
            raise ObjectNotFoundError("service principal", object_id)
        return _to_service_principal(row)

    def set_enabled(self, object_id: str, enabled: bool) -> None:
        """Allow or forbid the application in this tenant. The caller advances the tenant's generation."""
        statement = self.update(SERVICE_PRINCIPALS).where(SERVICE_PRINCIPALS.c.id == object_id)
        if self.connection.execute(statement.values(account_enabled=enabled)).rowcount == 0:
            raise ObjectNotFoundError("service principal", object_id)

    def remove(self, object_id: str) -> None:
        """Remove it with every consent given to it. The caller advances the tenant's generation."""
        assignments = APP_ROLE_ASSIGNMENTS
        self.connection.execute(self.delete(assignments).where(assignments.c.principal_id == object_id))
        statement = self.delete(SERVICE_PRINCIPALS).where(SERVICE_PRINCIPALS.c.id == object_id)
        if self.connection.execute(statement).rowcount == 0:
            raise ObjectNotFoundError("service principal", object_id)


class AppRoleAssignments(TenantRepository):
    """Application permissions granted in one tenant."""

    def add(self, assignment: AppRoleAssignment) -> None:
        """Grant; granting the same again changes nothing."""
        roles = self.role_ids(assignment.principal_id, assignment.resource_id)
        if assignment.app_role_id not in roles:
            self.insert(APP_ROLE_ASSIGNMENTS, **msgspec.structs.asdict(assignment))

    def role_ids(self, principal_id: str, resource_id: str) -> frozenset[str]:
        """Ids of the roles of a resource that a principal was given."""
        table = APP_ROLE_ASSIGNMENTS
        query = select(table.c.app_role_id).where(
            self.own(table), table.c.principal_id == principal_id, table.c.resource_id == resource_id
        )
        return frozenset(self.connection.scalars(query))

    def withdraw(self, principal_id: str) -> None:
        """Take back everything a principal was given."""
        table = APP_ROLE_ASSIGNMENTS
        self.connection.execute(self.delete(table).where(table.c.principal_id == principal_id))


class OAuth2PermissionGrants(TenantRepository):
    """Delegated permissions granted in one tenant."""

    def add(self, grant: OAuth2PermissionGrant) -> None:
        """Grant scopes, in addition to those the same client already has for the same resource and principal."""
        table = OAUTH2_PERMISSION_GRANTS
        existing = self._same(grant)
        if existing is None:
            fields = msgspec.structs.asdict(grant)
            del fields["scopes"]
            self.insert(table, scope=" ".join(sorted(grant.scopes)), **fields)
            return
        scope = " ".join(sorted(existing.scopes | grant.scopes))
        self.connection.execute(self.update(table).where(table.c.id == existing.id).values(scope=scope))

    def scopes(self, client_id: str, resource_id: str, user_id: str) -> frozenset[str]:
        """Scopes of a resource that the client may use for this user."""
        granted: frozenset[str] = frozenset()
        for grant in self._of(client_id, resource_id):
            if grant.consent_type == "AllPrincipals" or grant.principal_id == user_id:
                granted |= grant.scopes
        return granted

    def _same(self, grant: OAuth2PermissionGrant) -> OAuth2PermissionGrant | None:
        for other in self._of(grant.client_id, grant.resource_id):
            if (other.consent_type, other.principal_id) == (grant.consent_type, grant.principal_id):
                return other
        return None

    def _of(self, client_id: str, resource_id: str) -> list[OAuth2PermissionGrant]:
        table = OAUTH2_PERMISSION_GRANTS
        query = self.select(table).where(table.c.client_id == client_id, table.c.resource_id == resource_id)
        return [
            OAuth2PermissionGrant(
                row.id, row.client_id, row.consent_type, row.resource_id, frozenset(row.scope.split()), row.principal_id
            )
            for row in self.connection.execute(query)
        ]


def _to_service_principal(row: Row[Any]) -> ServicePrincipal:
    return ServicePrincipal(
        id=row.id,
        app_id=row.app_id,
        tenant_id=row.tenant_id,
        app_owner_tenant_id=row.app_owner_tenant_id,
        display_name=row.display_name,
        created_at=row.created_at,
        account_enabled=row.account_enabled,
        app_role_assignment_required=row.app_role_assignment_required,
    )
