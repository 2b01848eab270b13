"""Custom roles: named sets of permissions, assigned to people or groups over all data or a part of it.

What a role brings bounds delegated tokens besides directory roles; every change tells caches.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row

from vedette.context import RoleGrant
from vedette.contracts.data_sources import load_data_sources
from vedette.contracts.security_permissions import load_security_permissions, rights_of
from vedette.identity.directory.groups import Groups
from vedette.identity.directory.security_role_tables import SECURITY_ROLE_ASSIGNMENTS, SECURITY_ROLES
from vedette.identity.directory.tenants import Tenants
from vedette.identity.directory.users import Users
from vedette.identity.errors import InvalidValueError, ObjectExistsError, ObjectNotFoundError
from vedette.store.tenancy import TenantRepository


class SecurityRole(msgspec.Struct, frozen=True):
    """A custom role. `permissions` are keys of the contract."""

    id: str
    display_name: str
    permissions: tuple[str, ...]
    created_at: int
    description: str = ""


class SecurityRoleAssignment(msgspec.Struct, frozen=True):
    """A role given to a user or to the members of a group. None is all data sources, or all device groups."""

    id: str
    role_id: str
    principal_id: str
    created_at: int
    data_sources: tuple[str, ...] | None = None
    device_groups: tuple[int, ...] | None = None


class SecurityRoles(TenantRepository):
    """The custom roles of one tenant."""

    def create(self, role: SecurityRole) -> None:
        """Store a role that nobody has yet. Raises a DirectoryError."""
        _check(role)
        if self.find(role.display_name) is not None:
            raise ObjectExistsError("role", role.display_name)
        values = msgspec.structs.asdict(role) | {"permissions": list(role.permissions)}
        self.insert(SECURITY_ROLES, **values)

    def replace(self, role: SecurityRole) -> None:
        """Store the present values. Raises a DirectoryError."""
        _check(role)
        same_name = self.find(role.display_name)
        if same_name is not None and same_name.id != role.id:
            raise ObjectExistsError("role", role.display_name)
        values = {"display_name": role.display_name, "description": role.description}
        statement = self.update(SECURITY_ROLES).where(SECURITY_ROLES.c.id == role.id)
        self.connection.execute(statement.values(permissions=list(role.permissions), **values))
        self._tell()

    def remove(self, role: SecurityRole) -> None:
        """Delete a role with its assignments."""
        self.connection.execute(self.delete(SECURITY_ROLES).where(SECURITY_ROLES.c.id == role.id))
        self._tell()

    def find(self, key: str) -> SecurityRole | None:
        """The role of this id or name, or None."""
        matching = (SECURITY_ROLES.c.id == key.lower()) | (SECURITY_ROLES.c.display_name == key)
        row = self.connection.execute(self.select(SECURITY_ROLES).where(matching)).first()
        return None if row is None else _to_role(row)

    def get(self, key: str) -> SecurityRole:
        """As `find`. Raises ObjectNotFoundError."""
        role = self.find(key)
        if role is None:
            raise ObjectNotFoundError("role", key)
        return role

    def all(self) -> list[SecurityRole]:
        """Every role by name."""
        rows = self.connection.execute(self.select(SECURITY_ROLES).order_by(SECURITY_ROLES.c.display_name))
        return [_to_role(row) for row in rows]

    def assign(self, assignment: SecurityRoleAssignment) -> None:
        """Give a role. Raises a DirectoryError for a principal or a data source that there is not."""
        self.get(assignment.role_id)
        principal_name(self, assignment.principal_id)
        for source in assignment.data_sources or ():
            if source not in load_data_sources().by_key():
                raise InvalidValueError("dataSources", source)
        values = msgspec.structs.asdict(assignment)
        for name in ("data_sources", "device_groups"):
            values[name] = None if values[name] is None else list(values[name])
        self.insert(SECURITY_ROLE_ASSIGNMENTS, **values)
        self._tell()

    def unassign(self, assignment_id: str) -> SecurityRoleAssignment:
        """Take an assignment back; what it was. Raises ObjectNotFoundError."""
        table = SECURITY_ROLE_ASSIGNMENTS
        row = self.connection.execute(self.select(table).where(table.c.id == assignment_id.lower())).first()
        if row is None:
            raise ObjectNotFoundError("role assignment", assignment_id)
        self.connection.execute(self.delete(table).where(table.c.id == row.id))
        self._tell()
        return _to_assignment(row)

    def withdraw(self, principal_id: str) -> None:
        """Forget what was given to somebody who is deleted. The caller advances the tenant's generation."""
        table = SECURITY_ROLE_ASSIGNMENTS
        self.connection.execute(self.delete(table).where(table.c.principal_id == principal_id))

    def assignments(self) -> list[SecurityRoleAssignment]:
        """Every assignment, oldest first."""
        table = SECURITY_ROLE_ASSIGNMENTS
        rows = self.connection.execute(self.select(table).order_by(table.c.created_at, table.c.id))
        return [_to_assignment(row) for row in rows]

    def forget_device_group(self, device_group_id: int) -> None:
        """Take a device group that is deleted out of every assignment; one limited to it alone reaches no machine."""
        table = SECURITY_ROLE_ASSIGNMENTS
        for each in self.assignments():
            if each.device_groups is not None and device_group_id in each.device_groups:
                kept = [number for number in each.device_groups if number != device_group_id]
                self.connection.execute(self.update(table).where(table.c.id == each.id).values(device_groups=kept))
        self._tell()

    def grants_of(self, principal_ids: Collection[str]) -> tuple[RoleGrant, ...]:
        """What somebody has by their own id and those of their groups."""
        table, roles = SECURITY_ROLE_ASSIGNMENTS, {role.id: role for role in self.all()}
        rows = self.connection.execute(self.select(table).where(table.c.principal_id.in_(sorted(principal_ids))))
        return tuple(_to_grant(roles[row.role_id], _to_assignment(row)) for row in rows)

    def _tell(self) -> None:
        Tenants(self.connection).advance_generation(self.tenant_id)


def principal_name(repository: TenantRepository, principal_id: str) -> str:
    """The name of the user or group of this id. Raises ObjectNotFoundError."""
    user = Users(repository.connection, repository.tenant_id).find(principal_id)
    if user is not None:
        return user.user_principal_name
    return Groups(repository.connection, repository.tenant_id).get(principal_id).display_name


def _check(role: SecurityRole) -> None:
    if not 1 <= len(role.display_name.strip()) <= 256:
        raise InvalidValueError("displayName", role.display_name[:20])
    unknown = [key for key in role.permissions if key not in load_security_permissions()]
    if unknown or not role.permissions:
        raise InvalidValueError("permissions", ", ".join(unknown) or "none")


def _to_role(row: Row[Any]) -> SecurityRole:
    return SecurityRole(row.id, row.display_name, tuple(row.permissions), row.created_at, row.description)


def _to_assignment(row: Row[Any]) -> SecurityRoleAssignment:
    return SecurityRoleAssignment(
        row.id,
        row.role_id,
        row.principal_id,
        row.created_at,
        _tuple(row.data_sources),
        _tuple(row.device_groups),
    )


def _tuple(values: Sequence[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)


def _to_grant(role: SecurityRole, assignment: SecurityRoleAssignment) -> RoleGrant:
    groups, sources = assignment.device_groups, assignment.data_sources
    return RoleGrant(
        rights_of(role.permissions),
        None if groups is None else frozenset(groups),
        None if sources is None else frozenset(sources),
    )
