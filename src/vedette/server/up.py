"""`vedette up`: checks, certificates, migration, processes, readiness, and a clean end.

Standard output carries one line, `ready https://HOST:PORT`, once the server answers; all else goes to standard error.
"""

import functools
import gc
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from vedette.errors import UsageError
from vedette.observability.logs import configure_logs, get_logger
from vedette.observability.sharing import join_shared, share_between_processes
from vedette.server.data_folder import (
    DataFolder,
    ServerState,
    held,
    open_data_folder,
    write_private,
    write_private_text,
)
from vedette.server.linux import web_process_limit
from vedette.server.plan import ServerPlan
from vedette.server.ports import answers, probe_context, probe_host, require_free
from vedette.settings import Settings

LOG = get_logger(__name__)

READY_POLL_SECONDS = 0.03
DEFAULT_WEB_PROCESSES = 2


class _StopRequested(BaseException):
    """SIGINT or SIGTERM before the processes run."""


def run_server(settings: Settings) -> int:
    """Run until SIGINT or SIGTERM; the exit code. Raises UsageError for what the user can mend."""
    _require_paths(settings.load)
    return _run(settings, _run_single if settings.single else _run_processes, shared=False)


def run_web(settings: Settings) -> int:
    """Run only what answers requests; `run_worker` beside it does the rest."""
    return _run(settings, functools.partial(_run_processes, with_worker=False), shared=True)


def run_worker(settings: Settings) -> int:
    """Run only the background work of a folder, until SIGINT or SIGTERM; the exit code."""
    from vedette.server.schema import ensure_schema

    _stop_by_exception()
    try:
        configure_logs(settings.log_level, settings.log_format)
        folder = open_data_folder(settings.data)
        with held(folder, shared=True):
            ensure_schema(folder)
            join_shared(folder.run / "metrics")
            import vedette.server.processes as mains

            mains.work(ServerPlan(settings, folder, None), [signal.SIGINT, signal.SIGTERM])
    except _StopRequested:
        pass
    return 0


def _settle_memory() -> None:
    """What was imported stays: keep the collector off it, and off the pages that forked processes share."""
    gc.freeze()
    gc.enable()


def _run(settings: Settings, main: Callable[[ServerPlan], int], *, shared: bool) -> int:
    _stop_by_exception()
    gc.disable()  # imports make hundreds of thousands of objects and no garbage; on again before anything is served
    try:
        configure_logs(settings.log_level, settings.log_format)
        folder = open_data_folder(settings.data)
        with held(folder, shared=shared):
            plan = _prepare(settings, folder)
            if not shared:  # parts of a server may join others that have faults ordered
                from vedette.server.faults import forget_faults

                forget_faults(folder.run)
            write_private_text(folder.administrator_token, secrets.token_urlsafe(32))
            try:
                return main(plan)
            finally:
                folder.state_file.unlink(missing_ok=True)
                folder.administrator_token.unlink(missing_ok=True)
    except _StopRequested:
        return 0


def _prepare(settings: Settings, folder: DataFolder) -> ServerPlan:
    """Everything that may be refused, before anything runs."""
    from vedette.server.schema import ensure_schema

    require_free(settings.host, settings.port)
    plan = ServerPlan(settings, folder, _certificates(settings, folder))
    ensure_schema(folder)
    return plan


def _certificates(settings: Settings, folder: DataFolder):  # type: ignore[no-untyped-def]
    from vedette.clock import SystemClock
    from vedette.contracts.operations import load_operations
    from vedette.server.certificates import ensure_certificates, own_certificate

    if settings.behind_proxy:
        return None
    if settings.tls_cert and settings.tls_key:
        return own_certificate(settings.tls_cert, settings.tls_key)
    names = [name for document in load_operations().values() for name in document.hosts]
    return ensure_certificates(folder.tls, [*names, *settings.accept_host], SystemClock())


def _run_processes(plan: ServerPlan, *, with_worker: bool = True) -> int:
    from vedette.server.supervisor import CrashLoopError, Main, Supervisor

    share_between_processes(plan.folder.run / "metrics")
    import vedette.server.processes as mains  # what all processes need is imported once, before they are forked

    _settle_memory()
    names = [f"web-{number + 1}" for number in range(_web_processes(plan.settings))]
    webs: dict[str, Main] = {name: functools.partial(mains.serve_web, plan) for name in names}
    workers: dict[str, Main] = {"worker": functools.partial(mains.work, plan)} if with_worker else {}
    supervisor = Supervisor({**webs, **workers})
    try:
        supervisor.stop_on(signal.SIGINT, signal.SIGTERM)
        supervisor.start(webs)
        if mains.has_startup_work(plan):
            code = supervisor.run_to_end("startup", functools.partial(mains.start_up, plan))
            if code > 0:
                return 1
        while not _is_ready(plan):
            if not supervisor.tick(READY_POLL_SECONDS):
                return 0
        supervisor.start(workers)  # not before: what answers people gets the processor first
        _announce(plan)
        supervisor.run()
    except CrashLoopError as error:
        LOG.critical("a process dies again and again; giving up", process=str(error))
        return 1
    finally:
        supervisor.stop()
    return 0


def _run_single(plan: ServerPlan) -> int:
    import vedette.server.processes as mains

    _settle_memory()
    server = mains.SingleProcess(plan)
    announcer = threading.Thread(target=_announce_when_ready, args=(plan, server), name="announcer", daemon=True)
    announcer.start()
    return server.run()


def _announce_when_ready(plan: ServerPlan, server) -> None:  # type: ignore[no-untyped-def]
    if not server.start_up():
        return
    while not _is_ready(plan):
        if server.stopping.wait(READY_POLL_SECONDS):
            return
    server.start_work()
    _announce(plan)


def _is_ready(plan: ServerPlan) -> bool:
    certificate = plan.certificates.certificate if plan.certificates else None
    host = probe_host(plan.settings.host)
    return answers(host, plan.settings.port, "/readyz", probe_context(certificate))


def _announce(plan: ServerPlan) -> None:
    write_private(plan.folder.state_file, _state(plan))
    sys.stdout.write(f"ready {plan.base_url}\n")
    sys.stdout.flush()
    if plan.settings.demo:
        from vedette.server.demo.welcome import welcome

        sys.stderr.write(welcome(plan.folder.demo_file))
        sys.stderr.flush()


def _state(plan: ServerPlan) -> ServerState:
    return ServerState(
        pid=os.getpid(),
        base_url=plan.base_url,
        ca_file=str(plan.ca_file) if plan.ca_file else None,
        certificate=str(plan.certificates.certificate.absolute()) if plan.certificates else None,
        minting=plan.settings.allow_minting or plan.settings.demo,
    )


def _web_processes(settings: Settings) -> int:
    wanted = settings.web_processes or min(DEFAULT_WEB_PROCESSES, os.cpu_count() or 1)
    return web_process_limit(wanted)


def _require_paths(paths: tuple[Path, ...]) -> None:
    for path in paths:
        if not path.exists():
            raise UsageError(f"There is nothing to load at {path}.")


def _stop_by_exception() -> None:
    def stop(*_: object) -> None:
        raise _StopRequested

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
