"""Device groups: kept in order of rank, and the machines that belong to each, placed anew whenever either changes."""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import Row, func, select

from vedette.context import DataScope
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.identity.directory.device_access import DeviceGroupAccess
from vedette.identity.directory.security_roles import SecurityRoles
from vedette.incidents.alert_devices import AlertDevices
from vedette.machines.group_rules import MAX_VALUES, Condition, DeviceGroup, MachineFacts, group_of
from vedette.machines.tables import MACHINE_GROUPS, MACHINE_TAGS, MACHINES
from vedette.store.tenancy import TenantRepository

DEFAULT_GROUP_ID = 0
"""Machines that match no group."""

DEFAULT_GROUP_NAME = "Ungrouped devices (default)"

REMEDIATION_LEVELS = (
    "No automated response",
    "Semi - Approval required for all folders",
    "Semi - Approval required for non-temporary folders",
    "Semi - Approval required for system folders",
    "Full remediation",
)
"""MicrosoftDocs/defender-docs defender-endpoint/machine-groups.md."""

_PORTION = 2_000


class DeviceGroups(TenantRepository):
    """The device groups of one tenant, the default group not among them. Every change places the machines anew."""

    def all(self) -> list[DeviceGroup]:
        """The groups in order of rank."""
        table = MACHINE_GROUPS
        rows = self.connection.execute(self.select(table).order_by(table.c.rank, table.c.group_id))
        return [_to_group(row) for row in rows]

    def get(self, key: str) -> DeviceGroup:
        """The group of this name or number. Raises NotFoundError."""
        found = next((each for each in self.all() if key in (each.name, str(each.group_id))), None)
        if found is None:
            raise NotFoundError(resource=f"Device group {key}")
        return found

    def names_within(self, scope: DataScope) -> frozenset[str] | None:
        """Names of the groups inside a scope; None: the scope leaves no machine out."""
        if not scope.narrows_devices:
            return None
        numbers = {each.group_id: each.name for each in self.all()}
        wanted = set(numbers) if scope.device_groups is None else set(numbers) & scope.device_groups
        return frozenset(numbers[number] for number in wanted - scope.hidden_device_groups)

    def create(self, name: str, conditions: tuple[Condition, ...], **more: str) -> DeviceGroup:
        """A new group, ranked behind those that people made. `more`: description, remediation_level.

        Raises InvalidRequestError.
        """
        groups = self.all()
        group = DeviceGroup(self._next_id(), name.strip(), 0, conditions, **more)
        _check(group, groups)
        self._insert(group)
        place = sum(not each.is_reported for each in groups)
        self._rank([*groups[:place], group, *groups[place:]])
        self.place()
        return self.get(group.name)

    def replace(self, group: DeviceGroup) -> DeviceGroup:
        """Store the present name, rule, description and level; its machines follow. Raises InvalidRequestError."""
        _check(group, [each for each in self.all() if each.group_id != group.group_id])
        statement = self.update(MACHINE_GROUPS).where(MACHINE_GROUPS.c.group_id == group.group_id)
        self.connection.execute(statement.values(**_values(group)))
        self.place()
        return self.get(str(group.group_id))

    def move(self, group: DeviceGroup, rank: int) -> DeviceGroup:
        """Give a group another rank; those between make room."""
        others = [each for each in self.all() if each.group_id != group.group_id]
        self._rank([*others[: max(rank, 1) - 1], group, *others[max(rank, 1) - 1 :]])
        self.place()
        return self.get(str(group.group_id))

    def remove(self, group: DeviceGroup) -> None:
        """Delete a group with its user access; its machines go to the next that they match."""
        self.connection.execute(self.delete(MACHINE_GROUPS).where(MACHINE_GROUPS.c.group_id == group.group_id))
        DeviceGroupAccess(self.connection, self.tenant_id).remove(group.group_id)
        SecurityRoles(self.connection, self.tenant_id).forget_device_group(group.group_id)
        self._rank(self.all())
        self.place()

    def report(self, name: str) -> None:
        """Know a group that an inventory record names; it comes behind the others and matches by that record."""
        if any(each.name == name for each in self.all()):
            return
        condition = Condition("reportedGroup", "equals", (name,))
        last = len(self.all())
        self._insert(DeviceGroup(self._next_id(), name, last + 1, (condition,)))

    def counts(self) -> dict[int, int]:
        """How many machines are in each group."""
        number = MACHINES.c.rbac_group_id
        statement = select(number, func.count()).where(self.own(MACHINES)).group_by(number)
        return {row[0]: row[1] for row in self.connection.execute(statement)}

    def place(self, machine_ids: Collection[str] | None = None) -> set[str]:
        """Put machines (all, if none are named) into the group that they match first; those whose group changed."""
        groups = self.all()
        wanted = None if machine_ids is None else sorted(machine_ids)
        changed: set[str] = set()
        for start in range(0, 1 if wanted is None else len(wanted), _PORTION):
            some = None if wanted is None else wanted[start : start + _PORTION]
            changed |= {row.machine_id for row in self._machines(some) if self._place(row, groups)}
        return changed

    def _place(self, machine: "_Placed", groups: list[DeviceGroup]) -> bool:
        group = group_of(machine.facts, groups)
        number, name = (group.group_id, group.name) if group else (DEFAULT_GROUP_ID, None)
        if (number, name) == (machine.group_id, machine.group_name):
            return False
        statement = self.update(MACHINES).where(MACHINES.c.machine_id == machine.machine_id)
        revision = MACHINES.c.revision + 1
        self.connection.execute(statement.values(rbac_group_id=number, rbac_group_name=name, revision=revision))
        AlertDevices(self.connection, self.tenant_id).regroup(machine.machine_id, number, name)
        return True

    def _machines(self, machine_ids: list[str] | None) -> list["_Placed"]:
        machines, tags = self.select(MACHINES), self.select(MACHINE_TAGS)
        if machine_ids is not None:
            machines = machines.where(MACHINES.c.machine_id.in_(machine_ids))
            tags = tags.where(MACHINE_TAGS.c.machine_id.in_(machine_ids))
        tagged: dict[str, tuple[str, ...]] = {}
        for row in self.connection.execute(tags):
            tagged[row.machine_id] = (*tagged.get(row.machine_id, ()), row.tag)
        return [_to_placed(row, tagged.get(row.machine_id, ())) for row in self.connection.execute(machines).all()]

    def _rank(self, groups: Iterable[DeviceGroup]) -> None:
        for rank, group in enumerate(groups, 1):
            statement = self.update(MACHINE_GROUPS).where(MACHINE_GROUPS.c.group_id == group.group_id)
            self.connection.execute(statement.values(rank=rank))

    def _insert(self, group: DeviceGroup) -> None:
        self.insert(MACHINE_GROUPS, group_id=group.group_id, rank=group.rank, **_values(group))

    def _next_id(self) -> int:
        last = self.connection.scalar(select(func.max(MACHINE_GROUPS.c.group_id)).where(self.own(MACHINE_GROUPS)))
        return int(last or DEFAULT_GROUP_ID) + 1


class _Placed(msgspec.Struct, frozen=True):
    """A machine, and the group it is in."""

    machine_id: str
    facts: MachineFacts
    group_id: int
    group_name: str | None


def _to_placed(row: Row[Any], tags: tuple[str, ...]) -> _Placed:
    facts = MachineFacts(row.dns_name, tags, row.os_platform, row.reported_group)
    return _Placed(row.machine_id, facts, row.rbac_group_id, row.rbac_group_name)


def _check(group: DeviceGroup, others: Iterable[DeviceGroup]) -> None:
    if not 1 <= len(group.name) <= 200 or group.name == DEFAULT_GROUP_NAME:
        raise InvalidRequestError("InvalidBodyValue", property="name")
    if group.name in {each.name for each in others}:
        raise InvalidRequestError("InvalidBodyValue", property="name")
    if group.remediation_level and group.remediation_level not in REMEDIATION_LEVELS:
        raise InvalidRequestError("InvalidBodyValue", property="remediationLevel")
    for condition in group.conditions:
        if not 1 <= len(condition.values) <= MAX_VALUES or not all(value.strip() for value in condition.values):
            raise InvalidRequestError("InvalidBodyValue", property=condition.property)


def _values(group: DeviceGroup) -> dict[str, object]:
    return {
        "name": group.name,
        "description": group.description,
        "remediation_level": group.remediation_level,
        "conditions": msgspec.to_builtins(group.conditions),
    }


def _to_group(row: Row[Any]) -> DeviceGroup:
    return DeviceGroup(
        group_id=row.group_id,
        name=row.name,
        rank=row.rank,
        conditions=msgspec.convert(row.conditions, tuple[Condition, ...]),
        description=row.description,
        remediation_level=row.remediation_level,
    )
