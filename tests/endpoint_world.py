"""A lake with events of two devices, a control plane and a clock: what machines, indicators and their APIs stand on."""

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import select

from vedette.clock import ManualClock, to_ticks
from vedette.context import Tenant
from vedette.contracts.quotas import load_quota_profile
from vedette.contracts.tables import load_tables
from vedette.detections import alert_tables
from vedette.detections.alert_tables import AlertTables
from vedette.egress.policy import EgressPolicy
from vedette.egress.transport import Egress
from vedette.hunting.catalog import ContractCatalog
from vedette.hunting.quota import HuntingLimits
from vedette.hunting.rows import OwnQueries
from vedette.hunting.service import HuntingParts, HuntingService
from vedette.ids import RandomIds
from vedette.incidents.alerts import ALERT_CREATED
from vedette.indicators import enforcement
from vedette.indicators.enforcement import Enforcement, EnforcementParts
from vedette.jobs.outbox import Outbox, OutboxRelay
from vedette.jobs.queue import Job, JobQueue
from vedette.jobs.runner import Handler, JobRunner
from vedette.jobs.tables import JOBS
from vedette.kql.compile import compile_with_discovery
from vedette.lake.engine import LakeFolders
from vedette.lake.engines.duckdb import DuckDBEngine
from vedette.lake.engines.duckdb_files import DuckDBJson
from vedette.lake.publish import EVENTS_COMMITTED, Publisher
from vedette.lake.writer import LakeWriter
from vedette.machines import alert_groups, inventory_rows, updates
from vedette.machines.alert_groups import AlertGroups
from vedette.machines.inventory import group_names
from vedette.machines.inventory_rows import InventoryWriter
from vedette.machines.updates import MachineUpdates
from vedette.machines.visibility import SeenMachines
from vedette.store.engine import Store
from vedette.store.metadata import METADATA

HOME = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
NOW = 1_763_899_200.0
HOUR = 36_000_000_000
WS01, SRV02 = "a" * 40, "b" * 40
SHA1, SHA256, MD5 = "c" * 40, "d" * 64, "e" * 32

_ARROW = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "real": pa.float64(),
    "datetime": pa.int64(),
    "bool": pa.bool_(),
    "dynamic": pa.string(),
}

Rows = Sequence[Mapping[str, Any]]


def rows_of(table: str, rows: Rows) -> pa.Table:
    """Rows as the lake takes them."""
    types = {column.name: _ARROW[column.type] for column in load_tables()[table].columns if column.type in _ARROW}
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: pa.array([row.get(name) for row in rows], types[name]) for name in names})


@dataclasses.dataclass
class EndpointWorld:
    """Everything of one process, without its servers."""

    store: Store
    clock: ManualClock
    ids: RandomIds
    queue: JobQueue
    outbox: Outbox
    writer: LakeWriter
    engine: DuckDBEngine
    hunting: HuntingService
    folder: tempfile.TemporaryDirectory[str]
    handlers: dict[str, Handler] = dataclasses.field(default_factory=dict)
    topics: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    batches: int = 0
    ran: list[str] = dataclasses.field(default_factory=list)

    @property
    def telemetry(self) -> OwnQueries:
        return OwnQueries(self.hunting, self.ids)

    def ago(self, hours: float) -> int:
        """Ticks of so many hours before now."""
        return to_ticks(self.clock.time()) - int(hours * HOUR)

    def ingest(self, tables: Mapping[str, Rows], tenant_id: str = HOME) -> None:
        """Append rows and publish them."""
        self.batches += 1
        arrow = {name: rows_of(name, rows) for name, rows in tables.items()}
        self.writer.append(tenant_id, f"batch-{self.batches}", arrow, b"{}")
        self.writer.flush(tenant_id)

    def work(self, *, limit: int = 200) -> list[str]:
        """Hand on news and run every job that is due until nothing is; the kinds that ran."""
        relay = OutboxRelay(self.store, self.queue, self.topics)
        ran: list[str] = []

        def noted(kind: str, handler: Handler) -> Handler:
            def run(job: Job) -> None:
                ran.append(kind)
                handler(job)

            return run

        runner = JobRunner(self.queue, {kind: noted(kind, handler) for kind, handler in self.handlers.items()})
        for _ in range(limit):
            handed_on = relay.relay()
            for tenant_id in (HOME, OTHER):
                self.writer.flush(tenant_id)
            if not runner.run_next() and not handed_on:
                with self.store.connect() as connection:
                    assert (
                        list(connection.scalars(select(JOBS.c.last_error).where(JOBS.c.last_error.is_not(None)))) == []
                    )
                return ran
        raise AssertionError(f"the jobs never end: {ran[-10:]}")

    def rows(self, query: str, tenant_id: str = HOME) -> list[dict[str, object]]:
        """What a query of the tenant answers."""
        return self.telemetry.rows(find_tenant(tenant_id), query)

    def close(self) -> None:
        self.writer.stop()
        self.engine.close()
        self.store.close()
        self.folder.cleanup()


def find_tenant(tenant_id: str) -> Tenant:
    return Tenant(tenant_id, "contoso.test", "Contoso")


def make_world(profile: str = "default") -> EndpointWorld:
    """A world without events, its machines kept up to date by jobs; `profile` names the limits of its queries."""
    folder = tempfile.TemporaryDirectory(prefix="vedette-endpoint-")
    root = Path(folder.name)
    store, clock, ids = Store.in_folder(root), ManualClock(NOW), RandomIds()
    METADATA.create_all(store.engine)
    folders, outbox = LakeFolders(root / "lake"), Outbox(clock, ids)
    writer = LakeWriter(folders, clock, Publisher(store, folders, ids, outbox), DuckDBJson())
    engine = DuckDBEngine(store, folders, threads=2)
    quotas = load_quota_profile(profile)
    limits = HuntingLimits(quotas.hunting, quotas.hunting_by_class, seconds=30, memory=512 * 2**20)
    egress, seen = Egress(EgressPolicy()), SeenMachines(store)
    parts = HuntingParts(
        compile_with_discovery, lambda _: ContractCatalog(), engine, writer, egress, limits, clock, seen
    )
    queue = JobQueue(store, clock, ids)
    world = EndpointWorld(store, clock, ids, queue, outbox, writer, engine, HuntingService(parts), folder)
    world.topics[EVENTS_COMMITTED] = (updates.JOB, enforcement.JOB)
    world.topics[ALERT_CREATED] = (alert_tables.JOB, alert_groups.JOB)
    world.handlers[alert_groups.JOB] = AlertGroups(store, clock).show
    world.handlers[alert_tables.JOB] = AlertTables(store, writer).write
    world.handlers[enforcement.JOB] = Enforcement(
        EnforcementParts(store, world.telemetry, writer, outbox, clock, ids, find_tenant, group_names)
    ).match
    world.handlers[updates.JOB] = MachineUpdates(store, world.telemetry, queue, clock, find_tenant).observe
    world.handlers[inventory_rows.JOB] = InventoryWriter(store, writer, queue, clock).write
    return world


def process_event(world: EndpointWorld, hours: float, device: str = WS01, **more: object) -> dict[str, object]:
    """A start of a process."""
    name = "ws-01.contoso.test" if device == WS01 else "srv-02.contoso.test"
    return {
        "Timestamp": world.ago(hours),
        "DeviceId": device,
        "DeviceName": name,
        "ActionType": "ProcessCreated",
        "FileName": "tool.exe",
        "FolderPath": "C:\\Temp\\tool.exe",
        "SHA1": SHA1,
        "SHA256": SHA256,
        "MD5": MD5,
        "ProcessId": 4711,
        "ProcessCommandLine": "tool.exe --run",
        "AccountName": "ann",
        "AccountDomain": "contoso",
        "InitiatingProcessFolderPath": "c:\\windows\\explorer.exe",
        "ReportId": 7,
        **more,
    }


def logon_event(world: EndpointWorld, hours: float, device: str = WS01, **more: object) -> dict[str, object]:
    """A logon."""
    return {
        "Timestamp": world.ago(hours),
        "DeviceId": device,
        "DeviceName": "ws-01.contoso.test" if device == WS01 else "srv-02.contoso.test",
        "ActionType": "LogonSuccess",
        "LogonType": "Interactive",
        "AccountName": "ann",
        "AccountDomain": "contoso",
        "AccountSid": "S-1-5-21-1-2-3-1105",
        "IsLocalAdmin": True,
        **more,
    }


def connection_event(world: EndpointWorld, hours: float, device: str = WS01, **more: object) -> dict[str, object]:
    """A connection."""
    return {
        "Timestamp": world.ago(hours),
        "DeviceId": device,
        "DeviceName": "ws-01.contoso.test" if device == WS01 else "srv-02.contoso.test",
        "ActionType": "ConnectionSuccess",
        "LocalIP": "10.0.0.4",
        "RemoteIP": "203.0.113.9",
        "RemoteUrl": "evil.test",
        **more,
    }
