"""The local CA: made once, private, renewed in time, and trusted by an ordinary TLS client."""

import ssl
import stat
from pathlib import Path

import pytest

from vedette.clock import ManualClock, SystemClock
from vedette.errors import UsageError
from vedette.server.certificates import CertificateFiles, ensure_certificates, own_certificate

NOW = 1_790_000_000.0
DAY = 86_400


def handshake(files: CertificateFiles, server_name: str) -> None:
    """Do a TLS handshake in memory, as a client that trusts the CA only."""
    assert files.authority is not None
    client_context = ssl.create_default_context(cafile=files.authority)
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(files.certificate, files.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=server_name)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    done = set()
    while len(done) < 2:
        for side in (client, server):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "graph.microsoft.com", "vedette.example"])
def test_a_client_that_trusts_the_ca_accepts_every_name(tmp_path: Path, name: str) -> None:
    files = ensure_certificates(tmp_path, ["graph.microsoft.com", "vedette.example"], SystemClock())
    handshake(files, name)


def test_another_name_is_not_covered(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path, [], SystemClock())
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(files, "graph.microsoft.com")


def test_it_is_made_once(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    first = ensure_certificates(tmp_path, ["a.example"], clock)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    clock.advance(100 * DAY)
    assert ensure_certificates(tmp_path, ["a.example"], clock) == first
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("advance", "names", "renewed"),
    [
        (0, ["a.example", "b.example"], {"server.pem", "server.key"}),
        (380 * DAY, ["a.example"], {"server.pem", "server.key"}),
        (3649 * DAY, ["a.example"], {"server.pem", "server.key", "ca.pem", "ca.key"}),
    ],
    ids=["a new name", "server certificate about to expire", "authority about to expire"],
)
def test_it_is_renewed(tmp_path: Path, advance: float, names: list[str], renewed: set[str]) -> None:
    clock = ManualClock(NOW)
    ensure_certificates(tmp_path, ["a.example"], clock)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    clock.advance(advance)
    ensure_certificates(tmp_path, names, clock)
    assert {name for name, content in before.items() if (tmp_path / name).read_bytes() != content} == renewed


def test_keys_are_private(tmp_path: Path) -> None:
    ensure_certificates(tmp_path / "tls", [], ManualClock(NOW))
    for name in ("ca.key", "server.key"):
        assert stat.S_IMODE((tmp_path / "tls" / name).stat().st_mode) == 0o600


def test_a_damaged_authority_is_not_silently_replaced(tmp_path: Path) -> None:
    ensure_certificates(tmp_path, [], ManualClock(NOW))
    (tmp_path / "ca.pem").write_text("junk")
    with pytest.raises(UsageError, match="damaged"):
        ensure_certificates(tmp_path, [], ManualClock(NOW))


def test_own_certificates_are_checked(tmp_path: Path) -> None:
    ensure_certificates(tmp_path, [], ManualClock(NOW))
    assert own_certificate(tmp_path / "server.pem", tmp_path / "server.key").authority is None
    with pytest.raises(UsageError, match="is not the key"):
        own_certificate(tmp_path / "server.pem", tmp_path / "ca.key")
    with pytest.raises(UsageError, match="cannot be read"):
        own_certificate(tmp_path / "none.pem", tmp_path / "server.key")
    with pytest.raises(UsageError, match="not a PEM certificate"):
        own_certificate(tmp_path / "server.key", tmp_path / "server.key")
