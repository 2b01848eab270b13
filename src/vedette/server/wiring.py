"""The composition root: builds every object of a process from settings, each when it is first needed, and closes them.

Nothing below the server builds what it works with; nothing else knows which implementation stands behind a protocol.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from vedette.clock import Clock, SystemClock
from vedette.context import Tenant
from vedette.ids import Ids, RandomIds
from vedette.server.data_folder import DataFolder
from vedette.server.shifted_clock import ShiftedClock
from vedette.settings import Settings
from vedette.store.engine import Store

if TYPE_CHECKING:  # what is heavy is imported by the property that builds it
    from vedette.api.cursors import CursorBox
    from vedette.api.defender.endpoint import EndpointParts
    from vedette.detections.evaluate import Evaluator
    from vedette.egress.transport import Egress
    from vedette.hunting.places import PlaceDatabase
    from vedette.hunting.rows import OwnQueries
    from vedette.hunting.service import HuntingService
    from vedette.identity.services import IdentityServices
    from vedette.indicators.enforcement import Enforcement
    from vedette.ingest.pipeline import Pipeline
    from vedette.jobs.outbox import Outbox, OutboxRelay
    from vedette.jobs.queue import Job, JobQueue
    from vedette.jobs.schedule import Schedules
    from vedette.kql.catalog import Catalog
    from vedette.lake.engine import LakeFolders
    from vedette.lake.engines.duckdb import DuckDBEngine
    from vedette.lake.maintenance import Maintenance
    from vedette.lake.writer import LakeWriter
    from vedette.machines.execution import Executor
    from vedette.server.api_audit import ApiAudit
    from vedette.server.gate import StateGate
    from vedette.server.rule_folder import RuleFolder
    from vedette.store.secrets import MasterKey

RUN_RULE = "run_detection_rule"
MAINTAIN_LAKE = "maintain_lake"

HISTORY_MEMORY = 256 * 2**20
"""Bytes that reading back the starts of processes may take."""

COMPACTION_MEMORY = 512 * 2**20
"""Bytes that rewriting segments may take."""


class Services:
    """The objects of one process. Not shared between processes; build one after a fork, never before."""

    def __init__(
        self, settings: Settings, folder: DataFolder, *, clock: Clock | None = None, ids: Ids | None = None
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.clock = clock or _clock(settings, folder)
        self.ids = ids or RandomIds()
        self._closers: list[Callable[[], object]] = []

    def close(self) -> None:
        """Close what was built, last first."""
        while self._closers:
            self._closers.pop()()

    @cached_property
    def gate(self) -> "StateGate":
        """Between work and a change of the whole state. Whoever remembers any of that forgets it there."""
        from vedette.server.gate import StateGate

        gate = StateGate(self.folder.run)
        self._closers.append(gate.close)
        return gate

    @cached_property
    def store(self) -> Store:
        store = Store.in_folder(self.folder.root)
        self._closers.append(store.close)
        return store

    @cached_property
    def master_key(self) -> "MasterKey":
        from vedette.store.secrets import MasterKey

        return MasterKey.load_or_create(self.folder.master_key)

    @cached_property
    def cursors(self) -> "CursorBox":
        from vedette.api.cursors import CursorBox

        return CursorBox(self.master_key)

    @cached_property
    def identity(self) -> "IdentityServices":
        from vedette.identity.services import IdentityServices, IdentitySettings

        identity = IdentityServices(
            self.store,
            self.master_key,
            clock=self.clock,
            ids=self.ids,
            settings=IdentitySettings(
                own_hosts=own_hosts(self.settings),
                access_token_lifetime=self.settings.access_token_seconds,
                challengeable_token_lifetime=self.settings.cae_token_seconds,
                refresh_token_lifetime=self.settings.refresh_token_seconds,
                authorization_code_lifetime=self.settings.authorization_code_seconds,
                device_code_lifetime=self.settings.device_code_seconds,
                rotate_refresh_tokens=self.settings.rotate_refresh_tokens,
                session_lifetime=self.settings.session_seconds,
                signing_key_lifetime=self.settings.signing_key_days * 86_400,
            ),
            egress=self.egress,
        )
        identity.audit.start(self.gate.unit)
        self._closers.append(identity.audit.close)
        self.gate.on_change(identity.forget)
        return identity

    @cached_property
    def queue(self) -> "JobQueue":
        from vedette.jobs.queue import JobQueue

        return JobQueue(self.store, self.clock, self.ids)

    @cached_property
    def schedules(self) -> "Schedules":
        from vedette.jobs.schedule import Schedules

        return Schedules(self.store, self.queue, self.clock)

    @cached_property
    def outbox(self) -> "Outbox":
        from vedette.jobs.outbox import Outbox

        return Outbox(self.clock, self.ids)

    @cached_property
    def relay(self) -> "OutboxRelay":
        from vedette.jobs.outbox import OutboxRelay
        from vedette.server.job_needs import job_needs

        return OutboxRelay(self.store, self.queue, subscriptions(), job_needs(self.clock))

    @cached_property
    def lake_folders(self) -> "LakeFolders":
        from vedette.lake.engine import LakeFolders

        return LakeFolders(self.folder.lake)

    @cached_property
    def writer(self) -> "LakeWriter":
        from vedette.lake.engines.duckdb_files import DuckDBJson
        from vedette.lake.publish import Publisher
        from vedette.lake.writer import LakeWriter, WriterOptions

        publisher = Publisher(self.store, self.lake_folders, self.ids, self.outbox)
        options = WriterOptions(flush_seconds=self.settings.lake_flush_seconds)
        writer = LakeWriter(self.lake_folders, self.clock, publisher, DuckDBJson(), options, unit=self.gate.unit)
        self._closers.append(writer.stop)
        self.gate.on_change(writer.abandon)
        return writer

    @cached_property
    def api_audit(self) -> "ApiAudit":
        from vedette.server.api_audit import ApiAudit

        audit = ApiAudit(self.writer, self.clock, self.ids, self.gate.unit)
        audit.start()
        self._closers.append(audit.stop)  # the writer was built first and so is closed after it
        self.gate.on_change(audit.forget)
        return audit

    @cached_property
    def engine(self) -> "DuckDBEngine":
        from vedette.lake.engines.duckdb import DuckDBEngine

        engine = DuckDBEngine(self.store, self.lake_folders)
        self._closers.append(engine.close)
        return engine

    @cached_property
    def maintenance(self) -> "Maintenance":
        from vedette.lake.compaction import Compactor
        from vedette.lake.engines.duckdb_files import DuckDBRewriter
        from vedette.lake.maintenance import Maintenance

        rewriter = DuckDBRewriter(self.ids, memory=COMPACTION_MEMORY)
        compactor = Compactor(self.store, self.lake_folders, self.clock, rewriter)
        return Maintenance(self.store, self.lake_folders, self.clock, compactor)

    @cached_property
    def egress(self) -> "Egress":
        from vedette.egress.policy import EgressPolicy
        from vedette.egress.transport import Egress

        return Egress(
            EgressPolicy(
                hosts=self.settings.egress_hosts,
                private_hosts=self.settings.egress_private_hosts,
                mirror=self.settings.egress_mirror,
            )
        )

    @cached_property
    def hunting(self) -> "HuntingService":
        return self._hunting_service(self.settings.profile)

    @cached_property
    def telemetry(self) -> "OwnQueries":
        """Queries of the server's own, which the limits of a profile do not concern."""
        from vedette.hunting.rows import OwnQueries

        return OwnQueries(self._hunting_service("default"), self.ids)

    @cached_property
    def places(self) -> "PlaceDatabase | None":
        from vedette.hunting.places import PlaceDatabase

        if self.settings.geo_database is None:
            return None
        places = PlaceDatabase(self.settings.geo_database)
        self._closers.append(places.close)
        return places

    def catalog(self, tenant_id: str) -> "Catalog":
        """What a tenant's queries can name, with the functions that it has stored so far."""
        from vedette.hunting.catalog import ContractCatalog
        from vedette.hunting.stored_functions import tenant_catalog

        with self.store.connect() as connection:
            return tenant_catalog(connection, tenant_id, ContractCatalog())

    def _hunting_service(self, profile: str) -> "HuntingService":
        from vedette.contracts.quotas import load_quota_profile
        from vedette.hunting.quota import HuntingLimits
        from vedette.hunting.service import HuntingParts, HuntingService
        from vedette.kql.compile import compile_with_discovery
        from vedette.machines.visibility import SeenMachines

        quotas = load_quota_profile(profile)
        limits = HuntingLimits(
            quotas.hunting,
            quotas.hunting_by_class,
            seconds=self.settings.hunting_seconds,
            memory=self.settings.hunting_memory_mb * 2**20,
        )
        return HuntingService(
            HuntingParts(
                compile=compile_with_discovery,
                catalog=self.catalog,
                engine=self.engine,
                lake=self.writer,
                egress=self.egress,
                limits=limits,
                clock=self.clock,
                seen_devices=SeenMachines(self.store),
                places=self.places,
            )
        )

    @cached_property
    def endpoint(self) -> "EndpointParts":
        from vedette.api.defender.endpoint import make_parts
        from vedette.contracts.quotas import load_quota_profile
        from vedette.store.secrets import MasterKey

        master = MasterKey.load_or_create(self.folder.master_key)
        delay = self.settings.action_pending_seconds
        sessions = load_quota_profile(self.settings.profile).live_response_sessions
        return make_parts(self.store, self.clock, self.ids, self.telemetry, master, delay=delay, sessions=sessions)

    @cached_property
    def executor(self) -> "Executor":
        """Who carries machine actions out."""
        from vedette.machines.simulator import Simulation, Simulator, parse_outcomes
        from vedette.machines.webhook import WebhookExecutor
        from vedette.store.secrets import Secret

        settings = self.settings
        if settings.action_webhook_key is not None:
            key = Secret(settings.action_webhook_key.read_text("utf-8").strip())
            return WebhookExecutor(self.egress, settings.action_webhook, key, self.clock)
        outcomes = parse_outcomes(settings.action_outcomes)
        return Simulator(Simulation(settings.action_running_seconds, outcomes), self.clock)

    @cached_property
    def pipeline(self) -> "Pipeline":
        from vedette.ingest.pipeline import Pipeline
        from vedette.ingest.processes import STARTS_PER_TENANT, LakeHistory, ProcessCache
        from vedette.lake.engine import QueryLimits

        limits = QueryLimits(rows=STARTS_PER_TENANT, seconds=30.0, memory=HISTORY_MEMORY)
        processes = ProcessCache(LakeHistory(self.engine, limits))
        self.gate.on_change(processes.forget)
        return Pipeline(self.writer, self.folder.quarantine, processes=processes)

    @cached_property
    def evaluator(self) -> "Evaluator":
        from vedette.detections.evaluate import Evaluator
        from vedette.detections.responses import Responder

        responder = Responder(self.endpoint.actions, self.endpoint.investigations, self.clock)
        return Evaluator(self.store, self.hunting, self.outbox, self.clock, self.ids, responder=responder)

    @cached_property
    def rules(self) -> "RuleFolder":
        from vedette.server.rule_folder import RuleFolder

        return RuleFolder(self.folder.rules)

    def tenants(self) -> Sequence[Tenant]:
        """Every tenant of the installation. For the worker and for commands of its owner only."""
        from vedette.identity.directory.tenants import Tenants

        with self.store.connect() as connection:
            return [record.tenant for record in Tenants(connection).all()]

    def tenant(self, name: str | None) -> Tenant | None:
        """The tenant of a GUID or domain; without a name, the home tenant."""
        from vedette.identity.directory.tenants import Tenants

        with self.store.connect() as connection:
            if name is not None:
                found = Tenants(connection).find(name)
                return found.tenant if found else None
            return next((record.tenant for record in Tenants(connection).all() if record.is_home), None)


def _clock(settings: Settings, folder: DataFolder) -> Clock:
    return ShiftedClock(folder.clock_file) if settings.demo or settings.allow_minting else SystemClock()


def own_hosts(settings: Settings) -> frozenset[str]:
    """Host names that are ours beside the real services', in lower case and without ports."""
    return frozenset({"localhost", "127.0.0.1", "::1", *(name.lower() for name in settings.accept_host)})


def subscriptions() -> Mapping[str, Sequence[str]]:
    """Who hears of what: kinds of jobs by topic of the outbox."""
    from vedette.detections import alert_tables
    from vedette.detections.custom_rules import RULE_CHANGED
    from vedette.identity import audit, audit_rows
    from vedette.incidents.alerts import ALERT_CREATED
    from vedette.indicators import enforcement
    from vedette.lake.publish import EVENTS_COMMITTED
    from vedette.machines import alert_groups, updates
    from vedette.server.notifications import notification_topics

    return {
        ALERT_CREATED: (alert_tables.JOB, alert_groups.JOB),
        RULE_CHANGED: (RUN_RULE,),
        audit.TOPIC: (audit_rows.JOB,),
        EVENTS_COMMITTED: (updates.JOB, enforcement.JOB),
        **notification_topics(),
    }


def job_handlers(services: Services) -> Mapping[str, "Callable[[Job], None]"]:
    """What runs each kind of job."""
    from vedette.detections import alert_tables
    from vedette.detections.custom_rules import KEY_PREFIX
    from vedette.server.notifications import notification_handlers, run_tenant_rule

    def run_rule(job: "Job") -> None:
        tenant, rule_id = services.tenant(job.tenant_id), str(job.payload["rule_id"])
        if tenant is None:
            return
        if rule_id.startswith(KEY_PREFIX):
            run_tenant_rule(services, tenant, rule_id)
        elif (rule := services.rules.all().get(rule_id)) is not None:
            services.evaluator.evaluate(tenant, rule)

    def maintain_lake(job: "Job") -> None:
        services.maintenance.run(job.tenant_id)

    return {
        alert_tables.JOB: alert_tables.AlertTables(services.store, services.writer).write,
        RUN_RULE: run_rule,
        MAINTAIN_LAKE: maintain_lake,
        **_identity_handlers(services),
        **_machine_handlers(services),
        **notification_handlers(services),
    }


def _identity_handlers(services: Services) -> Mapping[str, "Callable[[Job], None]"]:
    from vedette.identity import audit_rows, upkeep

    return {
        audit_rows.JOB: audit_rows.IdentityTables(services.writer).write,
        upkeep.JOB: lambda job: upkeep.Upkeep(services.identity).run(job.tenant_id),
    }


def _enforcement(services: Services) -> "Enforcement":
    from vedette.indicators.enforcement import Enforcement, EnforcementParts
    from vedette.machines.inventory import group_names

    return Enforcement(
        EnforcementParts(
            store=services.store,
            telemetry=services.telemetry,
            lake=services.writer,
            outbox=services.outbox,
            clock=services.clock,
            ids=services.ids,
            tenant=services.tenant,
            groups=group_names,
        )
    )


def _machine_handlers(services: Services) -> Mapping[str, "Callable[[Job], None]"]:
    from vedette.indicators import enforcement
    from vedette.machines import alert_groups, execution, inventory_rows, investigations, updates

    store, queue, clock = services.store, services.queue, services.clock
    running = services.settings.action_running_seconds
    machines = updates.MachineUpdates(store, services.telemetry, queue, clock, services.tenant)
    return {
        updates.JOB: machines.observe,
        alert_groups.JOB: alert_groups.AlertGroups(store, clock).show,
        enforcement.JOB: _enforcement(services).match,
        inventory_rows.JOB: inventory_rows.InventoryWriter(store, services.writer, queue, clock).write,
        execution.JOB: execution.ActionRunner(store, queue, services.executor, clock).run,
        investigations.JOB: investigations.InvestigationRunner(store, queue, clock, running=running).run,
    }
