"""Servers to measure: one Vedette web process on plain HTTP, or any command that listens."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import msgspec


class WebProcess(msgspec.Struct, frozen=True):
    """A running web process, and the client that may do everything in its tenant."""

    port: int
    tenant_id: str
    client_id: str
    client_secret: str

    def token(self, resource: str) -> str:
        """A token for one of the resource APIs."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": f"{resource}/.default",
        }
        # As a proxy sends it on: the issuer follows the host, and is never one without TLS.
        headers = {"Host": "localhost", "X-Forwarded-Proto": "https"}
        address = f"http://127.0.0.1:{self.port}/{self.tenant_id}/oauth2/v2.0/token"
        with urlopen(Request(address, urlencode(form).encode(), headers), timeout=30) as answer:
            return str(json.load(answer)["access_token"])


@contextlib.contextmanager
def web_process(data: Path) -> Iterator[WebProcess]:
    """Vedette with one web process; the background worker, which answers nothing, is another."""
    vedette, port = str(Path(sys.executable).with_name("vedette")), free_port()
    made = subprocess.run([vedette, "bootstrap", "--client", "bench", "--data", data], capture_output=True, check=True)
    client = json.loads(made.stdout)
    options = ["--web-processes", "1", "--behind-proxy", "--log-level", "warning", "--data", str(data)]
    with running([vedette, "up", *options, "--port", str(port)], port):
        yield WebProcess(port, client["tenant_id"], client["client_id"], client["client_secret"])


@contextlib.contextmanager
def running(command: list[str], port: int, variables: Mapping[str, str] | None = None) -> Iterator[None]:
    """A process for as long as the block lasts, once it listens."""
    environment = {**os.environ, **(variables or {})}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            _wait_for(port, process)
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{process.args!r} does not answer")
