"""A real server for tests: `vedette up --demo --single` in a folder of its own, on a free port."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

START_SECONDS = 120.0
STOP_SECONDS = 30.0


class VedetteServer(msgspec.Struct, frozen=True):
    """A running server. `demo` is the content of its `demo.json`."""

    base_url: str
    ca_file: Path
    data: Path
    demo: dict[str, Any]


class ServerStartError(RuntimeError):
    """The server did not become ready; the message is what it said."""


@contextmanager
def running_server(data: Path, *arguments: str) -> Iterator[VedetteServer]:
    """A demo server for the length of a `with` block; further arguments go to `vedette up`."""
    command = [sys.executable, "-m", "vedette.cli.main", "up", "--demo", "--single", "--data", str(data)]
    command += ["--port", str(free_port()), *arguments]
    data.mkdir(parents=True, exist_ok=True)
    log = data / "server.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603 - our own
    assert process.stdout is not None, "it was asked for as a pipe"
    with process.stdout as output:
        try:
            line = output.readline()
            if not line.startswith("ready "):
                raise ServerStartError(log.read_text(encoding="utf-8"))
            demo = json.loads((data / "demo.json").read_bytes())
            yield VedetteServer(line.split()[1], Path(demo["ca_file"]), data, demo)
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def free_port() -> int:
    """A port of the loopback address that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
