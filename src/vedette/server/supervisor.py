"""Starts the processes of a server, watches them, restarts one that dies, and stops all of them together."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from vedette.observability.logs import get_logger
from vedette.server.linux import die_with_parent, process_context

LOG = get_logger(__name__)

STOP_SECONDS = 10.0
RESTART_PAUSE_SECONDS = 0.5
CRASHES_ALLOWED = 5
CRASH_WINDOW_SECONDS = 60.0

Main = Callable[[], None]


class CrashLoopError(Exception):
    """A process dies as often as it is started."""


class Supervisor:
    """Runs one process per name. Not thread-safe; `run` blocks until `stop` is called from a signal handler."""

    def __init__(self, mains: Mapping[str, Main]) -> None:
        self._mains = mains
        self._context = process_context()
        self._children: dict[str, BaseProcess] = {}
        self._crashes: list[float] = []
        self._stopping = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def start(self, names: Iterable[str] | None = None) -> None:
        """Start the processes of these names (default: all)."""
        for name in self._mains if names is None else names:
            self._children[name] = self._spawn(name, self._mains[name])

    def run_to_end(self, name: str, main: Main) -> int:
        """Run a task in a process of its own, watching the others meanwhile; its exit code. -1: told to stop."""
        task = self._spawn(name, main)
        while not self._stopping:
            ready = self._wait(task.sentinel)
            if task.sentinel in ready:
                task.join()
                return task.exitcode or 0
            self._revive(ready)
        _end([task])
        return -1

    def run(self) -> None:
        """Watch until told to stop. Raises CrashLoopError."""
        while not self._stopping:
            self._revive(self._wait())

    def tick(self, seconds: float) -> bool:
        """Watch for at most `seconds`; False when told to stop."""
        self._revive(self._wait(timeout=seconds))
        return not self._stopping

    def stop_on(self, *signals: int) -> None:
        """Ask to stop on these signals. They wake the wait itself: one that comes just before it is not lost."""
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in signals:
            signal.signal(number, lambda *_: self.request_stop())

    def request_stop(self) -> None:
        """Ask `run` to return. Safe in a signal handler."""
        self._stopping = True
        try:
            os.write(self._wake_write, b"x")
        except BlockingIOError:
            return  # somebody has woken it already

    def stop(self) -> None:
        """End all processes: politely, then by force."""
        self._stopping = True
        _end(list(self._children.values()))
        self._children.clear()

    def _wait(self, *also: int, timeout: float | None = None) -> list[object]:
        sentinels = [child.sentinel for child in self._children.values()]
        return list(wait([*sentinels, *also, self._wake_read], timeout))

    def _revive(self, ready: list[object]) -> None:
        for name, child in list(self._children.items()):
            if self._stopping or child.sentinel not in ready:
                continue
            child.join()
            LOG.error("process died", process=name, exit_code=child.exitcode)
            self._count_crash(name)
            time.sleep(RESTART_PAUSE_SECONDS)
            self._children[name] = self._spawn(name, self._mains[name])

    def _count_crash(self, name: str) -> None:
        now = time.monotonic()
        self._crashes = [moment for moment in self._crashes if now - moment < CRASH_WINDOW_SECONDS] + [now]
        if len(self._crashes) > CRASHES_ALLOWED:
            raise CrashLoopError(name)

    def _spawn(self, name: str, main: Main) -> BaseProcess:
        process = self._context.Process(target=_child, args=(os.getpid(), main), name=name)  # type: ignore[attr-defined]
        process.start()
        LOG.debug("process started", process=name, pid=process.pid)
        return process  # type: ignore[no-any-return]


def _child(parent: int, main: Main) -> None:
    """First thing in every child: the parent's signal handlers are not ours, and we do not outlive it."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what follows
    die_with_parent(parent)
    main()


def _end(processes: list[BaseProcess]) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            LOG.warning("process did not stop and is killed", process=process.name)
            process.kill()
            process.join()
