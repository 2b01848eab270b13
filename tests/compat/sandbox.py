"""A network of its own for clients that have the real hosts built in: there, Vedette has those names."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.conftest import lacking

SECONDS = 240


def allows_namespaces() -> bool:
    """Whether this machine lets a process have a network and mounts of its own."""
    try:
        return subprocess.run(["unshare", "-mn", "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


class FixedHosts(msgspec.Struct, frozen=True):
    """A demo that is served at the real hosts for as long as a client runs."""

    judge: Path
    folder: Path

    @property
    def ca_file(self) -> Path:
        """The authority that the server's certificate is from."""
        return self.folder / "network" / "ca.pem"

    def demo(self) -> dict[str, Any]:
        """What the demo's demo.json says."""
        found: dict[str, Any] = json.loads((self.folder / "data" / "demo.json").read_text())
        return found

    def run(self, command: list[str | Path], environment: Mapping[str, str] | None = None) -> str:
        """What a client prints. Its credentials are in AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET."""
        network, data = self.folder / "network", self.folder / "data"
        vedette = Path(sys.executable).with_name("vedette")
        certificate = f"--tls-cert {network}/server.pem --tls-key {network}/server.key"
        log = self.folder / "server.log"
        server = f"{vedette} up --demo --single --data {data} --port 443 {certificate} >{log} 2>&1"
        variables = {**os.environ, "SANDBOX_S": str(SECONDS), **self._credentials(), **(environment or {})}
        variables = {name: value for name, value in variables.items() if name != "SSL_CERT_DIR"}
        done = subprocess.run(
            [self.judge / "sandbox.sh", network, server, *command],
            capture_output=True,
            text=True,
            timeout=SECONDS + 60,
            check=False,
            env={**variables, "NODE_EXTRA_CA_CERTS": str(self.ca_file)},
        )
        assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-4000:], log.read_text()[-2000:])
        return done.stdout

    def _credentials(self) -> dict[str, str]:
        if not (self.folder / "data" / "demo.json").exists():
            return {}
        app = next(app for app in self.demo()["apps"] if app["kind"] == "confidential")
        return {
            "AZURE_TENANT_ID": app["tenant_id"],
            "AZURE_CLIENT_ID": app["client_id"],
            "AZURE_CLIENT_SECRET": app["client_secret"],
        }


def open_fixed_hosts(judge: Path, folder: Path) -> FixedHosts:
    """Make the network's certificate and hosts, and the demo."""
    subprocess.run([judge / "mkca.sh", folder / "network"], check=True, capture_output=True)
    hosts = FixedHosts(judge, folder)
    hosts.run(["timeout", "90", "sh", "-c", f"until grep -q ^ready {folder}/server.log; do sleep 0.2; done"])
    return hosts


def require_namespaces() -> None:
    """Skip the test, or fail it in CI, where there are none."""
    if not allows_namespaces():
        lacking("this machine permits no mount and network namespaces")
