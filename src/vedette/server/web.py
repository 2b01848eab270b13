"""A web process: the application of all surfaces, and the server that carries it."""

import asyncio
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.log import LogLevels
from granian.server.embed import Server
from prometheus_client import Counter, Histogram

from vedette.api.administration.routes import AdministrationSurface
from vedette.api.auth import Administrators, Authenticator, Scrapers
from vedette.api.defender.routes import DefenderSurface
from vedette.api.dispatch import Dispatcher, DispatchSettings
from vedette.api.graph.directory import GraphDirectory
from vedette.api.graph.routes import GraphSurface
from vedette.api.hunting import HuntingRunner
from vedette.api.ingest.routes import IngestSurface
from vedette.api.inner_calls import InnerCalls
from vedette.api.login.routes import LoginSurface
from vedette.api.openapi import routes as openapi
from vedette.api.records import RequestRecord
from vedette.api.router import Handler, Router
from vedette.api.throttle import MeteredHunting, Throttle
from vedette.contracts.operations import load_operations
from vedette.contracts.quotas import load_quota_profile
from vedette.hunting.catalog import ContractCatalog
from vedette.identity.tokens.verifier import Verifier
from vedette.observability import metrics
from vedette.observability.logs import get_logger
from vedette.portal.hunting import HuntingParts
from vedette.portal.routes import PortalSurface
from vedette.server.administration import administration_parts
from vedette.server.administrator import local_token
from vedette.server.faults import COUNTERS, open_faults
from vedette.server.health import HealthSurface
from vedette.server.notifications import graph_parts
from vedette.server.plan import ServerPlan
from vedette.server.wiring import Services
from vedette.store.counters import SharedCounters

LOG = get_logger(__name__)

BACKLOG = 1024

COUNTED_TENANTS = 200
"""Tenants with series of their own; the requests of those that come later are counted together."""

_TENANTS = metrics.BoundedLabel(COUNTED_TENANTS)

GRACE_SECONDS = 2.0
"""How long requests under way may take to finish when the server ends."""

# The server's own log goes through ours: no handlers of its own, none of its lines on standard output.
_SERVER_LOG = {"handlers": {}, "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": True}}}


def build_application(services: Services, plan: ServerPlan) -> Dispatcher:
    """The ASGI application over one process's services."""
    settings = services.settings
    spool = services.folder.run / "spool"
    spool.mkdir(mode=0o700, exist_ok=True)
    calls = InnerCalls()
    counters = SharedCounters(services.folder.run / COUNTERS)
    throttle = Throttle(load_quota_profile(settings.profile), services.clock, counters)
    faults = open_faults(services.folder.run)
    handlers = {
        **_handlers(services, calls, MeteredHunting(services.hunting, throttle)),
        "vedette": AdministrationSurface(administration_parts(services, plan, faults, throttle)).handlers(),
    }
    authenticator = Authenticator(Verifier(services.identity), services.tenant)
    router = Router(list(load_operations().values()), handlers, settings.accept_host)
    dispatcher = Dispatcher(
        router,
        authenticator,
        throttle,
        settings=DispatchSettings(spool_folder=spool, behind_proxy=settings.behind_proxy),
        clock=services.clock,
        ids=services.ids,
        faults=faults,
        observers=(count_request, log_request, services.api_audit.observe),
        on_disconnect=services.hunting.cancel,
        gate=services.gate,
        administrators=Administrators(
            authenticator, partial(local_token, services.folder), partial(services.tenant, None)
        ),
        scrapers=Scrapers(
            partial(_metrics_token, settings.metrics_token_file),
            partial(local_token, services.folder),
            behind_proxy=settings.behind_proxy,
        ),
    )
    calls.serve_with(dispatcher.serve_inner)
    return dispatcher


def _metrics_token(path: Path | None) -> str | None:
    """What scrapers have to bring; read each time, so that it can be changed while the server runs."""
    return None if path is None else path.read_text("utf-8").strip()


def _handlers(services: Services, calls: InnerCalls, hunting: HuntingRunner) -> Mapping[str, Mapping[str, Handler]]:
    graph = GraphSurface(graph_parts(services, calls, hunting))
    defender = DefenderSurface(services.store, hunting, services.clock, services.cursors, services.endpoint)
    services.gate.on_change(graph.forget)
    services.gate.on_change(defender.forget)
    return {
        "login": LoginSurface(services.identity).handlers(),
        "graph": {**graph.handlers(), **GraphDirectory(services.identity).handlers()},
        "defender": defender.handlers(),
        "ingest": IngestSurface(services.pipeline).handlers(),
        "portal": PortalSurface(
            services.identity, services.folder.root, HuntingParts(services.hunting, ContractCatalog)
        ).handlers(),
        "server": HealthSurface(services.store).handlers(),
        "openapi": openapi.handlers(),
    }


def count_request(record: RequestRecord) -> None:
    """Add a request to the metrics."""
    surface, operation = record.surface or "none", record.operation or "none"
    requests, seconds = _request_metrics(surface, operation, record.status)
    requests.inc()
    seconds.observe(record.seconds)
    if record.tenant_id:
        _tenant_requests(_TENANTS.of(record.tenant_id), surface).inc()


@cache
def _request_metrics(surface: str, operation: str, status: int) -> tuple[Counter, Histogram]:
    """The two series of a kind of answer; their number is that of the operations and statuses."""
    return (
        metrics.HTTP_REQUESTS.labels(surface, operation, str(status)),
        metrics.HTTP_SECONDS.labels(surface, operation),
    )


@cache
def _tenant_requests(tenant: str, surface: str) -> Counter:
    return metrics.TENANT_REQUESTS.labels(tenant, surface)


def log_request(record: RequestRecord) -> None:
    """One line a request; probes only at level debug, failures of ours with their trace."""
    fields = {
        "surface": record.surface,
        "operation": record.operation,
        "method": record.method,
        "path": record.path,
        "status": record.status,
        "seconds": round(record.seconds, 4),
        "request_id": record.request_id,
        "tenant": record.tenant_id,
        "application": record.app_id,
        "client": record.client_address,
    }
    if record.error_code:
        fields["error_code"] = record.error_code
    if record.error is not None:
        LOG.error("request failed", **fields, exc_info=record.error)
    elif record.surface == "server":
        LOG.debug("request", **fields)
    else:
        LOG.info("request", **fields)


class WebServer:
    """Carries one application on the server's address. `run` returns after `stop`."""

    def __init__(self, services: Services, plan: ServerPlan) -> None:
        self._services = services
        self._plan = plan
        self._stopping = threading.Event()
        self._wake: Callable[[], object] = lambda: None

    def run(self, signals: Sequence[int]) -> None:
        """Serve until one of `signals` or `stop`."""
        asyncio.run(self._run(signals))

    def stop(self) -> None:
        """End `run`. Safe from any thread."""
        self._stopping.set()
        self._wake()

    async def _run(self, signals: Sequence[int]) -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(stopped.set)
        for number in signals:
            _on_signal(loop, number, self.stop)
        if self._stopping.is_set():  # told so before there was a loop to wake
            return
        server = self._server(build_application(self._services, self._plan))
        serving = asyncio.ensure_future(server.serve())
        waiting = asyncio.ensure_future(stopped.wait())
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        server.stop()  # type: ignore[no-untyped-call]
        # Requests under way may finish; connections that clients merely keep open do not hold the process up.
        await asyncio.wait({serving}, timeout=GRACE_SECONDS)
        if serving.done():
            serving.result()

    def _server(self, application: Dispatcher) -> Server:
        settings, files = self._services.settings, self._plan.certificates
        return Server(
            application,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.auto,
            websockets=False,
            backlog=BACKLOG,
            log_level=LogLevels.error,
            log_dictconfig=_SERVER_LOG,
            ssl_cert=_path(files.certificate) if files else None,
            ssl_key=_path(files.key) if files else None,
            ssl_protocol_min=SSLProtocols.tls12,
        )


def _on_signal(loop: asyncio.AbstractEventLoop, number: int, stop: Callable[[], None]) -> None:
    """Have the loop itself woken by the signal: one that comes just before the loop falls asleep is not lost."""
    try:
        loop.add_signal_handler(number, stop)
    except NotImplementedError:  # Windows
        signal.signal(number, lambda *_: stop())


def _path(path: Path) -> Path:
    return path.absolute()
