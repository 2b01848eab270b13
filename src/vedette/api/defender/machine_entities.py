"""Machines, their users, actions, investigations and library files in the Defender for Endpoint API's shape."""

from collections.abc import Mapping

import msgspec

from vedette.clock import format_ticks
from vedette.contracts.enums import load_enums
from vedette.machines import actions as action_domain
from vedette.machines import inventory as domain
from vedette.machines import investigations as investigation_domain
from vedette.machines import library as library_domain


class IpAddress(msgspec.Struct, frozen=True, rename="camel"):
    """An address of a machine."""

    ip_address: str
    mac_address: str | None
    type: str | None
    operational_status: str | None


class Machine(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A machine. What nothing here tells of (merging, exclusion, management, clouds) is as of a plain one."""

    id: str
    merged_into_machine_id: str | None = None
    is_potential_duplication: bool = False
    is_excluded: bool = False
    exclusion_reason: str | None = None
    computer_dns_name: str
    first_seen: str
    last_seen: str
    os_platform: str | None
    os_version: None = None
    """Always null; the version is in `version`."""
    os_processor: str | None
    os_architecture: str | None
    version: str | None
    os_build: int | None
    agent_version: str | None
    last_ip_address: str | None
    last_external_ip_address: str | None
    onboarding_status: str
    health_status: str
    rbac_group_id: int
    rbac_group_name: str | None
    risk_score: str
    exposure_level: str
    device_value: str
    is_aad_joined: bool | None
    aad_device_id: str | None
    machine_tags: tuple[str, ...]
    managed_by: str = "Unknown"
    managed_by_status: str = "Unknown"
    ip_addresses: list[IpAddress]
    vm_metadata: None = None


class MachineReference(msgspec.Struct, frozen=True, rename="camel"):
    """A machine, in lists of those that something concerns."""

    id: str
    computer_dns_name: str
    os_platform: str | None
    rbac_group_name: str | None
    rbac_group_id: int
    asset_criticality_level: str | None
    tags: tuple[str, ...]


class User(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An account that logged on to a machine."""

    id: str
    account_name: str
    account_domain: str
    account_sid: str | None
    first_seen: str
    last_seen: str
    most_prevalent_machine_id: str | None
    least_prevalent_machine_id: str | None
    logon_types: str
    log_on_machines_count: int
    is_domain_admin: bool
    is_only_network_user: bool | None


class FileReference(msgspec.Struct, frozen=True, rename="camel"):
    """The file that an action is about."""

    file_identifier: str
    file_identifier_type: str


class Command(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A live-response command and how far it has come."""

    index: int
    start_time: str | None
    end_time: str | None
    command_status: str
    errors: tuple[str, ...]
    command: action_domain.Command


class MachineAction(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A machine action."""

    id: str
    type: str
    title: str | None
    scope: str | None
    requestor: str
    request_source: str
    requestor_comment: str
    external_id: str | None
    status: str
    machine_id: str
    computer_dns_name: str
    creation_date_time_utc: str
    last_update_date_time_utc: str
    cancellation_requestor: str | None
    cancellation_comment: str | None
    cancellation_date_time_utc: str | None
    error_h_result: int
    related_file_info: FileReference | None
    commands: list[Command]
    troubleshoot_info: None = None


class Investigation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An automated investigation."""

    id: str
    start_time: str
    end_time: str | None
    cancelled_by: str | None
    state: str
    status_details: str | None
    machine_id: str
    computer_dns_name: str
    triggering_alert_id: str | None


class LibraryFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file of the live-response library."""

    file_name: str
    sha256: str
    description: str | None
    creation_time: str
    last_updated_time: str
    created_by: str
    has_parameters: bool
    parameters_description: str | None


_PROCESSORS: Mapping[str | None, str | None] = {"64-bit": "x64", "32-bit": "x86"}


def to_machine(machine: domain.Machine) -> Machine:
    """The wire form of a machine."""
    return Machine(
        id=machine.machine_id,
        computer_dns_name=machine.dns_name,
        first_seen=format_ticks(machine.first_seen),
        last_seen=format_ticks(machine.last_seen),
        os_platform=machine.os_platform,
        os_processor=_PROCESSORS.get(machine.os_architecture),
        os_architecture=machine.os_architecture,
        version=machine.os_version,
        os_build=machine.os_build,
        agent_version=machine.agent_version,
        last_ip_address=machine.last_ip_address,
        last_external_ip_address=machine.last_external_ip_address,
        onboarding_status=machine.onboarding_status,
        health_status=machine.health_status,
        rbac_group_id=machine.rbac_group_id,
        rbac_group_name=machine.rbac_group_name,
        risk_score=machine.risk_score,
        exposure_level=machine.exposure_level,
        device_value=machine.device_value,
        is_aad_joined=machine.is_aad_joined,
        aad_device_id=machine.aad_device_id,
        machine_tags=machine.tags,
        ip_addresses=[
            IpAddress(each.ip_address, each.mac_address, each.adapter_type, each.operational_status)
            for each in machine.addresses
        ],
    )


def to_reference(machine: domain.Machine) -> MachineReference:
    """The short wire form of a machine."""
    return MachineReference(
        id=machine.machine_id,
        computer_dns_name=machine.dns_name,
        os_platform=machine.os_platform,
        rbac_group_name=machine.rbac_group_name,
        rbac_group_id=machine.rbac_group_id,
        asset_criticality_level=None,
        tags=machine.tags,
    )


def account_of_user(user: domain.MachineUser) -> str:
    """What the service calls an account: `domain\\name` in lower case."""
    return f"{user.account_domain}\\{user.account_name}".lower()


def to_user(user: domain.MachineUser, logons: Mapping[str, list[str]]) -> User:
    """The wire form of an account. Who is an administrator of the domain is not in logons: nobody, as far as known.

    `logons`: the machines of each account. How often it was on which is not kept, so only a single one is the most
    and the least prevalent.
    """
    machine_ids = logons.get(account_of_user(user), [])
    only = machine_ids[0] if len(machine_ids) == 1 else None
    return User(
        id=account_of_user(user),
        account_name=user.account_name,
        account_domain=user.account_domain,
        account_sid=user.account_sid,
        first_seen=format_ticks(user.first_seen),
        last_seen=format_ticks(user.last_seen),
        most_prevalent_machine_id=only,
        least_prevalent_machine_id=only,
        logon_types=", ".join(user.logon_types),
        log_on_machines_count=len(machine_ids),
        is_domain_admin=False,
        is_only_network_user=user.logon_types == ("Network",) if user.logon_types else None,
    )


def to_action(action: action_domain.MachineAction) -> MachineAction:
    """The wire form of a machine action."""
    file = action.file_identifier
    return MachineAction(
        id=action.action_id,
        type=action.type,
        title=action.title,
        scope=action.scope,
        requestor=action.requestor,
        request_source=action.request_source,
        requestor_comment=action.requestor_comment,
        external_id=action.external_id,
        status=action.status,
        machine_id=action.machine_id,
        computer_dns_name=action.dns_name,
        creation_date_time_utc=format_ticks(action.created),
        last_update_date_time_utc=format_ticks(action.last_update),
        cancellation_requestor=action.cancellation_requestor,
        cancellation_comment=action.cancellation_comment,
        cancellation_date_time_utc=_time(action.cancelled_at),
        error_h_result=action.error_hresult,
        related_file_info=FileReference(file, action.file_identifier_type or "Sha1") if file else None,
        commands=[
            Command(
                index=state.index,
                start_time=_time(state.start),
                end_time=_time(state.end),
                command_status=state.status,
                errors=state.errors,
                command=state.command,
            )
            for state in action.commands
        ],
    )


def to_investigation(investigation: investigation_domain.Investigation) -> Investigation:
    """The wire form of an investigation."""
    return Investigation(
        id=str(investigation.investigation_id),
        start_time=format_ticks(investigation.started),
        end_time=_time(investigation.ended),
        cancelled_by=investigation.cancelled_by,
        state=load_enums()["investigationState"].defender(investigation.state),
        status_details=investigation.status_details,
        machine_id=investigation.machine_id,
        computer_dns_name=investigation.dns_name,
        triggering_alert_id=investigation.triggering_alert_id,
    )


def to_library_file(file: library_domain.LibraryFile) -> LibraryFile:
    """The wire form of a library file."""
    return LibraryFile(
        file_name=file.file_name,
        sha256=file.sha256,
        description=file.description or None,
        creation_time=format_ticks(file.created),
        last_updated_time=format_ticks(file.last_update),
        created_by=file.created_by,
        has_parameters=file.has_parameters,
        parameters_description=file.parameters_description,
    )


def _time(ticks: int | None) -> str | None:
    return None if ticks is None else format_ticks(ticks)
