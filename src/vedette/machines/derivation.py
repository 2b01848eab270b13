"""From observations to the stores: machines, their addresses and accounts, merged with what is known of them.

Merging is idempotent and does not depend on order: the same commit twice, or an older one later, ends the same.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Table

from vedette.clock import TICKS_PER_SECOND
from vedette.contracts.enums import load_enums
from vedette.ids import is_guid
from vedette.machines.device_groups import DEFAULT_GROUP_ID, DeviceGroups
from vedette.machines.observation import AddressSighting, Logon, Observation, Profile, Sighting
from vedette.machines.tables import (
    ACCOUNTS,
    MACHINE_ADDRESSES,
    MACHINE_TAGS,
    MACHINE_USERS,
    MACHINES,
)
from vedette.store.tenancy import TenantRepository

_DAY = 86_400 * TICKS_PER_SECOND
_PORTION = 2_000
_SYSTEM_DOMAINS = frozenset({"nt authority", "window manager", "font driver host", "nt service", "iis apppool"})

_DEFAULTS: dict[str, object] = {
    "dns_name": "",
    "os_platform": None,
    "os_architecture": None,
    "os_version": None,
    "os_build": None,
    "agent_version": None,
    "last_ip_address": None,
    "last_ip_seen": 0,
    "last_external_ip_address": None,
    "onboarding_status": "Onboarded",
    "rbac_group_id": DEFAULT_GROUP_ID,
    "rbac_group_name": None,
    "reported_group": None,
    "exposure_level": "None",
    "device_value": "Normal",
    "aad_device_id": None,
    "is_aad_joined": None,
    "described": 0,
    "revision": 1,
    "written_revision": 0,
    "written_at": 0,
}
_SILENT = frozenset({"first_seen", "last_seen", "last_ip_seen", "described", "revision", "reported_group"})
"""Columns whose change alone is not worth an inventory row; a machine seen on another day is."""

Values = dict[str, Any]


class Derivation(TenantRepository):
    """Writes observations into one tenant's stores."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        super().__init__(connection, tenant_id)
        self._groups = DeviceGroups(connection, tenant_id)

    def merge(self, observation: Observation) -> bool:
        """Take an observation in; whether any machine or account now has news for the inventory tables."""
        machine_ids = sorted(_mentioned(observation))
        before = self._machines(machine_ids)
        after = {machine_id: dict(values) for machine_id, values in before.items()}
        for sighting in observation.sightings:
            _see(after, sighting)
        for profile in observation.profiles:
            self._describe(after, profile)
        for address in observation.addresses:
            _place(after, address)
        for logon in observation.logons:
            _see(after, Sighting(logon.machine_id, "", logon.first_seen, logon.last_seen))
        changed = self._store_machines(before, after)
        addresses_changed = self._merge_addresses(observation.addresses)
        users_changed = self._merge_users(observation.logons)
        self._add_tags(observation.profiles)
        moved = self._groups.place(machine_ids)
        self._bump((addresses_changed | users_changed) - changed - moved)
        accounts_changed = self._merge_accounts(observation.logons)
        return bool(changed or addresses_changed or users_changed or moved or accounts_changed)

    def _machines(self, machine_ids: list[str]) -> dict[str, Values]:
        found: dict[str, Values] = {}
        for start in range(0, len(machine_ids), _PORTION):
            some = machine_ids[start : start + _PORTION]
            for row in self.connection.execute(self.select(MACHINES).where(MACHINES.c.machine_id.in_(some))):
                found[row.machine_id] = {k: v for k, v in row._mapping.items() if k != "tenant_id"}
        return found

    def _describe(self, machines: dict[str, Values], profile: Profile) -> None:
        _see(machines, Sighting(profile.machine_id, profile.dns_name or "", profile.first_recorded, profile.recorded))
        machine = machines[profile.machine_id]
        if profile.recorded < machine["described"] and not profile.is_aside:
            return
        enums = load_enums()
        new: Values = {
            "described": profile.recorded,
            "os_platform": profile.os_platform,
            "os_architecture": profile.os_architecture,
            "os_version": profile.os_version,
            "os_build": profile.os_build,
            "agent_version": profile.agent_version,
            "last_external_ip_address": profile.external_ip,
            "onboarding_status": enums["machineOnboardingStatus"].parse(profile.onboarding_status or ""),
            "exposure_level": enums["machineExposureLevel"].parse(profile.exposure_level or ""),
            "device_value": enums["machineDeviceValue"].parse(profile.device_value or ""),
            "aad_device_id": profile.aad_device_id if is_guid(profile.aad_device_id or "") else None,
            "is_aad_joined": profile.is_aad_joined,
        }
        if profile.group:
            self._groups.report(profile.group)
            new["reported_group"] = profile.group
        if profile.is_aside:
            new = _aside(machine, new)
        machine |= {name: value for name, value in new.items() if value is not None}

    def _store_machines(self, before: dict[str, Values], after: dict[str, Values]) -> set[str]:
        new = [{"tenant_id": self.tenant_id, **values} for key, values in after.items() if key not in before]
        if new:
            self.connection.execute(MACHINES.insert(), new)
        changed = {str(values["machine_id"]) for values in new}
        for machine_id, old in before.items():
            values = after[machine_id]
            if values == old:
                continue
            if _is_news(old, values):
                values["revision"] += 1
                changed.add(machine_id)
            self.connection.execute(self.update(MACHINES).where(MACHINES.c.machine_id == machine_id).values(values))
        return changed

    def _bump(self, machine_ids: Iterable[str]) -> None:
        for machine_id in machine_ids:
            statement = self.update(MACHINES).where(MACHINES.c.machine_id == machine_id)
            self.connection.execute(statement.values(revision=MACHINES.c.revision + 1))

    def _add_tags(self, profiles: Iterable[Profile]) -> None:
        for profile in profiles:
            for tag in profile.tags:
                if not self._row(MACHINE_TAGS, machine_id=profile.machine_id, tag=tag):
                    self.insert(MACHINE_TAGS, machine_id=profile.machine_id, tag=tag)

    def _merge_addresses(self, addresses: Iterable[AddressSighting]) -> set[str]:
        changed = set()
        for each in addresses:
            key = {"machine_id": each.machine_id, "ip_address": each.ip_address}
            details = {
                name: value
                for name in ("mac_address", "operational_status", "adapter_type")
                if (value := getattr(each, name)) is not None
            }
            if self._widen(MACHINE_ADDRESSES, key, each.first_seen, each.last_seen, details):
                changed.add(each.machine_id)
        return changed

    def _merge_users(self, logons: Iterable[Logon]) -> set[str]:
        changed = set()
        for each in logons:
            key = {"machine_id": each.machine_id, "account_id": _account_id(each)}
            known = self._row(MACHINE_USERS, **key)
            types = sorted({*each.logon_types, *(known["logon_types"] if known else ())})
            details: Values = {
                "logon_types": types,
                "is_local_admin": each.is_local_admin or bool(known and known["is_local_admin"]),
            }
            if known is None:
                details |= {
                    "account_name": each.account_name,
                    "account_domain": each.account_domain,
                    "account_sid": each.account_sid,
                }
            if self._widen(MACHINE_USERS, key, each.first_seen, each.last_seen, details):
                changed.add(each.machine_id)
        return changed

    def _merge_accounts(self, logons: Iterable[Logon]) -> bool:
        changed = False
        for each in filter(_is_person, logons):
            key = {"account_id": _account_id(each)}
            details: Values = {}
            if self._row(ACCOUNTS, **key) is None:
                details = {
                    "account_name": each.account_name,
                    "account_domain": each.account_domain,
                    "account_sid": each.account_sid,
                    "is_written": False,
                }
            changed |= self._widen(ACCOUNTS, key, each.first_seen, each.last_seen, details)
        return changed

    def _widen(self, table: Table, key: Values, first: int, last: int, details: Values) -> bool:
        """Extend the span of a row and set its details; whether it is new or its details changed."""
        known = self._row(table, **key)
        if known is None:
            self.insert(table, **key, first_seen=first, last_seen=last, **details)
            return True
        values = {"first_seen": min(first, known["first_seen"]), "last_seen": max(last, known["last_seen"]), **details}
        if any(known[name] != value for name, value in values.items()):
            self.connection.execute(self.update(table).where(*_equal(table, key)).values(values))
        return any(known[name] != value for name, value in details.items())

    def _row(self, table: Table, **key: object) -> Values | None:
        row = self.connection.execute(self.select(table).where(*_equal(table, key))).first()
        return None if row is None else dict(row._mapping)


def _equal(table: Table, key: Values) -> list[Any]:
    return [table.c[name] == value for name, value in key.items()]


def _mentioned(observation: Observation) -> set[str]:
    return {str(each.machine_id) for name in msgspec.structs.asdict(observation).values() for each in name}


def _see(machines: dict[str, Values], sighting: Sighting) -> None:
    machine = machines.get(sighting.machine_id)
    if machine is None:
        machine = {**_DEFAULTS, "machine_id": sighting.machine_id}
        machine |= {"first_seen": sighting.first_seen, "last_seen": sighting.last_seen}
        machines[sighting.machine_id] = machine
    is_newer = sighting.last_seen >= machine["last_seen"]
    machine["first_seen"] = min(machine["first_seen"], sighting.first_seen)
    machine["last_seen"] = max(machine["last_seen"], sighting.last_seen)
    if sighting.dns_name and (is_newer or not machine["dns_name"]):
        machine["dns_name"] = sighting.dns_name
    if machine["os_platform"] is None and (sighting.windows_paths or sighting.unix_paths):
        machine["os_platform"] = "Windows" if sighting.windows_paths >= sighting.unix_paths else "Linux"


def _aside(machine: Values, new: Values) -> Values:
    """What is told by the way, as far as no inventory record says it. It outdates none."""
    is_inventoried = machine["described"] > 0
    known = {name for name, value in machine.items() if value is not None} if is_inventoried else set()
    return {name: value for name, value in new.items() if name not in known | {"described"}}


def _place(machines: dict[str, Values], address: AddressSighting) -> None:
    _see(machines, Sighting(address.machine_id, "", address.first_seen, address.last_seen))
    machine = machines[address.machine_id]
    if (address.last_seen, address.ip_address) > (machine["last_ip_seen"], machine["last_ip_address"] or ""):
        machine |= {"last_ip_seen": address.last_seen, "last_ip_address": address.ip_address}


def _is_news(old: Values, new: Values) -> bool:
    if old["last_seen"] // _DAY != new["last_seen"] // _DAY:
        return True
    return any(new[name] != value for name, value in old.items() if name not in _SILENT)


def _account_id(logon: Logon) -> str:
    return f"{logon.account_domain}\\{logon.account_name}".lower()[:400]


def _is_person(logon: Logon) -> bool:
    domain = logon.account_domain.lower()
    return not logon.account_name.endswith("$") and domain not in _SYSTEM_DOMAINS
