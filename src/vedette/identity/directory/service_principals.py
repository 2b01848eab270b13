"""Service principals: an application's presence in one tenant, and the consent it was given there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Row, select, union_all

from vedette.contracts.permissions import canonical_audience
from vedette.identity.directory.pages import After, count_rows, read_page
from vedette.identity.directory.tables import (
    APP_ROLE_ASSIGNMENTS,
    OAUTH2_PERMISSION_GRANTS,
    SERVICE_PRINCIPAL_NAMES,
    SERVICE_PRINCIPALS,
)
from vedette.identity.errors import ObjectExistsError, ObjectNotFoundError
from vedette.odata.paging import Selection
from vedette.store.tenancy import TenantRepository

SERVICE_PRINCIPAL_FIELDS = SERVICE_PRINCIPALS.c
APP_ROLE_ASSIGNMENT_FIELDS = APP_ROLE_ASSIGNMENTS.c
OAUTH2_PERMISSION_GRANT_FIELDS = OAUTH2_PERMISSION_GRANTS.c
"""What each kind of object may be filtered and ordered by."""

SERVICE_PRINCIPAL_NAME_ROWS = union_all(
    select(
        SERVICE_PRINCIPAL_NAMES.c.tenant_id,
        SERVICE_PRINCIPAL_NAMES.c.service_principal_id,
        SERVICE_PRINCIPAL_NAMES.c.name,
    ),
    select(SERVICE_PRINCIPALS.c.tenant_id, SERVICE_PRINCIPALS.c.id, SERVICE_PRINCIPALS.c.app_id),
).subquery("service_principal_name_rows")
"""Every name of every service principal: its identifier URIs and its application id."""

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
    properties: Mapping[str, Any] = {}
    """What only the management API shows, by its wire names."""


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
        if self.find(principal.app_id) is not None:
            raise ObjectExistsError("service principal", principal.app_id)
        self.insert(SERVICE_PRINCIPALS, **{**fields, "properties": dict(principal.properties)})
        self.replace_names(principal.id, names)

    def replace_names(self, object_id: str, names: Iterable[str]) -> None:
        """Store the identifier URIs by which the API may be asked for. Raises ObjectExistsError for one in use."""
        table = SERVICE_PRINCIPAL_NAMES
        self.connection.execute(self.delete(table).where(table.c.service_principal_id == object_id))
        for name in sorted({canonical_audience(name) for name in names}):
            if self.find_by_name(name) is not None:
                raise ObjectExistsError("identifierUris", name)
            self.insert(table, name=name, service_principal_id=object_id)

    def names(self, object_id: str) -> list[str]:
        """The identifier URIs of a service principal, in order."""
        table = SERVICE_PRINCIPAL_NAMES
        query = select(table.c.name).where(self.own(table), table.c.service_principal_id == object_id)
        return list(self.connection.scalars(query.order_by(table.c.name)))

    def replace(self, principal: ServicePrincipal) -> None:
        """Store the present values of what may be changed. The caller advances the tenant's generation."""
        statement = self.update(SERVICE_PRINCIPALS).where(SERVICE_PRINCIPALS.c.id == principal.id)
        values = {
            "display_name": principal.display_name,
            "account_enabled": principal.account_enabled,
            "app_role_assignment_required": principal.app_role_assignment_required,
            "properties": dict(principal.properties),
        }
        if self.connection.execute(statement.values(**values)).rowcount == 0:
            raise ObjectNotFoundError("service principal", principal.id)

    def page(self, selection: Selection) -> tuple[Sequence[ServicePrincipal], After]:
        """The service principals of one page of a list."""
        rows, after = read_page(self, SERVICE_PRINCIPALS, selection)
        return [_to_service_principal(row) for row in rows], after

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many service principals there are under `condition`."""
        return count_rows(self, SERVICE_PRINCIPALS, condition)

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

    def get(self, assignment_id: str) -> AppRoleAssignment:
        """The assignment of this id. Raises ObjectNotFoundError."""
        query = self.select(APP_ROLE_ASSIGNMENTS).where(APP_ROLE_ASSIGNMENTS.c.id == assignment_id)
        row = self.connection.execute(query).one_or_none()
        if row is None:
            raise ObjectNotFoundError("app role assignment", assignment_id)
        return _to_assignment(row)

    def remove(self, assignment_id: str) -> None:
        """Take back one role. Raises ObjectNotFoundError. The caller advances the tenant's generation."""
        statement = self.delete(APP_ROLE_ASSIGNMENTS).where(APP_ROLE_ASSIGNMENTS.c.id == assignment_id)
        if self.connection.execute(statement).rowcount == 0:
            raise ObjectNotFoundError("app role assignment", assignment_id)

    def page(self, selection: Selection) -> tuple[Sequence[AppRoleAssignment], After]:
        """The assignments of one page of a list."""
        rows, after = read_page(self, APP_ROLE_ASSIGNMENTS, selection)
        return [_to_assignment(row) for row in rows], after

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many assignments there are under `condition`."""
        return count_rows(self, APP_ROLE_ASSIGNMENTS, condition)

    def of_principal(self, principal_id: str) -> list[AppRoleAssignment]:
        """Everything a principal was given."""
        table = APP_ROLE_ASSIGNMENTS
        rows = self.connection.execute(self.select(table).where(table.c.principal_id == principal_id))
        return [_to_assignment(row) for row in rows]

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

    def get(self, grant_id: str) -> OAuth2PermissionGrant:
        """The grant of this id. Raises ObjectNotFoundError."""
        query = self.select(OAUTH2_PERMISSION_GRANTS).where(OAUTH2_PERMISSION_GRANTS.c.id == grant_id)
        row = self.connection.execute(query).one_or_none()
        if row is None:
            raise ObjectNotFoundError("delegated permission grant", grant_id)
        return _to_grant(row)

    def find_same(self, grant: OAuth2PermissionGrant) -> OAuth2PermissionGrant | None:
        """The grant of the same client, resource and principal, if there is one."""
        return self._same(grant)

    def replace_scopes(self, grant_id: str, scopes: Iterable[str]) -> None:
        """Grant exactly these scopes from now on. The caller advances the tenant's generation."""
        statement = self.update(OAUTH2_PERMISSION_GRANTS).where(OAUTH2_PERMISSION_GRANTS.c.id == grant_id)
        self.connection.execute(statement.values(scope=" ".join(sorted(set(scopes)))))

    def remove(self, grant_id: str) -> None:
        """Take back a grant. Raises ObjectNotFoundError. The caller advances the tenant's generation."""
        statement = self.delete(OAUTH2_PERMISSION_GRANTS).where(OAUTH2_PERMISSION_GRANTS.c.id == grant_id)
        if self.connection.execute(statement).rowcount == 0:
            raise ObjectNotFoundError("delegated permission grant", grant_id)

    def page(self, selection: Selection) -> tuple[Sequence[OAuth2PermissionGrant], After]:
        """The grants of one page of a list."""
        rows, after = read_page(self, OAUTH2_PERMISSION_GRANTS, selection)
        return [_to_grant(row) for row in rows], after

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many grants there are under `condition`."""
        return count_rows(self, OAUTH2_PERMISSION_GRANTS, condition)

    def of_client(self, client_id: str) -> list[OAuth2PermissionGrant]:
        """Every grant of a client."""
        table = OAUTH2_PERMISSION_GRANTS
        return [
            _to_grant(row) for row in self.connection.execute(self.select(table).where(table.c.client_id == client_id))
        ]

    def _same(self, grant: OAuth2PermissionGrant) -> OAuth2PermissionGrant | None:
        for other in self._of(grant.client_id, grant.resource_id):
            if (other.consent_type, other.principal_id) == (grant.consent_type, grant.principal_id):
                return other
        return None

    def _of(self, client_id: str, resource_id: str) -> list[OAuth2PermissionGrant]:
        table = OAUTH2_PERMISSION_GRANTS
        query = self.select(table).where(table.c.client_id == client_id, table.c.resource_id == resource_id)
        return [_to_grant(row) for row in self.connection.execute(query)]


def _to_assignment(row: Row[Any]) -> AppRoleAssignment:
    return AppRoleAssignment(
        id=row.id,
        principal_id=row.principal_id,
        principal_type=row.principal_type,
        resource_id=row.resource_id,
        app_role_id=row.app_role_id,
        created_at=row.created_at,
    )


def _to_grant(row: Row[Any]) -> OAuth2PermissionGrant:
    scopes = frozenset(row.scope.split())
    return OAuth2PermissionGrant(row.id, row.client_id, row.consent_type, row.resource_id, scopes, row.principal_id)


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
        properties=row.properties,
    )
