"""Starting and idling as a user sees it: `vedette up` on an existing data folder until it answers; then its memory."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.measurement import Measurement

START_GOAL_S = 2.5
MEMORY_GOALS_MB = {"single": 200.0, "default": 400.0}
STARTS = 5
SETTLE_S = 5.0


def measure() -> Iterator[Measurement]:
    """Warm starts (median of five) and proportional set size when idle, for one process and for the default."""
    with tempfile.TemporaryDirectory(prefix="vedette-bench-") as name:
        folder = Path(name)
        with _server(folder):
            pass  # the first start makes the certificate authority, the keys and the control plane
        for mode, flags in (("single", ("--single",)), ("default", ())):
            starts = []
            for _ in range(STARTS):
                with _server(folder, *flags) as (seconds, _group):
                    starts.append(seconds)
            yield Measurement(f"start.{mode}", median(starts), "s", START_GOAL_S, "lower")
            with _server(folder, *flags) as (_seconds, group):
                time.sleep(SETTLE_S)
                yield Measurement(f"memory.{mode}", _pss_mb(group), "MB", MEMORY_GOALS_MB[mode], "lower")


@contextlib.contextmanager
def _server(folder: Path, *flags: str) -> Iterator[tuple[float, int]]:
    """Seconds from the command to its `ready` line, and the process group it runs in."""
    command = [str(Path(sys.executable).with_name("vedette")), "up", "--data", str(folder), "--port", str(_free_port())]
    started = time.perf_counter()
    with subprocess.Popen(
        [*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - started
        if not line.startswith("ready "):
            raise RuntimeError(f"the server did not start: {line!r}")
        try:
            yield seconds, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _pss_mb(group: int) -> float:
    """Proportional set size of every process in the group: shared pages are counted once."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _group_of(int(entry.name)) == group:
            rollup = (entry / "smaps_rollup").read_text()
            found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
            total += int(found.group(1)) if found else 0
    return total / 1024


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
