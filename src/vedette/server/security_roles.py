"""`vedette role …`: custom roles of a tenant, for those who own the data folder, server running or not."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from vedette.contracts.security_permissions import load_security_permissions
from vedette.errors import ApiError, UsageError
from vedette.identity.directory.security_roles import (
    SecurityRole,
    SecurityRoleAssignment,
    SecurityRoles,
    principal_name,
)
from vedette.identity.directory.users import Users
from vedette.identity.errors import DirectoryError, ObjectNotFoundError
from vedette.machines.device_groups import DEFAULT_GROUP_ID, DEFAULT_GROUP_NAME, DeviceGroups
from vedette.server.device_groups import group_of_people, tenant_of
from vedette.server.tenants import owned_services, owner_log
from vedette.server.wiring import Services


def list_permissions() -> list[dict[str, object]]:
    """What roles can be made of."""
    return [
        {"key": each.key, "group": each.group, "name": each.name, "rights": ", ".join(each.rights)}
        for each in load_security_permissions().values()
    ]


def list_roles(data: Path, tenant: str | None) -> list[dict[str, object]]:
    """The tenant's roles."""
    with _opened(data, tenant) as (connection, tenant_id, _services):
        roles = SecurityRoles(connection, tenant_id).all()
        return [
            {"name": role.display_name, "permissions": ", ".join(role.permissions), "id": role.id} for role in roles
        ]


def create_role(
    data: Path, tenant: str | None, name: str, permissions: Sequence[str], description: str
) -> dict[str, object]:
    """A new role. Raises UsageError for what its owner can mend."""
    if unknown := [key for key in permissions if key not in load_security_permissions()]:
        raise UsageError(f"No such permission: {', '.join(unknown)}. List them with: vedette role permissions")
    with _opened(data, tenant) as (connection, tenant_id, services):
        now = services.identity.now()
        role = SecurityRole(services.ids.guid(), name, tuple(dict.fromkeys(permissions)), now, description)
        SecurityRoles(connection, tenant_id).create(role)
        owner_log(connection, services, tenant_id).tell(
            "add_security_role", role, permissions=", ".join(role.permissions)
        )
        return {"name": role.display_name, "id": role.id}


def delete_role(data: Path, tenant: str | None, name: str) -> None:
    """Delete a role with its assignments."""
    with _opened(data, tenant) as (connection, tenant_id, services):
        roles = SecurityRoles(connection, tenant_id)
        role = roles.get(name)
        roles.remove(role)
        owner_log(connection, services, tenant_id).tell("delete_security_role", role)


def list_assignments(data: Path, tenant: str | None) -> list[dict[str, object]]:
    """Who has which role, over what."""
    with _opened(data, tenant) as (connection, tenant_id, _services):
        roles = SecurityRoles(connection, tenant_id)
        names = {role.id: role.display_name for role in roles.all()}
        groups = {group.group_id: group.name for group in DeviceGroups(connection, tenant_id).all()}
        groups[DEFAULT_GROUP_ID] = DEFAULT_GROUP_NAME
        return [
            {
                "role": names[each.role_id],
                "who": principal_name(roles, each.principal_id),
                "data sources": "all" if each.data_sources is None else ", ".join(each.data_sources),
                "device groups": "all"
                if each.device_groups is None
                else ", ".join(groups.get(number, str(number)) for number in each.device_groups),
                "id": each.id,
            }
            for each in roles.assignments()
        ]


def assign_role(
    data: Path,
    tenant: str | None,
    role: str,
    who: str,
    *,
    sources: Sequence[str],
    device_groups: Sequence[str],
) -> dict[str, object]:
    """Give a role to a user or a group; without sources or device groups, over all of them."""
    with _opened(data, tenant) as (connection, tenant_id, services):
        roles, groups = SecurityRoles(connection, tenant_id), DeviceGroups(connection, tenant_id)
        numbers = [
            DEFAULT_GROUP_ID if name in (DEFAULT_GROUP_NAME, str(DEFAULT_GROUP_ID)) else groups.get(name).group_id
            for name in device_groups
        ]
        assignment = SecurityRoleAssignment(
            services.ids.guid(),
            roles.get(role).id,
            _principal(connection, tenant_id, who),
            services.identity.now(),
            tuple(sources) or None,
            tuple(numbers) or None,
        )
        roles.assign(assignment)
        owner_log(connection, services, tenant_id).tell_of_security_role("assign_security_role", assignment)
        return {"role": role, "who": who, "id": assignment.id}


def unassign_role(data: Path, tenant: str | None, assignment_id: str) -> None:
    """Take an assignment back."""
    with _opened(data, tenant) as (connection, tenant_id, services):
        assignment = SecurityRoles(connection, tenant_id).unassign(assignment_id)
        owner_log(connection, services, tenant_id).tell_of_security_role("withdraw_security_role", assignment)


def _principal(connection: Connection, tenant_id: str, who: str) -> str:
    user = Users(connection, tenant_id).find(who)
    return user.id if user is not None else group_of_people(connection, tenant_id, who)


@contextmanager
def _opened(data: Path, name: str | None) -> Iterator[tuple[Connection, str, Services]]:
    with owned_services(data) as services, services.store.begin() as connection:
        tenant = tenant_of(services, name)
        try:
            yield connection, tenant.tenant_id, services
        except ObjectNotFoundError as error:
            raise UsageError(f"There is no {error.kind} {error.key}.") from error
        except (DirectoryError, ApiError) as error:
            raise UsageError(f"{error}.") from error
