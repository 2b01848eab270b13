"""A real server, started as a user starts it, spoken to over HTTPS."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

VEDETTE = str(Path(sys.executable).with_name("vedette"))
START_SECONDS = 120.0
STOP_SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    """The tests' environment without what would change a server or a client."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VEDETTE_", "AZURE_"))}
    return {**kept, **more}


def vedette(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    command = [VEDETTE, *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment(**more))


class RunningServer:
    """One `vedette up`, or `vedette serve`."""

    def __init__(self, data: Path, *arguments: object, port: int | None = None, command: str = "up") -> None:
        self.data = data
        self.port = port or free_port()
        self.log = data.parent / f"{data.name}.{self.port}.log"
        words = [VEDETTE, command, "--data", data, "--port", self.port, *arguments]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(word) for word in words],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment(),
                start_new_session=True,
            )

    def wait_until_ready(self) -> str:
        """The base URL. Fails with the log if the server ends instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            self.stop()
            pytest.fail(self.log.read_text())
        return line.split()[1]

    def children(self) -> list[int]:
        """Process ids of its processes."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in found.split()]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(STOP_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def client(self, **options: Any) -> httpx2.Client:
        """A client that trusts the server's own CA and nothing else."""
        context = ssl.create_default_context(cafile=self.data / "tls" / "ca.pem")
        return httpx2.Client(
            base_url=f"https://127.0.0.1:{self.port}", verify=context, trust_env=False, timeout=60, **options
        )


class Demo(msgspec.Struct, frozen=True):
    """A ready demo server."""

    server: RunningServer
    base_url: str
    document: dict[str, Any]

    def token(self, resource: str, app: int = 0, tenant: int = 0) -> str:
        """A token by client credentials."""
        application = self.document["apps"][app]
        form = {
            "grant_type": "client_credentials",
            "client_id": application["client_id"],
            "client_secret": application["client_secret"],
            "scope": f"{resource}/.default",
        }
        with self.server.client() as client:
            answer = client.post(f"/{self.document['tenants'][tenant]['tenant_id']}/oauth2/v2.0/token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def ask(self, method: str, path: str, resource: str, **options: Any) -> httpx2.Response:
        """A request with a token for `resource`."""
        with self.server.client(headers={"Authorization": f"Bearer {self.token(resource)}"}) as client:
            return client.request(method, path, **options)

    def hunt(self, query: str) -> list[dict[str, Any]]:
        """Rows of a hunting query."""
        answer = self.ask("POST", "/api/advancedhunting/run", XDR, json={"Query": query})
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["Results"]
        return rows


XDR = "https://api.security.microsoft.com"
GRAPH = "https://graph.microsoft.com"
MDE = "https://api.securitycenter.microsoft.com"


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition: Any, seconds: float = 15.0) -> bool:
    """Whether `condition()` becomes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="session", params=["single", "processes"])
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo server, in one process and in several."""
    data = tmp_path_factory.mktemp("demo") / "data"
    server = RunningServer(data, "--demo", *(["--single"] if request.param == "single" else []))
    base_url = server.wait_until_ready()
    yield Demo(server, base_url, json.loads((data / "demo.json").read_text()))
    assert server.stop() == 0, server.log.read_text()
