"""Machines of a seed, as Defender for Endpoint shows them: what an inventory record of their telemetry would say."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from vedette.clock import now_ticks
from vedette.contracts.enums import load_enums
from vedette.jobs.queue import JobQueue
from vedette.machines import inventory_rows
from vedette.machines.derivation import Derivation
from vedette.machines.observation import AddressSighting, Logon, Observation, Profile
from vedette.server.seed_errors import invalid
from vedette.server.seed_values import list_of, object_of, ticks_of
from vedette.server.wiring import Services

_ENUMS = {
    "onboarding_status": "machineOnboardingStatus",
    "exposure_level": "machineExposureLevel",
    "device_value": "machineDeviceValue",
}


class _Address(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    ip_address: str
    mac_address: str | None = None
    type: str | None = None
    operational_status: str | None = None


class _User(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    account_name: str
    account_domain: str = ""
    account_sid: str | None = None
    logon_types: tuple[str, ...] = ()
    is_local_admin: bool = False


class _Machine(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    id: str
    computer_dns_name: str = ""
    first_seen: str | None = None
    last_seen: str | None = None
    os_platform: str | None = None
    os_architecture: str | None = None
    version: str | None = None
    os_build: int | None = None
    agent_version: str | None = None
    last_external_ip_address: str | None = None
    onboarding_status: str | None = None
    rbac_group_name: str | None = None
    exposure_level: str | None = None
    device_value: str | None = None
    aad_device_id: str | None = None
    is_aad_joined: bool | None = None
    machine_tags: tuple[str, ...] = ()
    ip_addresses: tuple[_Address, ...] = ()
    logged_on_users: tuple[_User, ...] = ()


def seed_machines(connection: Connection, tenant_id: str, given: object, services: Services) -> tuple[str, ...]:
    """Make machines, or take in what is new of those that are there; their ids."""
    now = now_ticks(services.clock)
    machines = [_machine(each, f"machines[{number}]") for number, each in enumerate(list_of(given, "machines"))]
    if not machines:
        return ()
    observed = [_observed(machine, now, f"machines[{number}]") for number, machine in enumerate(machines)]
    Derivation(connection, tenant_id).merge(_joined(observed))
    _write_inventory(connection, tenant_id, services.queue, services.clock.time())
    return tuple(machine.id.lower() for machine in machines)


def _machine(given: object, path: str) -> _Machine:
    try:
        machine = msgspec.convert(object_of(given, path), _Machine)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        raise invalid(path + place.rstrip("`"), reason[:1].lower() + reason[1:]) from error
    if not machine.id:
        raise invalid(f"{path}.id", "expected the id of a machine")
    for field, enum in _ENUMS.items():
        value = getattr(machine, field)
        if value is not None and load_enums()[enum].parse(value) is None:
            wire = msgspec.structs.fields(_Machine)
            name = next(each.encode_name for each in wire if each.name == field)
            raise invalid(
                f"{path}.{name}", f"expected one of {', '.join(member.name for member in load_enums()[enum].members)}"
            )
    return machine


def _observed(machine: _Machine, now: int, path: str) -> Observation:
    last = now if machine.last_seen is None else ticks_of(machine.last_seen, now, f"{path}.lastSeen")
    first = last if machine.first_seen is None else ticks_of(machine.first_seen, now, f"{path}.firstSeen")
    machine_id = machine.id.lower()
    profile = Profile(
        machine_id=machine_id,
        recorded=last,
        first_recorded=first,
        dns_name=machine.computer_dns_name or None,
        os_platform=machine.os_platform,
        os_architecture=machine.os_architecture,
        os_version=machine.version,
        os_build=machine.os_build,
        agent_version=machine.agent_version,
        external_ip=machine.last_external_ip_address,
        onboarding_status=machine.onboarding_status,
        group=machine.rbac_group_name,
        exposure_level=machine.exposure_level,
        device_value=machine.device_value,
        aad_device_id=machine.aad_device_id,
        is_aad_joined=machine.is_aad_joined,
        tags=machine.machine_tags,
    )
    addresses = tuple(
        AddressSighting(machine_id, each.ip_address, first, last, each.mac_address, each.operational_status, each.type)
        for each in machine.ip_addresses
    )
    logons = tuple(
        Logon(
            machine_id=machine_id,
            account_name=each.account_name,
            account_domain=each.account_domain,
            account_sid=each.account_sid,
            first_seen=first,
            last_seen=last,
            logon_types=each.logon_types,
            is_local_admin=each.is_local_admin,
        )
        for each in machine.logged_on_users
    )
    return Observation(profiles=(profile,), addresses=addresses, logons=logons)


def _joined(observed: Sequence[Observation]) -> Observation:
    fields: Mapping[str, Any] = {
        name: tuple(each for observation in observed for each in getattr(observation, name))
        for name in Observation.__struct_fields__
    }
    return Observation(**fields)


def _write_inventory(connection: Connection, tenant_id: str, queue: JobQueue, now: float) -> None:
    """As after telemetry: the inventory tables follow."""
    queue.enqueue(connection, tenant_id, inventory_rows.JOB, {}, run_at=now, key=inventory_rows.KEY)
