"""A real server for tests: `vedette up --demo --single` in a folder of its own, on a free port."""

import datetime
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from vedette.client.administration import Administration
from vedette.client.transport import Transport

STOP_SECONDS = 30.0
PORT_ATTEMPTS = 3


class VedetteServer(msgspec.Struct, frozen=True):
    """A running server. `demo` is the content of its `demo.json`."""

    base_url: str
    ca_file: Path
    data: Path
    demo: dict[str, Any]

    @contextmanager
    def administration(self) -> Iterator[Administration]:
        """Faults, clock, seeds, snapshots and quotas of the server."""
        token = (self.data / "run" / "administrator.token").read_text(encoding="utf-8")
        with Transport(self.base_url, self.ca_file) as transport:
            yield Administration(transport, token)


class ServerClock:
    """The clock of a running server."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    def time(self) -> float:
        """Its time in Unix seconds."""
        return datetime.datetime.fromisoformat(self._administration.clock()["now"]).timestamp()

    def advance(self, seconds: float) -> None:
        """Move it; backwards too."""
        self._administration.advance_clock(seconds)

    def set(self, now: str) -> None:
        """Set it to an ISO 8601 time; it goes on from there."""
        self._administration.set_clock(now)


class ServerStartError(RuntimeError):
    """The server did not become ready; the message is what it said."""


@contextmanager
def running_server(data: Path, *arguments: str) -> Iterator[VedetteServer]:
    """A demo server for the length of a `with` block; further arguments go to `vedette up`."""
    data.mkdir(parents=True, exist_ok=True)
    process, line = _started(data, arguments)
    try:
        demo = json.loads((data / "demo.json").read_bytes())
        yield VedetteServer(line.split()[1], Path(demo["ca_file"]), data, demo)
    finally:
        _end(process)


def _started(data: Path, arguments: tuple[str, ...]) -> tuple[subprocess.Popen[str], str]:
    """The process and its `ready` line. Where somebody else was faster on the free port, another one is taken."""
    log = data / "server.log"
    for attempt in range(PORT_ATTEMPTS):
        command = [sys.executable, "-m", "vedette.cli.main", "up", "--demo", "--single", "--data", str(data)]
        command += ["--port", str(free_port()), *arguments]
        with log.open("wb") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603 - our own
        assert process.stdout is not None, "it was asked for as a pipe"
        line = process.stdout.readline()
        if line.startswith("ready "):
            return process, line
        _end(process)
        said = log.read_text(encoding="utf-8")
        if "in use" not in said or attempt == PORT_ATTEMPTS - 1:
            raise ServerStartError(said)
    raise AssertionError("the last attempt returns or raises")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(STOP_SECONDS)
    if process.stdout is not None:
        process.stdout.close()


def free_port() -> int:
    """A port of the loopback address that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
