"""What an application proves itself with: client secrets, kept only as keyed hashes, and certificates."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection

from vedette.identity.directory.applications import Application
from vedette.identity.directory.tables import KEY_CREDENTIALS, PASSWORD_CREDENTIALS
from vedette.identity.errors import ObjectNotFoundError
from vedette.ids import Ids
from vedette.store.secrets import KeyedHasher, Secret
from vedette.store.tenancy import TenantRepository

SECRET_BYTES = 30
HINT_LENGTH = 3
DEFAULT_LIFETIME = 2 * 365 * 86_400


class PasswordCredential(msgspec.Struct, frozen=True):
    """A client secret as the directory knows it: never its value."""

    key_id: str
    display_name: str
    hint: str
    start_at: int
    end_at: int


class NewPassword(msgspec.Struct, frozen=True):
    """A client secret at the moment it is made: the only time its value exists outside the client."""

    credential: PasswordCredential
    secret: Secret[str]


class KeyCredential(msgspec.Struct, frozen=True):
    """A certificate that verifies client assertions."""

    key_id: str
    display_name: str
    certificate: bytes
    sha1_thumbprint: str
    sha256_thumbprint: str
    start_at: int
    end_at: int


class PasswordCredentials(TenantRepository):
    """Client secrets of one application."""

    def __init__(self, connection: Connection, application: Application, hasher: KeyedHasher) -> None:
        super().__init__(connection, application.tenant_id)
        self._application_id = application.id
        self._hasher = hasher

    def add(self, display_name: str, *, start_at: int, end_at: int, ids: Ids) -> NewPassword:
        """Make a secret and store its keyed hash."""
        value = secrets.token_urlsafe(SECRET_BYTES)
        credential = PasswordCredential(ids.guid(), display_name, value[:HINT_LENGTH], start_at, end_at)
        self.insert(
            PASSWORD_CREDENTIALS,
            application_id=self._application_id,
            secret_hash=self._hasher.digest(value),
            **msgspec.structs.asdict(credential),
        )
        return NewPassword(credential, Secret(value))

    def remove(self, key_id: str) -> None:
        """Forget a secret. Raises ObjectNotFoundError."""
        table = PASSWORD_CREDENTIALS
        statement = self.delete(table).where(table.c.application_id == self._application_id, table.c.key_id == key_id)
        if self.connection.execute(statement).rowcount == 0:
            raise ObjectNotFoundError("password credential", key_id)

    def all(self) -> list[PasswordCredential]:
        """All secrets, newest first, without their hashes."""
        return [credential for credential, _ in self.hashes()]

    def hashes(self) -> list[tuple[PasswordCredential, bytes]]:
        """All secrets, newest first, with their keyed hashes."""
        table = PASSWORD_CREDENTIALS
        query = self.select(table).where(table.c.application_id == self._application_id)
        rows = self.connection.execute(query.order_by(table.c.start_at.desc(), table.c.key_id))
        return [
            (PasswordCredential(row.key_id, row.display_name, row.hint, row.start_at, row.end_at), row.secret_hash)
            for row in rows
        ]


class KeyCredentials(TenantRepository):
    """Certificates of one application."""

    def __init__(self, connection: Connection, application: Application) -> None:
        super().__init__(connection, application.tenant_id)
        self._application_id = application.id

    def add(self, certificate: x509.Certificate, display_name: str, ids: Ids) -> KeyCredential:
        """Store a certificate."""
        der = certificate.public_bytes(Encoding.DER)
        credential = KeyCredential(
            key_id=ids.guid(),
            display_name=display_name,
            certificate=der,
            sha1_thumbprint=thumbprint(der, "sha1"),
            sha256_thumbprint=thumbprint(der, "sha256"),
            start_at=int(certificate.not_valid_before_utc.timestamp()),
            end_at=int(certificate.not_valid_after_utc.timestamp()),
        )
        self.insert(KEY_CREDENTIALS, application_id=self._application_id, **msgspec.structs.asdict(credential))
        return credential

    def remove(self, key_id: str) -> None:
        """Forget a certificate. Raises ObjectNotFoundError."""
        table = KEY_CREDENTIALS
        statement = self.delete(table).where(table.c.application_id == self._application_id, table.c.key_id == key_id)
        if self.connection.execute(statement).rowcount == 0:
            raise ObjectNotFoundError("key credential", key_id)

    def all(self) -> list[KeyCredential]:
        """All certificates, oldest first."""
        table = KEY_CREDENTIALS
        query = self.select(table).where(table.c.application_id == self._application_id)
        rows = self.connection.execute(query.order_by(table.c.start_at, table.c.key_id))
        fields = KeyCredential.__struct_fields__
        return [KeyCredential(**{field: row._mapping[field] for field in fields}) for row in rows]


def matching_secrets(
    stored: Iterable[tuple[PasswordCredential, bytes]], hasher: KeyedHasher, secret: Secret[str]
) -> list[PasswordCredential]:
    """Credentials whose secret this is, expired ones included. Every stored hash is compared in constant time."""
    digest = hasher.digest(secret.reveal())
    return [credential for credential, known in stored if hmac.compare_digest(digest, known)]


def thumbprint(certificate: bytes, algorithm: str) -> str:
    """base64url thumbprint of a DER certificate without padding: `x5t` (sha1), `x5t#S256` (sha256).

    SHA-1 only names the certificate here, as RFC 7515 §4.1.7 wants it; nothing is trusted because of it.
    """
    digest = hashlib.new(algorithm, certificate, usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
