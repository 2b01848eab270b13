"""Processes are watched, restarted, stopped together, and die with their parent."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from vedette.server.supervisor import CRASHES_ALLOWED, CrashLoopError, Supervisor


def sleeper() -> None:
    time.sleep(60)


def crasher() -> None:
    os._exit(3)


def finisher() -> None:
    os._exit(7)


def watch(supervisor: Supervisor, ticks: int) -> None:
    for _ in range(ticks):
        supervisor.tick(5)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition: object, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def test_a_dead_process_is_started_again_and_all_are_stopped() -> None:
    supervisor = Supervisor({"a": sleeper, "b": sleeper})
    supervisor.start()
    first = supervisor._children["a"].pid
    assert first
    os.kill(first, signal.SIGKILL)
    supervisor.tick(5)
    second = supervisor._children["a"].pid
    other = supervisor._children["b"].pid
    assert second
    assert other
    assert second != first
    supervisor.stop()
    assert not alive(second)
    assert not alive(other)


def test_a_crash_loop_ends() -> None:
    supervisor = Supervisor({"a": crasher})
    supervisor.start()
    with pytest.raises(CrashLoopError):
        watch(supervisor, CRASHES_ALLOWED + 1)
    supervisor.stop()


def test_a_task_reports_its_exit_code() -> None:
    supervisor = Supervisor({"a": sleeper})
    supervisor.start()
    assert supervisor.run_to_end("task", finisher) == 7
    supervisor.stop()


def test_a_stop_request_ends_a_task() -> None:
    supervisor = Supervisor({})
    supervisor.request_stop()
    assert supervisor.run_to_end("task", sleeper) == -1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with a killed parent")
def test_children_die_with_a_killed_parent() -> None:
    script = textwrap.dedent("""
        import time
        from vedette.observability.logs import configure_logs
        configure_logs()
        from vedette.server.supervisor import Supervisor
        def sleeper(): time.sleep(60)
        s = Supervisor({"a": sleeper}); s.start(); print(s._children["a"].pid, flush=True); time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
        parent.wait()
    assert wait_until(lambda: not alive(child))
