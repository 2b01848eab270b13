"""A server without a demo and an application of its own: what a user has after `vedette up` and `vedette bootstrap`."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from .conftest import XDR, RunningServer, vedette

OWN = "api://vedette"


class Installation(msgspec.Struct, frozen=True):
    """A running server and what `vedette bootstrap --client` printed."""

    server: RunningServer
    credentials: dict[str, Any]

    @staticmethod
    def of(server: RunningServer, printed: str) -> "Installation":
        """What `vedette bootstrap --client` printed about a server."""
        return Installation(server, json.loads(printed))

    def environment(self) -> dict[str, str]:
        """What tells `vedette` and azure-identity who they are."""
        return {
            "AZURE_AUTHORITY_HOST": f"https://127.0.0.1:{self.server.port}",
            "AZURE_TENANT_ID": self.credentials["tenant_id"],
            "AZURE_CLIENT_ID": self.credentials["client_id"],
            "AZURE_CLIENT_SECRET": self.credentials["client_secret"],
            "SSL_CERT_FILE": str(self.server.data / "tls" / "ca.pem"),
        }

    def vedette(self, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command that talks to the server."""
        return vedette(*arguments, **{**self.environment(), **more})

    def token(self, resource: str) -> str:
        """A token by client credentials."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.credentials["client_id"],
            "client_secret": self.credentials["client_secret"],
            "resource": resource,
        }
        with self.server.client() as client:
            answer = client.post(f"/{self.credentials['tenant_id']}/oauth2/token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def client(self, resource: str) -> httpx2.Client:
        """A client that carries a token for `resource`."""
        return self.server.client(headers={"Authorization": f"Bearer {self.token(resource)}"})

    def send(self, content: bytes, **headers: str) -> httpx2.Response:
        """POST one batch."""
        with self.client(OWN) as client:
            return client.post("/ingest/v1/events", content=content, headers=headers)

    def hunt(self, query: str) -> list[dict[str, Any]]:
        """Rows of a hunting query."""
        with self.client(XDR) as client:
            answer = client.post("/api/advancedhunting/run", json={"Query": query})
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["Results"]
        return rows

    def quarantined(self, batch_id: str) -> list[dict[str, Any]]:
        """The records in the quarantine file of a batch; none if there is no such file."""
        path = self.server.data / "quarantine" / f"{batch_id}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def installation(data: Path, *arguments: object) -> Iterator[Installation]:
    """Start a server, make an application, and stop the server at the end; it has to end cleanly."""
    server = RunningServer(data, *arguments)
    server.wait_until_ready()
    try:
        made = vedette("bootstrap", "--client", "e2e", "--data", data)
        assert made.returncode == 0, made.stderr
        yield Installation.of(server, made.stdout)
    finally:
        code = server.stop()
    assert code == 0, server.log.read_text()


def process_start(number: int, host: str = "host.example", command: str = "cmd.exe /c echo") -> bytes:
    """A line of a Sysmon process start in the flat shape, now."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    event = {
        "EventID": 1,
        "SourceName": "Microsoft-Windows-Sysmon",
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "TimeCreated": moment,
        "Hostname": host,
        "ProcessGuid": f"{{00000000-0000-0000-0000-{number:012d}}}",
        "ProcessId": number % 60_000 + 4,
        "Image": r"C:\Windows\System32\cmd.exe",
        "CommandLine": f"{command} {number}",
        "User": r"EXAMPLE\anna",
        "RecordNumber": number,
    }
    return json.dumps(event).encode() + b"\n"
