"""A local certificate authority and the server's certificate, made once and kept with the data.

Clients trust `ca.pem`. The server certificate is renewed when it is about to expire, when a host name is added, or
when the authority itself was renewed; keys are readable by their owner only. This is for machines of one's own:
a public server brings its own certificate (`tls_cert`, `tls_key`).
"""

import datetime
import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from vedette.clock import Clock
from vedette.errors import UsageError

CA_LIFETIME = datetime.timedelta(days=3650)
SERVER_LIFETIME = datetime.timedelta(days=397)  # clients refuse server certificates that live longer
RENEW_BEFORE = datetime.timedelta(days=30)

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class CertificateFiles(msgspec.Struct, frozen=True):
    """What a TLS server needs, and the file that clients trust (None: the certificate is somebody else's)."""

    certificate: Path
    key: Path
    authority: Path | None


def ensure_certificates(folder: Path, host_names: Iterable[str], clock: Clock) -> CertificateFiles:
    """The certificate files of `folder`, made or renewed where needed, valid for loopback and `host_names`."""
    names = tuple(dict.fromkeys((*LOOPBACK_NAMES, *host_names)))
    now = datetime.datetime.fromtimestamp(clock.time(), datetime.UTC).replace(microsecond=0)
    files = CertificateFiles(folder / "server.pem", folder / "server.key", folder / "ca.pem")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = _ensure_authority(folder / "ca.pem", folder / "ca.key", now)
    if not _is_usable(files.certificate, files.key, authority[0], names, now):
        _write_server(files, authority, names, now)
    return files


def own_certificate(certificate: Path, key: Path) -> CertificateFiles:
    """The user's own certificate. Raises UsageError when the files cannot be read or do not belong together."""
    try:
        public = _load_certificate(certificate).public_key()
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"{certificate} and {key} are not a PEM certificate and its unencrypted key.") from error
    if public != private.public_key():
        raise UsageError(f"{key} is not the key of the certificate {certificate}.")
    return CertificateFiles(certificate, key, None)


Authority = tuple[x509.Certificate, EllipticCurvePrivateKey]


def _ensure_authority(certificate_path: Path, key_path: Path, now: datetime.datetime) -> Authority:
    try:
        certificate = _load_certificate(certificate_path)
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
    except FileNotFoundError:
        return _write_authority(certificate_path, key_path, now)
    except ValueError as error:
        raise UsageError(f"{certificate_path} or {key_path} is damaged; delete both to make new ones.") from error
    if not isinstance(key, EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise UsageError(f"{key_path} is not the key of {certificate_path}; delete both to make new ones.")
    if certificate.not_valid_after_utc - RENEW_BEFORE < now:
        return _write_authority(certificate_path, key_path, now)
    return certificate, key


def _write_authority(certificate_path: Path, key_path: Path, now: datetime.datetime) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Vedette local CA")
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    certificate = (
        _builder(name, name, key, now, CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_private(key_path, _pem_key(key))
    _write_public(certificate_path, certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def _write_server(
    files: CertificateFiles, authority: Authority, names: tuple[str, ...], now: datetime.datetime
) -> None:
    issuer, issuer_key = authority
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    certificate = (
        _builder(_name("Vedette"), issuer.subject, key, now, SERVER_LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .sign(issuer_key, hashes.SHA256())
    )
    _write_private(files.key, _pem_key(key))
    _write_public(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _is_usable(
    certificate_path: Path, key_path: Path, authority: x509.Certificate, names: tuple[str, ...], now: datetime.datetime
) -> bool:
    try:
        certificate = _load_certificate(certificate_path)
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        certificate.verify_directly_issued_by(authority)
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except FileNotFoundError:
        return False
    except Exception:  # noqa: BLE001 - whatever is wrong with a certificate of ours, a new one mends it
        return False
    covered = {str(value) for value in (*held.get_values_for_type(x509.DNSName), *_addresses(held))}
    fresh = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_BEFORE
    return fresh and set(names) <= covered and key.public_key() == certificate.public_key()


def _addresses(names: x509.SubjectAlternativeName) -> Iterable[object]:
    return names.get_values_for_type(x509.IPAddress)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: EllipticCurvePrivateKey,
    now: datetime.datetime,
    lifetime: datetime.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))  # clocks of clients may be slow
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _load_certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _pem_key(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_private(path: Path, content: bytes) -> None:
    """Replace `path` in one step; at no moment can anybody but its owner read it."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)


def _write_public(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_bytes(content)
    temporary.replace(path)
