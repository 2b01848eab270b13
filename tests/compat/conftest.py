"""A real server for unmodified clients: started once, with its demo, over TLS, as a user would start it."""

import datetime
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .sandbox import FixedHosts, open_fixed_hosts, require_namespaces

START_SECONDS = 90


class DemoServer(msgspec.Struct, frozen=True):
    """A running `vedette up --demo`: where it answers and what its demo.json says."""

    base_url: str
    ca_file: str
    demo: dict[str, object]
    data: Path

    @property
    def home(self) -> dict[str, object]:
        """The home tenant's record."""
        return next(tenant for tenant in self.demo["tenants"] if tenant["home"])  # type: ignore[attr-defined]

    @property
    def customer(self) -> dict[str, object]:
        """The first customer tenant's record."""
        return next(tenant for tenant in self.demo["tenants"] if not tenant["home"])  # type: ignore[attr-defined]

    def app(self, kind: str) -> dict[str, object]:
        """The first application of that kind."""
        return next(app for app in self.demo["apps"] if app["kind"] == kind)  # type: ignore[attr-defined]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Clients leave sockets to the garbage collector; that is theirs, and no reason to fail."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


@pytest.fixture(scope="session")
def outside_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of servers outside that tests start on localhost; the demo server trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "outside")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("outside") / "server.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory, outside_certificate: Path) -> Iterator[DemoServer]:
    data = tmp_path_factory.mktemp("demo")
    log = (data / "stderr.log").open("wb")
    command = [
        Path(sys.executable).with_name("vedette"),
        "up",
        "--demo",
        "--single",
        "--data",
        data,
        "--port",
        free_port(),
    ]
    environment = {
        **os.environ,
        "VEDETTE_EGRESS_PRIVATE_HOSTS": "localhost",
        "SSL_CERT_FILE": str(outside_certificate),
    }
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=log, text=True, env=environment
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("ready https://"), (line, (data / "stderr.log").read_text())
        demo = json.loads((data / "demo.json").read_text())
        yield DemoServer(line.split()[1], demo["ca_file"], demo, data)
    finally:
        process.terminate()
        code = process.wait(timeout=30)
        process.stdout.close()
        log.close()
    assert code == 0, (data / "stderr.log").read_text()


@pytest.fixture
def trusted(demo_server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> DemoServer:
    """The environment a client needs to trust the server's own CA, whichever HTTP library it uses."""
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, demo_server.ca_file)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    return demo_server


@pytest.fixture(scope="session")
def judge(shared: Path) -> Path:
    """The folder with the scripts that give a client a network of its own."""
    require_namespaces()
    return shared / "judge"


@pytest.fixture(scope="session")
def fixed_hosts(judge: Path, tmp_path_factory: pytest.TempPathFactory) -> FixedHosts:
    """A demo at the hosts that clients have built in."""
    return open_fixed_hosts(judge, tmp_path_factory.mktemp("fixed-hosts"))
