"""A web process: the application of all surfaces, and the server that carries it."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.log import LogLevels
from granian.server.embed import Server

from vedette.api.auth import Authenticator
from vedette.api.defender.routes import DefenderSurface
from vedette.api.dispatch import Dispatcher, DispatchSettings, RequestRecord
from vedette.api.graph.routes import GraphSurface
from vedette.api.ingest.routes import IngestSurface
from vedette.api.login.routes import LoginSurface
from vedette.api.router import Handler, Router
from vedette.api.throttle import Throttle
from vedette.contracts.operations import load_operations
from vedette.contracts.quotas import load_quota_profile
from vedette.identity.tokens.verifier import Verifier
from vedette.observability import metrics
from vedette.observability.logs import get_logger
from vedette.server.certificates import CertificateFiles
from vedette.server.health import HealthSurface
from vedette.server.wiring import Services

LOG = get_logger(__name__)

BACKLOG = 1024

# The server's own log goes through ours: no handlers of its own, none of its lines on standard output.
_SERVER_LOG = {"handlers": {}, "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": True}}}


def build_application(services: Services) -> Dispatcher:
    """The ASGI application over one process's services."""
    settings = services.settings
    spool = services.folder.run / "spool"
    spool.mkdir(mode=0o700, exist_ok=True)
    handlers = _handlers(services)
    router = Router(list(load_operations().values()), handlers, settings.accept_host)
    return Dispatcher(
        router,
        Authenticator(Verifier(services.identity), services.tenant),
        Throttle(load_quota_profile(settings.profile), services.clock),
        settings=DispatchSettings(spool_folder=spool, behind_proxy=settings.behind_proxy),
        clock=services.clock,
        ids=services.ids,
        observers=(count_request, log_request),
        on_disconnect=services.hunting.cancel,
    )


def _handlers(services: Services) -> Mapping[str, Mapping[str, Handler]]:
    return {
        "login": LoginSurface(services.identity).handlers(),
        "graph": GraphSurface(services.store, services.hunting, services.clock).handlers(),
        "defender": DefenderSurface(services.store, services.hunting, services.clock).handlers(),
        "ingest": IngestSurface(services.pipeline).handlers(),
        "server": HealthSurface(services.store).handlers(),
    }


def count_request(record: RequestRecord) -> None:
    """Add a request to the metrics."""
    surface, operation = record.surface or "none", record.operation or "none"
    metrics.HTTP_REQUESTS.labels(surface, operation, str(record.status)).inc()
    metrics.HTTP_SECONDS.labels(surface, operation).observe(record.seconds)


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

    def __init__(self, services: Services, certificates: CertificateFiles | None) -> None:
        self._services = services
        self._certificates = certificates
        self._stopped: Callable[[], object] = lambda: None
        self._stop_requested = False

    def run(self) -> None:
        """Serve until SIGTERM or `stop`."""
        asyncio.run(self._run())

    def stop(self) -> None:
        """End `run`. Safe from a signal handler and from any thread."""
        self._stop_requested = True
        self._stopped()

    async def _run(self) -> None:
        server = self._server(build_application(self._services))
        loop = asyncio.get_running_loop()
        self._stopped = lambda: loop.call_soon_threadsafe(server.stop)
        signal.signal(signal.SIGTERM, lambda *_: self.stop())
        if not self._stop_requested:
            await server.serve()

    def _server(self, application: Dispatcher) -> Server:
        settings, files = self._services.settings, self._certificates
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


def _path(path: Path) -> Path:
    return path.absolute()
