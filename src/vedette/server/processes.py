"""The mains of a server's processes. Importing this imports everything they share."""

import signal
import threading
from collections.abc import Sequence

from vedette.hunting.service import HuntingService  # noqa: F401 - imported before forking, for all processes
from vedette.ingest.pipeline import Pipeline  # noqa: F401
from vedette.kql.compile import compile_query  # noqa: F401
from vedette.observability.logs import configure_logs, get_logger
from vedette.observability.metrics import START_TIME
from vedette.server.plan import ServerPlan
from vedette.server.web import WebServer
from vedette.server.wiring import Services
from vedette.server.worker import Worker

LOG = get_logger(__name__)


def serve_web(plan: ServerPlan) -> None:
    """A web process."""
    services = _services(plan)
    try:
        services.writer.start()
        WebServer(services, plan).run([signal.SIGTERM])
    finally:
        services.close()


def work(plan: ServerPlan, signals: Sequence[int] = (signal.SIGTERM,)) -> None:
    """The worker process. Ends on one of `signals`."""
    services = _services(plan)
    try:
        services.writer.start()
        Worker(services).run(signals)
    finally:
        services.close()


def start_up(plan: ServerPlan) -> None:
    """What has to be there before the server counts as ready: demo and loaded files."""
    from vedette.server.startup import perform

    services = _services(plan)
    try:
        with services.gate.unit():
            perform(services, plan)
    finally:
        services.close()


def has_startup_work(plan: ServerPlan) -> bool:
    """Whether `start_up` has anything to do."""
    return plan.settings.demo or bool(plan.settings.load)


class SingleProcess:
    """Web, worker and start-up work in one process."""

    def __init__(self, plan: ServerPlan) -> None:
        self.stopping = threading.Event()
        self._plan = plan
        self._services = _services(plan)
        self._web = WebServer(self._services, plan)
        self._worker = Worker(self._services)
        self._failed = False

    def run(self) -> int:
        """Serve until `stop`; the exit code."""
        try:
            self._services.writer.start()
            self._web.run([signal.SIGINT, signal.SIGTERM])
        finally:
            self.stopping.set()
            self._worker.stop()
            self._services.close()
        return 1 if self._failed else 0

    def stop(self) -> None:
        """End `run`."""
        self.stopping.set()
        self._web.stop()

    def start_work(self) -> None:
        """Start the background work."""
        self._worker.start()

    def start_up(self) -> bool:
        """The start-up work, beside the web server; False when it failed, which ends the server."""
        from vedette.server.startup import perform

        try:
            if has_startup_work(self._plan):
                with self._services.gate.unit():
                    perform(self._services, self._plan)
        except Exception:  # in a thread nobody would hear of it
            LOG.exception("start-up failed")
            self._failed = True
            self.stop()
            return False
        return True


def _services(plan: ServerPlan) -> Services:
    configure_logs(plan.settings.log_level, plan.settings.log_format)
    services = Services(plan.settings, plan.folder)
    START_TIME.set(services.clock.time())
    return services
