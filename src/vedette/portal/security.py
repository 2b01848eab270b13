"""Permissions: device groups with their rules and user access, custom roles and who has them over which data."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from vedette.api.http import ApiResponse
from vedette.contracts.data_sources import load_data_sources
from vedette.contracts.security_permissions import load_security_permissions
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.identity.change_log import ChangeLog, Target
from vedette.identity.directory.device_access import DeviceGroupAccess
from vedette.identity.directory.groups import Group, Groups
from vedette.identity.directory.security_roles import (
    SecurityRole,
    SecurityRoleAssignment,
    SecurityRoles,
    principal_name,
)
from vedette.identity.directory.users import Users
from vedette.identity.errors import InvalidValueError, ObjectNotFoundError
from vedette.identity.services import IdentityServices
from vedette.jobs.queue import JobQueue
from vedette.machines import inventory_rows
from vedette.machines.device_groups import (
    DEFAULT_GROUP_ID,
    DEFAULT_GROUP_NAME,
    REMEDIATION_LEVELS,
    DeviceGroups,
)
from vedette.machines.group_rules import Condition, DeviceGroup
from vedette.odata.paging import Selection
from vedette.portal.rendering import see
from vedette.portal.visit import Page, Visit

SECTION = "permissions"
HOME = "/portal/permissions"
PROPERTIES = {"name": "Name", "domain": "Domain", "tag": "Tag", "osPlatform": "Operating system"}
OPERATORS = {"startsWith": "starts with", "endsWith": "ends with", "equals": "is", "contains": "contains"}


class PermissionPages:
    """Handlers of the section."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services
        self._queue = JobQueue(services.store, services.clock, services.ids)

    def pages(self) -> Mapping[str, Page]:
        """Pages by operation handler name."""
        return {
            "show_access": self.show,
            "add_access": self.add,
            "show_device_group": self.show_group,
            "change_device_group": self.change_group,
            "show_security_role": self.show_role,
            "change_security_role": self.change_role,
        }

    def show(self, visit: Visit) -> ApiResponse:
        """Every device group and every role."""
        with self._services.store.connect() as connection:
            groups = DeviceGroups(connection, visit.tenant_id)
            counts, access = groups.counts(), DeviceGroupAccess(connection, visit.tenant_id).all()
            names = {group.id: group.display_name for group in _people(connection, visit.tenant_id)}
            default = DeviceGroup(DEFAULT_GROUP_ID, DEFAULT_GROUP_NAME, 0)
            rows = [
                (
                    group,
                    counts.get(group.group_id, 0),
                    sorted(names.get(each, each) for each in access.get(group.group_id, ())),
                )
                for group in (*groups.all(), default)
            ]
            roles = SecurityRoles(connection, visit.tenant_id).all()
        return visit.show(
            "permissions",
            "Permissions",
            section=SECTION,
            rows=rows,
            roles=roles,
            permissions=load_security_permissions(),
        )

    def add(self, visit: Visit) -> ApiResponse:
        """A new device group, or a new role."""
        if visit.field("action") == "device-group":
            with self._services.store.begin() as connection:
                group = DeviceGroups(connection, visit.tenant_id).create(visit.field("name"), ())
                self._log(connection, visit).tell("add_device_group", _target(group))
            return see(f"{HOME}/device-groups/{group.group_id}")
        role = SecurityRole(
            self._services.ids.guid(),
            visit.field("name"),
            tuple(visit.form.get("permission", [])),
            self._services.now(),
        )
        with self._services.store.begin() as connection:
            SecurityRoles(connection, visit.tenant_id).create(role)
            log = self._log(connection, visit)
            log.tell("add_security_role", role, permissions=", ".join(role.permissions))
        return see(f"{HOME}/roles/{role.id}")

    def show_group(self, visit: Visit) -> ApiResponse:
        """One device group."""
        with self._services.store.connect() as connection:
            group = _group(connection, visit)
            access = DeviceGroupAccess(connection, visit.tenant_id).all().get(group.group_id, frozenset())
            people = [(each, each.id in access) for each in _people(connection, visit.tenant_id)]
            machines = DeviceGroups(connection, visit.tenant_id).counts().get(group.group_id, 0)
        return visit.show(
            "device_group",
            group.name,
            section=SECTION,
            group=group,
            is_default=group.group_id == DEFAULT_GROUP_ID,
            people=people,
            machines=machines,
            levels=REMEDIATION_LEVELS,
            properties=PROPERTIES,
            operators=OPERATORS,
            values={each.property: (each.operator, "\n".join(each.values)) for each in group.conditions},
        )

    def change_group(self, visit: Visit) -> ApiResponse:
        """Whatever the page's forms offer."""
        action = visit.field("action")
        with self._services.store.begin() as connection:
            groups, group = DeviceGroups(connection, visit.tenant_id), _group(connection, visit)
            log = self._log(connection, visit)
            if action == "access":
                chosen = visit.form.get("people", [])
                DeviceGroupAccess(connection, visit.tenant_id).put(group.group_id, chosen)
                names = {each.id: each.display_name for each in _people(connection, visit.tenant_id)}
                access = ", ".join(names.get(each, each) for each in chosen)
                log.tell("give_device_group_access", _target(group), access=access)
            elif action == "save" and group.group_id != DEFAULT_GROUP_ID:
                groups.move(groups.replace(_edited(group, visit)), _rank(visit))
                log.tell("update_device_group", _target(group))
            elif action == "delete" and group.group_id != DEFAULT_GROUP_ID:
                groups.remove(group)
                log.tell("delete_device_group", _target(group))
            else:
                raise InvalidValueError("action", action)
            now, key = self._services.clock.time(), inventory_rows.KEY
            self._queue.enqueue(connection, visit.tenant_id, inventory_rows.JOB, {}, run_at=now, key=key)
        return see(HOME if action == "delete" else f"{HOME}/device-groups/{group.group_id}")

    def show_role(self, visit: Visit) -> ApiResponse:
        """One role and who has it."""
        with self._services.store.connect() as connection:
            roles = SecurityRoles(connection, visit.tenant_id)
            role = roles.get(visit.path("role"))
            groups = DeviceGroups(connection, visit.tenant_id).all()
            names = {DEFAULT_GROUP_ID: DEFAULT_GROUP_NAME} | {group.group_id: group.name for group in groups}
            given = [
                (each, principal_name(roles, each.principal_id), _reach(each, names))
                for each in roles.assignments()
                if each.role_id == role.id
            ]
            principals = [
                *((user.id, user.user_principal_name) for user in Users(connection, visit.tenant_id).page(_ALL)[0]),
                *((group.id, f"Group {group.display_name}") for group in _people(connection, visit.tenant_id)),
            ]
        return visit.show(
            "security_role",
            role.display_name,
            section=SECTION,
            role=role,
            permissions=load_security_permissions().values(),
            given=given,
            principals=principals,
            sources=load_data_sources().sources,
            device_groups=names,
        )

    def change_role(self, visit: Visit) -> ApiResponse:
        """Whatever the page's forms offer."""
        action = visit.field("action")
        with self._services.store.begin() as connection:
            roles = SecurityRoles(connection, visit.tenant_id)
            role, log = roles.get(visit.path("role")), self._log(connection, visit)
            if action == "save":
                permissions = tuple(visit.form.get("permission", []))
                roles.replace(
                    msgspec.structs.replace(role, permissions=permissions, description=visit.field("description"))
                )
                log.tell("update_security_role", role, permissions=", ".join(permissions))
            elif action == "assign":
                assignment = self._assignment(role, visit)
                roles.assign(assignment)
                log.tell_of_security_role("assign_security_role", assignment)
            elif action == "unassign":
                log.tell_of_security_role("withdraw_security_role", roles.unassign(visit.field("assignment")))
            elif action == "delete":
                roles.remove(role)
                log.tell("delete_security_role", role)
            else:
                raise InvalidValueError("action", action)
        return see(HOME if action == "delete" else f"{HOME}/roles/{role.id}")

    def _log(self, connection: Connection, visit: Visit) -> ChangeLog:
        return ChangeLog(connection, self._services, visit.author)

    def _assignment(self, role: SecurityRole, visit: Visit) -> SecurityRoleAssignment:
        numbers = [_number(text) for text in visit.form.get("device_group", [])]
        return SecurityRoleAssignment(
            self._services.ids.guid(),
            role.id,
            visit.field("principal").lower(),
            self._services.now(),
            tuple(visit.form.get("source", [])) or None,
            tuple(numbers) or None,
        )


_ALL = Selection(None, ())


def _people(connection: Connection, tenant_id: str) -> Sequence[Group]:
    groups, _ = Groups(connection, tenant_id).page(_ALL)
    return sorted(groups, key=lambda group: group.display_name)


def _group(connection: Connection, visit: Visit) -> DeviceGroup:
    number = visit.path("group")
    if number == str(DEFAULT_GROUP_ID):
        return DeviceGroup(DEFAULT_GROUP_ID, DEFAULT_GROUP_NAME, 0)
    groups = DeviceGroups(connection, visit.tenant_id)
    try:
        return groups.get(number)
    except NotFoundError as error:
        raise ObjectNotFoundError("device group", number) from error


def _edited(group: DeviceGroup, visit: Visit) -> DeviceGroup:
    reported = tuple(each for each in group.conditions if each.property not in PROPERTIES)
    conditions = tuple(
        msgspec.convert({"property": name, "operator": visit.field(f"{name}-operator"), "values": values}, Condition)
        for name in PROPERTIES
        if (values := [line.strip() for line in visit.field(f"{name}-values").splitlines() if line.strip()])
        and visit.field(f"{name}-operator") in OPERATORS
    )
    return msgspec.structs.replace(
        group,
        name=visit.field("name"),
        description=visit.field("description"),
        remediation_level=visit.field("level"),
        conditions=(*reported, *conditions),
    )


def _target(group: DeviceGroup) -> Target:
    return Target(str(group.group_id), group.name)


def _rank(visit: Visit) -> int:
    return _number(visit.field("rank"))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidRequestError("InvalidBodyValue", property="number")
    return int(text)


def _reach(assignment: SecurityRoleAssignment, groups: Mapping[int, str]) -> str:
    sources = load_data_sources().by_key()
    named = (
        [sources[key].name for key in assignment.data_sources] if assignment.data_sources is not None else ["all data"],
        [groups.get(number, str(number)) for number in assignment.device_groups]
        if assignment.device_groups is not None
        else ["all device groups"],
    )
    return "; ".join(", ".join(each) or "nothing" for each in named)
