"""Inventory as hunting rows: DeviceInfo, DeviceNetworkInfo and IdentityInfo, written when there is something new.

A machine gets at most one row in a quarter of an hour and, while it is heard of, at least one a day.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import pyarrow as pa
from sqlalchemy import func, select

from vedette.clock import TICKS_PER_SECOND, Clock, from_ticks, now_ticks
from vedette.contracts.tables import load_tables
from vedette.jobs.queue import Job, JobQueue
from vedette.lake.engine import Lake
from vedette.machines.inventory import Machine, Machines, MachineUser
from vedette.machines.observation import INVENTORY_MARK
from vedette.machines.tables import ACCOUNTS, MACHINES
from vedette.store.engine import Store
from vedette.store.tenancy import TenantRepository

JOB = "write_inventory_rows"
KEY = "inventory"

INTERVAL = 900 * TICKS_PER_SECOND
"""Shortest time between two rows of a machine."""

PORTION = 500

HuntingRow = Mapping[str, object]

_ARROW = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "datetime": pa.int64(),
    "bool": pa.bool_(),
    "dynamic": pa.string(),
}


class Due(TenantRepository):
    """What one tenant's inventory tables lack."""

    def machines(self, now: int) -> dict[str, int]:
        """Machines whose rows are out of date and may be written now: revision by id."""
        statement = (
            select(MACHINES.c.machine_id, MACHINES.c.revision)
            .where(self.own(MACHINES), MACHINES.c.revision > MACHINES.c.written_revision)
            .where(MACHINES.c.written_at <= now - INTERVAL)
            .order_by(MACHINES.c.machine_id)
            .limit(PORTION)
        )
        return {row.machine_id: row.revision for row in self.connection.execute(statement)}

    def next_time(self) -> int | None:
        """When the next machine's rows may be written; None if all are up to date."""
        behind = MACHINES.c.revision > MACHINES.c.written_revision
        earliest = self.connection.scalar(select(func.min(MACHINES.c.written_at)).where(self.own(MACHINES), behind))
        return None if earliest is None else int(earliest) + INTERVAL

    def accounts(self) -> list[HuntingRow]:
        """Accounts that have no row yet."""
        statement = self.select(ACCOUNTS).where(ACCOUNTS.c.is_written.is_(False)).order_by(ACCOUNTS.c.account_id)
        return [dict(row._mapping) for row in self.connection.execute(statement.limit(PORTION))]

    def mark_written(self, revisions: Mapping[str, int], account_ids: Iterable[str], now: int) -> None:
        """Remember what was written."""
        for machine_id, revision in revisions.items():
            statement = self.update(MACHINES).where(MACHINES.c.machine_id == machine_id)
            self.connection.execute(statement.values(written_revision=revision, written_at=now))
        ids = list(account_ids)
        if ids:
            self.connection.execute(self.update(ACCOUNTS).where(ACCOUNTS.c.account_id.in_(ids)).values(is_written=True))


class InventoryWriter:
    """Handler of the job. The batch is named after what it holds: repeating it changes nothing."""

    def __init__(self, store: Store, lake: Lake, queue: JobQueue, clock: Clock) -> None:
        self._store = store
        self._lake = lake
        self._queue = queue
        self._clock = clock

    def write(self, job: Job) -> None:
        """Write what is due, in portions; make a job for what may be written later."""
        while self._write_portion(job.tenant_id):
            pass
        with self._store.begin() as connection:
            later = Due(connection, job.tenant_id).next_time()
            if later is not None:
                at = max(from_ticks(later), self._clock.time())
                key = f"{KEY}/{int(at)}"
                self._queue.enqueue(connection, job.tenant_id, JOB, {}, run_at=at, key=key)

    def _write_portion(self, tenant_id: str) -> bool:
        now = now_ticks(self._clock)
        with self._store.connect() as connection:
            due = Due(connection, tenant_id)
            revisions, accounts = due.machines(now), due.accounts()
            machines = Machines(connection, tenant_id, now)
            described = [(machine, machines.users(machine.machine_id)) for machine in machines.of_ids(revisions)]
        if not revisions and not accounts:
            return False
        tables = {
            "DeviceInfo": [device_info(machine, users) for machine, users in described],
            "DeviceNetworkInfo": [network_info(machine) for machine, _ in described if machine.addresses],
            "IdentityInfo": [identity_info(account) for account in accounts],
        }
        rows = {name: to_table(name, some) for name, some in tables.items() if some}
        self._lake.append(tenant_id, _batch_id(revisions, accounts), rows, b"{}")
        with self._store.begin() as connection:
            ids = [str(account["account_id"]) for account in accounts]
            Due(connection, tenant_id).mark_written(revisions, ids, now)
        return True


def _batch_id(revisions: Mapping[str, int], accounts: Sequence[HuntingRow]) -> str:
    content = [sorted(revisions.items()), [account["account_id"] for account in accounts]]
    return f"inventory/{hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:40]}"


def device_info(machine: Machine, users: Sequence[MachineUser]) -> HuntingRow:
    """The row of DeviceInfo."""
    logged_on = [
        {"UserName": user.account_name, "DomainName": user.account_domain, "Sid": user.account_sid}
        for user in users[:10]
    ]
    return {
        "Timestamp": machine.last_seen,
        "DeviceId": machine.machine_id,
        "DeviceName": machine.dns_name,
        "ClientVersion": machine.agent_version,
        "PublicIP": machine.last_external_ip_address,
        "OSArchitecture": machine.os_architecture,
        "OSPlatform": machine.os_platform,
        "OSBuild": machine.os_build,
        "OSVersion": machine.os_version,
        "IsAzureADJoined": machine.is_aad_joined,
        "AadDeviceId": machine.aad_device_id,
        "LoggedOnUsers": msgspec.json.encode(logged_on).decode(),
        "MachineGroup": machine.rbac_group_name,
        "OnboardingStatus": machine.onboarding_status,
        "SensorHealthState": machine.health_status,
        "ExposureLevel": machine.exposure_level,
        "AssetValue": machine.device_value,
        "DeviceManualTags": msgspec.json.encode(machine.tags).decode(),
        "AdditionalFields": INVENTORY_MARK,
    }


def network_info(machine: Machine) -> HuntingRow:
    """The row of DeviceNetworkInfo: all addresses as of one adapter without a name."""
    return {
        "Timestamp": machine.last_seen,
        "DeviceId": machine.machine_id,
        "DeviceName": machine.dns_name,
        "MacAddress": next((each.mac_address for each in machine.addresses if each.mac_address), None),
        "IPAddresses": msgspec.json.encode([{"IPAddress": each.ip_address} for each in machine.addresses]).decode(),
        "OnboardingStatus": machine.onboarding_status,
    }


def identity_info(account: HuntingRow) -> HuntingRow:
    """The row of IdentityInfo of an account that logged on somewhere."""
    return {
        "Timestamp": account["last_seen"],
        "AccountName": account["account_name"],
        "AccountDomain": account["account_domain"],
        "AccountDisplayName": account["account_name"],
        "OnPremSid": account["account_sid"],
        "SourceSystem": "DeviceLogons",
    }


def to_table(name: str, rows: Sequence[HuntingRow]) -> pa.Table:
    """Rows as columns of a hunting table; what is unknown stays empty."""
    types = {column.name: _ARROW[column.type] for column in load_tables()[name].columns if column.type in _ARROW}
    used = {column: types[column] for row in rows for column in row}
    return pa.table({column: pa.array([row.get(column) for row in rows], type_) for column, type_ in used.items()})
