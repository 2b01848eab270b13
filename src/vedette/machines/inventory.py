"""Machines: the struct, and the repository that surfaces read from and change."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, exists, func, or_, select

from vedette.clock import TICKS_PER_SECOND
from vedette.context import EVERYTHING, DataScope
from vedette.incidents.risk import device_risk
from vedette.machines.device_groups import DeviceGroups
from vedette.machines.tables import MACHINE_ADDRESSES, MACHINE_TAGS, MACHINE_USERS, MACHINES
from vedette.machines.visibility import MachineRepository
from vedette.odata.paging import KEYS_OF_ONE_STATEMENT, SortKey, order_rows

INACTIVE_AFTER = 7 * 86_400 * TICKS_PER_SECOND
"""Not heard of for so long, a machine is inactive (MicrosoftDocs/defender-docs fix-unhealthy-sensors.md)."""

SHOWN_ADDRESSES = 50


class IpAddress(msgspec.Struct, frozen=True, gc=False):
    """An address of a machine."""

    ip_address: str
    mac_address: str | None
    operational_status: str | None
    adapter_type: str | None
    last_seen: int


class MachineUser(msgspec.Struct, frozen=True):
    """An account that logged on to a machine."""

    account_name: str
    account_domain: str
    account_sid: str | None
    first_seen: int
    last_seen: int
    logon_types: tuple[str, ...]
    is_local_admin: bool


class Machine(msgspec.Struct, frozen=True, gc=False):
    """One machine, its tags and addresses included."""

    machine_id: str
    dns_name: str
    first_seen: int
    last_seen: int
    os_platform: str | None
    os_architecture: str | None
    os_version: str | None
    os_build: int | None
    agent_version: str | None
    last_ip_address: str | None
    last_external_ip_address: str | None
    onboarding_status: str
    rbac_group_id: int
    rbac_group_name: str | None
    exposure_level: str
    device_value: str
    aad_device_id: str | None
    is_aad_joined: bool | None
    health_status: str
    risk_score: str
    tags: tuple[str, ...] = ()
    addresses: tuple[IpAddress, ...] = ()


class MachineChange(msgspec.Struct, frozen=True):
    """What a caller changes. UNSET keeps the value."""

    tags: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    device_value: str | msgspec.UnsetType = msgspec.UNSET


def health_status(now: int) -> ColumnElement[str]:
    """`Active` or `Inactive`, by how long ago a machine was last heard of."""
    return case((MACHINES.c.last_seen >= now - INACTIVE_AFTER, "Active"), else_="Inactive")


class Machines(MachineRepository):
    """The machines of one tenant inside a scope, as of `now` (ticks)."""

    def __init__(self, connection: Connection, tenant_id: str, now: int, scope: DataScope = EVERYTHING) -> None:
        super().__init__(connection, tenant_id, scope)
        self._now = now

    @property
    def fields(self) -> Mapping[str, ColumnElement[Any]]:
        """What surfaces may filter and sort by, computed values included."""
        return {
            **{column.name: column for column in MACHINES.columns},
            "health_status": health_status(self._now),
            "risk_score": device_risk(self.tenant_id, MACHINES.c.machine_id),
        }

    def get(self, machine_id: str) -> Machine | None:
        """One machine, or None."""
        return next(iter(self.of_ids([machine_id])), None)

    def find(self, name: str) -> Machine | None:
        """A machine by its id or, whichever was seen last, by its full or host name."""
        wanted = name.lower()
        if (machine := self.get(wanted)) is not None:
            return machine
        host = func.lower(MACHINES.c.dns_name)
        matching = or_(host == wanted, host.startswith(f"{wanted}.", autoescape=True))
        row = self.connection.execute(self._select().where(matching).order_by(MACHINES.c.last_seen.desc())).first()
        return None if row is None else self._load([row])[0]

    def of_ids(self, machine_ids: Iterable[str]) -> list[Machine]:
        """Those of the machines that exist, last seen first."""
        return self._where(MACHINES.c.machine_id.in_(sorted({each.lower() for each in machine_ids})))

    def keys(self, condition: ColumnElement[bool] | None, order: Sequence[SortKey]) -> list[int | str]:
        """The ids of those that meet a condition, in an order."""
        statement = select(MACHINES.c.machine_id).where(self.own(MACHINES))
        return list(self.connection.scalars(order_rows(statement, condition, order)))

    def of_keys(self, keys: Sequence[int | str]) -> list[Machine]:
        """Those that still are, in the order of their ids."""
        found = {each.machine_id: each for some in _chunks([str(key) for key in keys]) for each in self.of_ids(some)}
        return [found[str(key)] for key in keys if key in found]

    def count(self, condition: ColumnElement[bool] | None = None) -> int:
        """How many machines meet `condition`."""
        statement = select(func.count()).select_from(MACHINES).where(self.own(MACHINES))
        return int(self.connection.scalar(statement if condition is None else statement.where(condition)) or 0)

    def by_tag(self, tag: str, *, prefix: bool) -> list[Machine]:
        """Machines with a tag, or with one that starts with it."""
        column = MACHINE_TAGS.c.tag
        matching = column.startswith(tag, autoescape=True) if prefix else column == tag
        return self._where(exists().where(_of_machine(MACHINE_TAGS), matching))

    def by_ip(self, ip_address: str, first: int, last: int) -> list[Machine]:
        """Machines that had the address, within or around a span of time."""
        seen = and_(MACHINE_ADDRESSES.c.first_seen <= last, MACHINE_ADDRESSES.c.last_seen >= first)
        return self._where(
            exists().where(_of_machine(MACHINE_ADDRESSES), MACHINE_ADDRESSES.c.ip_address == ip_address, seen)
        )

    def by_account(self, name: str) -> list[Machine]:
        """Machines that an account logged on to, by its name with or without domain."""
        account = func.lower(MACHINE_USERS.c.account_name) == name.lower()
        matching = or_(account, MACHINE_USERS.c.account_id == name.lower())
        return self._where(exists().where(_of_machine(MACHINE_USERS), matching))

    def users(self, machine_id: str) -> list[MachineUser]:
        """Accounts that logged on to a machine, last seen first."""
        table = MACHINE_USERS
        statement = self.select(table).where(table.c.machine_id == machine_id).order_by(table.c.last_seen.desc())
        return [
            MachineUser(
                row.account_name,
                row.account_domain,
                row.account_sid,
                row.first_seen,
                row.last_seen,
                tuple(row.logon_types),
                row.is_local_admin,
            )
            for row in self.connection.execute(statement)
        ]

    def logons(self, accounts: Iterable[str]) -> Mapping[str, list[str]]:
        """Ids of the machines that each account, `domain\\name` in lower case, logged on to."""
        users = MACHINE_USERS.c
        visible = select(MACHINES.c.machine_id).where(self.own(MACHINES))
        statement = select(users.account_id, users.machine_id).where(
            self.own(MACHINE_USERS), users.account_id.in_(sorted(set(accounts))), users.machine_id.in_(visible)
        )
        machine_ids: dict[str, list[str]] = {}
        for row in self.connection.execute(statement.order_by(users.machine_id)):
            machine_ids.setdefault(row.account_id, []).append(row.machine_id)
        return machine_ids

    def change(self, machine_id: str, change: MachineChange) -> Machine | None:
        """Apply a change; None if there is no such machine."""
        values: dict[str, object] = {"revision": MACHINES.c.revision + 1}
        if isinstance(change.device_value, str):
            values["device_value"] = change.device_value
        statement = self.update(MACHINES).where(MACHINES.c.machine_id == machine_id).values(values)
        if self.connection.execute(statement).rowcount == 0:
            return None
        if not isinstance(change.tags, msgspec.UnsetType):
            self.connection.execute(self.delete(MACHINE_TAGS).where(MACHINE_TAGS.c.machine_id == machine_id))
            self._add_tags(machine_id, change.tags)
            DeviceGroups(self.connection, self.tenant_id).place([machine_id])
        # A tag may have taken it into a group out of the caller's sight; what they did is answered all the same.
        return Machines(self.connection, self.tenant_id, self._now).get(machine_id)

    def tag(self, machine_id: str, tag: str, *, add: bool) -> Machine | None:
        """Add or remove one tag; twice is once. None if there is no such machine."""
        machine = self.get(machine_id)
        if machine is None:
            return None
        kept = tuple(each for each in machine.tags if each != tag)
        return self.change(machine_id, MachineChange(tags=(*kept, tag) if add else kept))

    def _add_tags(self, machine_id: str, tags: Sequence[str]) -> None:
        for tag in dict.fromkeys(tags):
            self.insert(MACHINE_TAGS, machine_id=machine_id, tag=tag)

    def _where(self, condition: ColumnElement[bool]) -> list[Machine]:
        order = (MACHINES.c.last_seen.desc(), MACHINES.c.machine_id)
        return self._load(self.connection.execute(self._select().where(condition).order_by(*order)).all())

    def _select(self) -> Select[Any]:
        """The machines of the scope: their stored and computed fields, in the order of the fields."""
        fields = self.fields
        columns = [fields[name].label(name) for name in Machine.__struct_fields__ if name in fields]
        return select(*columns).where(self.own(MACHINES))

    def _load(self, rows: Sequence[Row[Any]]) -> list[Machine]:
        machine_ids = [row[0] for row in rows]
        tags, addresses = self._tags(machine_ids), self._addresses(machine_ids)
        return [_to_machine(row, tags.get(row[0], ()), addresses.get(row[0], ())) for row in rows]

    def _tags(self, machine_ids: list[str]) -> dict[str, tuple[str, ...]]:
        column, found = MACHINE_TAGS.c, dict[str, tuple[str, ...]]()
        for some in _chunks(machine_ids):
            statement = select(column.machine_id, column.tag).where(self.own(MACHINE_TAGS), column.machine_id.in_(some))
            rows = self.connection.execute(statement.order_by(column.machine_id, column.tag)).all()
            found |= {key: tuple(tag for _, tag in of_one) for key, of_one in groupby(rows, itemgetter(0))}
        return found

    def _addresses(self, machine_ids: list[str]) -> dict[str, tuple[IpAddress, ...]]:
        """The addresses that are shown of each machine, last seen first."""
        column, found = MACHINE_ADDRESSES.c, dict[str, tuple[IpAddress, ...]]()
        shown = [column[name] for name in IpAddress.__struct_fields__]
        for some in _chunks(machine_ids):
            mine = self.own(MACHINE_ADDRESSES), column.machine_id.in_(some)
            statement = select(column.machine_id, *shown).where(*mine)
            rows = self.connection.execute(statement.order_by(column.machine_id, column.last_seen.desc())).all()
            found |= {
                key: tuple(IpAddress(*row[1:]) for row in islice(of_one, SHOWN_ADDRESSES))
                for key, of_one in groupby(rows, itemgetter(0))
            }
        return found


def group_names(connection: Connection, tenant_id: str, machine_ids: Sequence[str]) -> dict[str, str]:
    """Names of device groups by machine id, of those machines that are in one."""
    found: dict[str, str] = {}
    for some in _chunks(sorted(set(machine_ids))):
        statement = select(MACHINES.c.machine_id, MACHINES.c.rbac_group_name).where(
            MACHINES.c.tenant_id == tenant_id,
            MACHINES.c.machine_id.in_(some),
            MACHINES.c.rbac_group_name.is_not(None),
        )
        found |= {row.machine_id: row.rbac_group_name for row in connection.execute(statement)}
    return found


def _chunks(values: list[str], size: int = KEYS_OF_ONE_STATEMENT) -> Iterable[list[str]]:
    """In portions that fit into one statement's parameters."""
    return (values[start : start + size] for start in range(0, len(values), size))


def _of_machine(table: Any) -> ColumnElement[bool]:
    return and_(table.c.tenant_id == MACHINES.c.tenant_id, table.c.machine_id == MACHINES.c.machine_id)


def _to_machine(row: Row[Any], tags: tuple[str, ...], addresses: tuple[IpAddress, ...]) -> Machine:
    values: list[Any] = [*row, tags, addresses]
    return Machine(*values)
