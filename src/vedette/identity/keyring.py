"""Each tenant's token-signing keys: made, sealed at rest, rotated, published.

One key of a tenant signs; keys rotated out verify until the last token they signed has expired. Private keys are in
the database only sealed under the master key, bound to their tenant and kid.
"""

import base64
import datetime
import threading
from collections.abc import Mapping
from typing import cast

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID
from joserfc.jwk import RSAKey
from sqlalchemy import Connection

from vedette.clock import Clock
from vedette.identity.directory.credentials import thumbprint
from vedette.identity.directory.tables import SIGNING_KEYS
from vedette.identity.directory.tenants import TenantRecord, Tenants
from vedette.identity.errors import ObjectNotFoundError
from vedette.store.engine import Reading
from vedette.store.secrets import Sealer, Secret
from vedette.store.tenancy import TenantRepository

ALGORITHM = "RS256"
KEY_SIZE = 2048
CERTIFICATE_DAYS = 5 * 365
CERTIFICATE_NAME = "Vedette token signing"


class PublishedKey(msgspec.Struct, frozen=True):
    """The public half of a signing key. `verify_until` is None while it signs."""

    kid: str
    certificate: bytes
    created_at: int
    verify_until: int | None

    def public_key(self) -> rsa.RSAPublicKey:
        """The key that verifies its signatures."""
        return cast(rsa.RSAPublicKey, x509.load_der_x509_certificate(self.certificate).public_key())

    def to_jwk(self) -> dict[str, str | list[str]]:
        """Its entry in a JWK set; `x5t` equals `kid`."""
        pem = self.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        numbers = RSAKey.import_key(pem).as_dict(private=False)
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": str(numbers["n"]),
            "e": str(numbers["e"]),
            "x5c": [base64.b64encode(self.certificate).decode()],
        }


class SigningKey:
    """The key that signs a tenant's tokens, opened. Never printed, never stored in this form."""

    def __init__(self, kid: str, key: rsa.RSAPrivateKey) -> None:
        self.kid = kid
        self._key = key

    def sign(self, claims: Mapping[str, object], *, with_x5t: bool) -> str:
        """The compact JWT of `claims`. v1.0 tokens name the certificate too (`x5t`)."""
        header = {"typ": "JWT", "alg": ALGORITHM, "kid": self.kid}
        if with_x5t:
            header["x5t"] = self.kid
        signed = f"{_encoded(header)}.{_encoded(claims)}".encode()
        signature = self._key.sign(signed, PKCS1v15(), SHA256())
        return f"{signed.decode()}.{_base64url(signature)}"

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"


class Keyring:
    """Makes, opens and rotates signing keys. Opened keys are cached until the tenant's generation changes."""

    def __init__(self, sealer: Sealer, clock: Clock, maximum_token_lifetime: int) -> None:
        self._sealer = sealer
        self._clock = clock
        self._maximum_token_lifetime = maximum_token_lifetime
        self._opened: dict[str, tuple[int, SigningKey]] = {}
        self._lock = threading.Lock()

    def create(self, connection: Connection, tenant_id: str) -> PublishedKey:
        """Make the key that signs from now on."""
        now = int(self._clock.time())
        private_key = rsa.generate_private_key(public_exponent=65_537, key_size=KEY_SIZE)
        certificate = _self_signed(private_key, now)
        kid = thumbprint(certificate, "sha1")
        private_bytes = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        sealed = self._sealer.seal(Secret(private_bytes), _seal_context(tenant_id, kid))
        SigningKeys(connection, tenant_id).add(PublishedKey(kid, certificate, now, None), sealed)
        return PublishedKey(kid, certificate, now, None)

    def rotate(self, connection: Connection, tenant_id: str) -> PublishedKey:
        """Replace the signing key; the old one verifies until its last token has expired."""
        now = int(self._clock.time())
        keys = SigningKeys(connection, tenant_id)
        keys.retire(verify_until=now + self._maximum_token_lifetime)
        keys.remove_older_than(now)
        created = self.create(connection, tenant_id)
        Tenants(connection).advance_generation(tenant_id)
        return created

    def signing_key(self, reading: Reading, tenant: TenantRecord) -> SigningKey:
        """The tenant's signing key, opened."""
        tenant_id = tenant.tenant.tenant_id
        with self._lock:
            cached = self._opened.get(tenant_id)
        if cached is not None and cached[0] == tenant.generation:
            return cached[1]
        opened = self._open(reading.connection, tenant_id)
        with self._lock:
            self._opened[tenant_id] = (tenant.generation, opened)
        return opened

    def published(self, connection: Connection, tenant_id: str) -> list[PublishedKey]:
        """Every key that still verifies, the signing one first."""
        return SigningKeys(connection, tenant_id).valid(int(self._clock.time()))

    def forget(self) -> None:
        """Let go of opened keys."""
        with self._lock:
            self._opened = {}

    def _open(self, connection: Connection, tenant_id: str) -> SigningKey:
        kid, sealed = SigningKeys(connection, tenant_id).signing()
        private = self._sealer.open(sealed, _seal_context(tenant_id, kid)).reveal()
        return SigningKey(kid, cast(rsa.RSAPrivateKey, load_der_private_key(private, password=None)))


class SigningKeys(TenantRepository):
    """The stored keys of one tenant."""

    def add(self, key: PublishedKey, sealed_private_key: bytes) -> None:
        """Store a new signing key."""
        self.insert(SIGNING_KEYS, sealed_private_key=sealed_private_key, **msgspec.structs.asdict(key))

    def retire(self, verify_until: int) -> None:
        """Stop signing with the present key."""
        signing = self.update(SIGNING_KEYS).where(SIGNING_KEYS.c.verify_until.is_(None))
        self.connection.execute(signing.values(verify_until=verify_until))

    def remove_older_than(self, now: int) -> None:
        """Forget keys none of whose tokens can still be valid."""
        self.connection.execute(self.delete(SIGNING_KEYS).where(SIGNING_KEYS.c.verify_until <= now))

    def signing(self) -> tuple[str, bytes]:
        """kid and sealed private key of the key that signs. Raises ObjectNotFoundError."""
        row = self.connection.execute(
            self.select(SIGNING_KEYS).where(SIGNING_KEYS.c.verify_until.is_(None))
        ).one_or_none()
        if row is None:
            raise ObjectNotFoundError("signing key", self.tenant_id)
        return row.kid, row.sealed_private_key

    def valid(self, now: int) -> list[PublishedKey]:
        """Keys that verify at `now`, newest first."""
        table = SIGNING_KEYS
        query = self.select(table).where(table.c.verify_until.is_(None) | (table.c.verify_until > now))
        order = (table.c.verify_until.is_not(None), table.c.created_at.desc(), table.c.kid)
        rows = self.connection.execute(query.order_by(*order))
        return [PublishedKey(row.kid, row.certificate, row.created_at, row.verify_until) for row in rows]


def _encoded(document: Mapping[str, object]) -> str:
    """A part of a compact JWS (RFC 7515 §7.1)."""
    return _base64url(msgspec.json.encode(document))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _seal_context(tenant_id: str, kid: str) -> str:
    return f"signing-key/{tenant_id}/{kid}"


def _self_signed(private_key: rsa.RSAPrivateKey, now: int) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CERTIFICATE_NAME)])
    start = datetime.datetime.fromtimestamp(now, datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=CERTIFICATE_DAYS))
    )
    return builder.sign(private_key, SHA256()).public_bytes(Encoding.DER)
