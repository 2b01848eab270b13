"""`vedette devicegroup …`: device groups of a tenant, for those who own the data folder, server running or not."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from vedette.context import Tenant
from vedette.errors import ApiError, UsageError
from vedette.identity.change_log import ChangeLog, Target
from vedette.identity.directory.device_access import DeviceGroupAccess
from vedette.identity.directory.groups import GROUP_FIELDS, Groups
from vedette.identity.errors import DirectoryError
from vedette.machines import inventory_rows
from vedette.machines.device_groups import DEFAULT_GROUP_ID, DEFAULT_GROUP_NAME, DeviceGroups
from vedette.machines.group_rules import Condition, DeviceGroup
from vedette.odata.paging import Selection
from vedette.server.tenants import owned_services, owner_log
from vedette.server.wiring import Services


class GroupChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of a device group; None keeps what there is."""

    rules: Sequence[str] | None = None
    access: Sequence[str] | None = None
    rank: int | None = None
    description: str | None = None
    level: str | None = None


def list_device_groups(data: Path, tenant: str | None) -> list[dict[str, object]]:
    """The groups in order of rank, the default one last."""
    with _opened(data, tenant) as (connection, tenant_id, _log):
        groups = DeviceGroups(connection, tenant_id)
        counts, access = groups.counts(), DeviceGroupAccess(connection, tenant_id).all()
        names = {group.id: group.display_name for group in Groups(connection, tenant_id).page(Selection(None, ()))[0]}

        def described(group_id: int, name: str, rank: int | None, rule: str) -> dict[str, object]:
            people = sorted(names.get(each, each) for each in access.get(group_id, ()))
            shown = {"rank": rank, "name": name, "id": group_id, "rule": rule, "machines": counts.get(group_id, 0)}
            return {**shown, "access": ", ".join(people) or "everybody"}

        rows = [described(each.group_id, each.name, each.rank, rule_text(each.conditions)) for each in groups.all()]
        return [*rows, described(DEFAULT_GROUP_ID, DEFAULT_GROUP_NAME, None, "")]


def create_device_group(data: Path, tenant: str | None, name: str, change: GroupChange) -> dict[str, object]:
    """A new group. Raises UsageError for what its owner can mend."""
    with _opened(data, tenant) as (connection, tenant_id, log):
        group = DeviceGroups(connection, tenant_id).create(name, read_rules(change.rules or ()))
        log.tell("add_device_group", target_of(group), rule=rule_text(group.conditions))
        return _changed(connection, tenant_id, group, change)


def change_device_group(data: Path, tenant: str | None, name: str, change: GroupChange) -> dict[str, object]:
    """Change a group; of the default group, user access alone."""
    with _opened(data, tenant) as (connection, tenant_id, log):
        if name in (DEFAULT_GROUP_NAME, str(DEFAULT_GROUP_ID)):
            if change.access is None:
                raise UsageError("Of the default group only the user access can be changed.")
            _give_access(connection, tenant_id, DEFAULT_GROUP_ID, change.access)
            default = Target(str(DEFAULT_GROUP_ID), DEFAULT_GROUP_NAME)
            log.tell("give_device_group_access", default, access=", ".join(change.access))
            return {"name": DEFAULT_GROUP_NAME, "id": DEFAULT_GROUP_ID}
        group = DeviceGroups(connection, tenant_id).get(name)
        answer = _changed(connection, tenant_id, group, change)
        log.tell("update_device_group", target_of(group), **_details(change))
        return answer


def delete_device_group(data: Path, tenant: str | None, name: str) -> None:
    """Delete a group; its machines go to the next that they match."""
    with _opened(data, tenant) as (connection, tenant_id, log):
        groups = DeviceGroups(connection, tenant_id)
        group = groups.get(name)
        groups.remove(group)
        log.tell("delete_device_group", target_of(group))


def rule_text(conditions: Iterable[Condition]) -> str:
    """A matching rule as people write it."""
    return " and ".join(f"{each.property} {each.operator} {' or '.join(each.values)}" for each in conditions)


def target_of(group: DeviceGroup) -> Target:
    """A device group as the audit names it."""
    return Target(str(group.group_id), group.name)


def read_rules(texts: Iterable[str]) -> tuple[Condition, ...]:
    """Conditions from lines such as `name startsWith ws-`; lines of one property and operator are alternatives."""
    found: dict[tuple[str, str], list[str]] = {}
    for text in texts:
        words = text.split(maxsplit=2)
        if len(words) < 3:
            raise UsageError(f"{text!r} is no rule: write property, operator and value, such as 'name startsWith ws-'.")
        found.setdefault((words[0], words[1]), []).append(words[2].strip())
    try:
        return tuple(
            msgspec.convert({"property": name, "operator": operator, "values": values}, Condition)
            for (name, operator), values in found.items()
        )
    except msgspec.ValidationError as error:
        raise UsageError(f"No such rule: {error}.") from error


@contextmanager
def _opened(data: Path, name: str | None) -> Iterator[tuple[Connection, str, ChangeLog]]:
    with owned_services(data) as services, services.store.begin() as connection:
        tenant = tenant_of(services, name)
        try:
            yield connection, tenant.tenant_id, owner_log(connection, services, tenant.tenant_id)
        except (DirectoryError, ApiError) as error:
            raise UsageError(f"{error}.") from error
        tell_inventory(services, connection, tenant.tenant_id)


def tenant_of(services: Services, name: str | None) -> Tenant:
    """The tenant of a GUID or domain; without a name, the home tenant. Raises UsageError."""
    tenant = services.tenant(name)
    if tenant is None:
        raise UsageError(f"There is no tenant {name}." if name else "There is no tenant yet.")
    return tenant


def tell_inventory(services: Services, connection: Connection, tenant_id: str) -> None:
    """Have hunting rows written of machines whose group changed."""
    now = services.clock.time()
    services.queue.enqueue(connection, tenant_id, inventory_rows.JOB, {}, run_at=now, key=inventory_rows.KEY)


def _changed(connection: Connection, tenant_id: str, group: DeviceGroup, change: GroupChange) -> dict[str, object]:
    groups = DeviceGroups(connection, tenant_id)
    group = groups.replace(
        msgspec.structs.replace(
            group,
            conditions=group.conditions if change.rules is None else read_rules(change.rules),
            description=group.description if change.description is None else change.description,
            remediation_level=group.remediation_level if change.level is None else change.level,
        )
    )
    if change.rank is not None:
        group = groups.move(group, change.rank)
    if change.access is not None:
        _give_access(connection, tenant_id, group.group_id, change.access)
    machines = groups.counts().get(group.group_id, 0)
    return {"rank": group.rank, "name": group.name, "id": group.group_id, "machines": machines}


def _details(change: GroupChange) -> dict[str, str]:
    """What was changed, in words."""
    given = {
        "rule": None if change.rules is None else rule_text(read_rules(change.rules)),
        "access": None if change.access is None else ", ".join(change.access),
        "rank": None if change.rank is None else str(change.rank),
        "description": change.description,
        "level": change.level,
    }
    return {name: text for name, text in given.items() if text is not None}


def _give_access(connection: Connection, tenant_id: str, group_id: int, names: Sequence[str]) -> None:
    ids = [group_of_people(connection, tenant_id, name) for name in names if name]
    DeviceGroupAccess(connection, tenant_id).put(group_id, ids)


def group_of_people(connection: Connection, tenant_id: str, name: str) -> str:
    """The id of the security group of this name or id. Raises ObjectNotFoundError, or UsageError for a shared name."""
    groups = Groups(connection, tenant_id)
    found, _ = groups.page(Selection(GROUP_FIELDS.display_name == name, ()))
    if len(found) > 1:
        raise UsageError(f"Several groups are named {name}: give the id of one.")
    return found[0].id if found else groups.get(name.lower()).id
