"""Small stand-ins for what the API stands on, and an application assembled from them."""

import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pyarrow as pa

from tests.asgi import AsgiClient
from vedette.api.auth import Authenticator
from vedette.api.cursors import CursorBox
from vedette.api.defender.endpoint import make_parts
from vedette.api.defender.routes import DefenderSurface
from vedette.api.dispatch import Dispatcher, DispatchSettings
from vedette.api.fault_injection import Faults
from vedette.api.graph.detection_rules import RuleParts
from vedette.api.graph.directory import GraphDirectory
from vedette.api.graph.routes import GraphParts, GraphSurface
from vedette.api.graph.subscriptions import SubscriptionParts
from vedette.api.hunting import HuntingRunner
from vedette.api.inner_calls import InnerCalls
from vedette.api.records import RequestRecord
from vedette.api.router import Handler, Router
from vedette.api.throttle import MeteredHunting, Throttle
from vedette.clock import ManualClock
from vedette.context import Principal, RequestContext, Tenant
from vedette.contracts.operations import OperationsDocument, load_operations
from vedette.contracts.permissions import load_directory_roles, load_resources
from vedette.contracts.quotas import load_quota_profile
from vedette.hunting.catalog import ContractCatalog
from vedette.hunting.columns import query_columns
from vedette.hunting.results import QueryStatistics, Results
from vedette.hunting.rows import OwnQueries
from vedette.identity.errors import ExpiredTokenError, MalformedTokenError
from vedette.identity.services import IdentityServices
from vedette.ids import RandomIds
from vedette.jobs.outbox import Outbox
from vedette.kql.compiled import ResultColumn
from vedette.kql.types import ScalarType
from vedette.machines.telemetry import Telemetry
from vedette.store.counters import LocalCounters
from vedette.store.engine import Store
from vedette.store.metadata import METADATA
from vedette.store.secrets import MasterKey, Sealer

HOME = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
APP = "aaaaaaaa-0000-0000-0000-000000000001"
NOW = 1_763_899_200.0
HUNTING_THREADS = 2
ACTION_DELAY = 1.0
READER = load_directory_roles()["Security Reader"].id
TICKS_2025 = 638_712_864_000_000_000


def principal(
    audience: str,
    *roles: str,
    tenant_id: str = HOME,
    scopes: tuple[str, ...] = (),
    kind: str = "application",
    directory_roles: tuple[str, ...] = (),
) -> Principal:
    return Principal(
        kind="user" if kind == "user" else "application",
        tenant_id=tenant_id,
        object_id="0" * 8,
        app_id=APP,
        audience=audience,
        roles=frozenset(roles),
        scopes=frozenset(scopes),
        directory_roles=frozenset(directory_roles),
        display_name="Heron connector",
    )


def _able(not_before: int) -> Principal:
    """A client that can answer claims challenges, with a token of that second."""
    reader = principal("graph", "SecurityIncident.Read.All")
    return msgspec.structs.replace(reader, not_before=not_before, client_capabilities=frozenset({"cp1"}))


SECURITY_ROLES = (
    "SecurityEvents.ReadWrite.All",
    "SecurityIdentitiesAccount.Read.All",
    "SecurityIdentitiesActions.ReadWrite.All",
    "SecurityIdentitiesAutoConfig.ReadWrite.All",
    "SecurityIdentitiesHealth.ReadWrite.All",
    "SecurityIdentitiesSensors.Read.All",
    "SecurityIdentitiesSensors.ReadWrite.All",
    "ThreatIndicators.ReadWrite.OwnedBy",
    "ThreatIntelligence.Read.All",
)

PRINCIPALS = {
    "graph": principal(
        "graph",
        "SecurityIncident.ReadWrite.All",
        "SecurityAlert.ReadWrite.All",
        "SecurityData.Manage.All",
        "CustomDetection.ReadWrite.All",
        "ThreatHunting.Read.All",
        *SECURITY_ROLES,
    ),
    "graph-reader": principal("graph", "SecurityIncident.Read.All"),
    "graph-user": principal("graph", scopes=("ThreatHunting.Read.All",), kind="user", directory_roles=(READER,)),
    "graph-other": principal("graph", "SecurityIncident.ReadWrite.All", "SecurityAlert.ReadWrite.All", tenant_id=OTHER),
    "graph-able": _able(50),
    "graph-renewed": _able(100),
    "graph-lost": principal("graph", "SecurityIncident.Read.All", tenant_id="3" * 8),
    "xdr": principal("mtp", "Incident.ReadWrite.All", "AdvancedHunting.Read.All"),
    "xdr-other": principal("mtp", "Incident.ReadWrite.All", tenant_id=OTHER),
    "mde": principal("wdatp", "AdvancedQuery.Read.All", "Incident.Read.All"),
    "endpoint": principal("wdatp", *(role.value for role in load_resources()["wdatp"].app_roles)),
    "endpoint-other": principal(
        "wdatp", "Machine.ReadWrite.All", "Alert.ReadWrite.All", "Ti.ReadWrite.All", tenant_id=OTHER
    ),
    "ingest": principal("vedette", "Vedette.Ingest"),
    "nothing": principal("graph"),
}


class FakeVerifier:
    """Tokens are names of principals; two more do not verify."""

    def verify(self, token: str) -> Principal:
        if token == "expired":
            raise ExpiredTokenError
        if token == "graph-late":
            raise ExpiredTokenError(PRINCIPALS["graph"])
        if token not in PRINCIPALS:
            raise MalformedTokenError
        return PRINCIPALS[token]


def find_tenant(tenant_id: str) -> Tenant | None:
    if tenant_id not in (HOME, OTHER):
        return None
    return Tenant(tenant_id, "contoso.test", "Contoso")


COLUMNS = (
    ("Timestamp", ScalarType.DATETIME, pa.int64(), TICKS_2025 + 1_234_567),
    ("DeviceName", ScalarType.STRING, pa.string(), "ws-01"),
    ("ProcessId", ScalarType.LONG, pa.int64(), 4711),
    ("Port", ScalarType.INT, pa.int32(), None),
    ("IsAdmin", ScalarType.BOOL, pa.bool_(), True),
    ("Score", ScalarType.REAL, pa.float64(), 0.5),
    ("Details", ScalarType.DYNAMIC, pa.string(), '{"a":[1,2]}'),
    ("Took", ScalarType.TIMESPAN, pa.int64(), 36_610_000_000),
    ("Id", ScalarType.GUID, pa.string(), HOME),
)


class FakeHunting:
    """Answers every query alike, and remembers what was asked. `failure` is raised instead."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []
        self.failure: Exception | None = None
        self.cpu, self.elapsed = 0.5, 0.25

    def run(self, context: RequestContext, query: str, timespan: str | None, /) -> Results:
        self.asked.append((context.tenant.tenant_id, query, timespan))
        if self.failure is not None:
            raise self.failure
        data = pa.table([pa.array([value], type_) for _, _, type_, value in COLUMNS], [name for name, *_ in COLUMNS])
        statistics = QueryStatistics(
            elapsed=self.elapsed, cpu=self.cpu, peak_memory=1024, rows_scanned=10, bytes_read=100, rows=1, size=64
        )
        return Results(tuple(ResultColumn(name, kql) for name, kql, *_ in COLUMNS), data, statistics)


class CountingIds:
    """GUIDs that count."""

    def __init__(self) -> None:
        self._last = 0

    def guid(self) -> str:
        self._last += 1
        return f"{self._last:08x}-0000-4000-8000-000000000000"


@dataclasses.dataclass
class Application:
    """An application over an empty control plane in memory."""

    app: Dispatcher
    store: Store
    clock: ManualClock
    hunting: FakeHunting
    records: list[RequestRecord]
    abandoned: list[RequestContext]
    spool: Path
    identity: IdentityServices
    validated: list[str]
    """Addresses of subscriptions that were asked to repeat a token."""
    sealer: Sealer
    faults: Faults
    hunting_threads: int = HUNTING_THREADS

    def close(self) -> None:
        """Close the store and remove its folder."""
        self.store.close()
        shutil.rmtree(self.spool.parent)

    def client(self, token: str | None = None, host: str = "localhost") -> AsgiClient:
        return AsgiClient(self.app, host, token)


def _columns(query: str, _tenant_id: str) -> tuple[str, ...] | None:
    return query_columns(query, ContractCatalog())


def assemble(
    extra: Mapping[str, tuple[OperationsDocument, Mapping[str, Handler]]] | None = None,
    *,
    profile: str = "default",
    behind_proxy: bool = False,
    body_silence: float = 60.0,
    accepted_hosts: tuple[str, ...] = (),
    on_disconnect: Callable[[RequestContext], object] | None = None,
    store: Store | None = None,
    clock: ManualClock | None = None,
    endpoint: Telemetry | None = None,
    queries: HuntingRunner | None = None,
) -> Application:
    """Graph and Defender, and whatever surfaces a test adds. `queries` answers hunting instead of the fake."""
    folder = Path(tempfile.mkdtemp(prefix="vedette-test-"))
    spool = folder / "spool"
    spool.mkdir()
    store, clock, hunting = store or Store.in_folder(folder), clock or ManualClock(NOW), FakeHunting()
    throttle = Throttle(load_quota_profile(profile), clock)
    metered = MeteredHunting(queries or hunting, throttle)
    cursors = CursorBox(MasterKey.random())
    METADATA.create_all(store.engine)
    identity = IdentityServices(store, MasterKey.random(), clock=clock, ids=RandomIds())
    documents = load_operations()
    ids = CountingIds()
    own = endpoint or OwnQueries(hunting, ids)
    sessions = load_quota_profile(profile).live_response_sessions
    parts = make_parts(store, clock, RandomIds(), own, MasterKey.random(), delay=ACTION_DELAY, sessions=sessions)
    validated: list[str] = []
    calls = InnerCalls()
    sealer = Sealer(MasterKey.random().derive("subscriptions"))
    graph = GraphParts(
        store=store,
        hunting=metered,
        clock=clock,
        cursors=cursors,
        rules=RuleParts(store, _columns, Outbox(clock, RandomIds()), clock, RandomIds()),
        subscriptions=SubscriptionParts(store, sealer, lambda url, _token: validated.append(url), clock, RandomIds()),
        calls=calls,
        telemetry=own,
        identity=identity,
    )
    surfaces: dict[str, tuple[OperationsDocument, Mapping[str, Handler]]] = {
        "graph": (
            documents["graph"],
            {**GraphSurface(graph).handlers(), **GraphDirectory(identity).handlers()},
        ),
        "defender": (documents["defender"], DefenderSurface(store, metered, clock, cursors, parts).handlers()),
        **(extra or {}),
    }
    router = Router(
        [document for document, _ in surfaces.values()],
        {name: handlers for name, (_, handlers) in surfaces.items()},
        accepted_hosts,
    )
    records: list[RequestRecord] = []
    abandoned: list[RequestContext] = []
    faults = Faults(folder / "faults.json", LocalCounters())
    app = Dispatcher(
        router,
        Authenticator(FakeVerifier(), find_tenant),
        throttle,
        settings=DispatchSettings(
            spool_folder=spool,
            behind_proxy=behind_proxy,
            hunting_threads=HUNTING_THREADS,
            crypto_threads=2,
            body_silence=body_silence,
        ),
        clock=clock,
        ids=ids,
        faults=faults,
        observers=[records.append],
        on_disconnect=on_disconnect or abandoned.append,
    )
    calls.serve_with(app.serve_inner)
    return Application(app, store, clock, hunting, records, abandoned, spool, identity, validated, sealer, faults)
