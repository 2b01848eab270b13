"""Federated identity credentials: an outside issuer's token that an application shows in place of a key."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from vedette.identity.directory.applications import Application
from vedette.identity.directory.tables import FEDERATED_CREDENTIALS
from vedette.identity.errors import InvalidValueError, ObjectExistsError, ObjectNotFoundError
from vedette.store.tenancy import TenantRepository

MAXIMUM_PER_APPLICATION = 20
MAXIMUM_LENGTH = 600


class FederatedCredential(msgspec.Struct, frozen=True):
    """Whose token is taken: it has exactly this `issuer` and `subject`, and one of `audiences`."""

    id: str
    name: str
    issuer: str
    subject: str
    audiences: tuple[str, ...]


class FederatedCredentials(TenantRepository):
    """The federated credentials of one application."""

    def __init__(self, connection: Connection, application: Application) -> None:
        super().__init__(connection, application.tenant_id)
        self._application_id = application.id

    def all(self) -> list[FederatedCredential]:
        """All of them, by name."""
        table = FEDERATED_CREDENTIALS
        query = self.select(table).where(table.c.application_id == self._application_id).order_by(table.c.name)
        return [_to_credential(row) for row in self.connection.execute(query)]

    def get(self, key: str) -> FederatedCredential:
        """The credential of an id or a name. Raises ObjectNotFoundError."""
        for credential in self.all():
            if key in (credential.id, credential.name):
                return credential
        raise ObjectNotFoundError("federated identity credential", key)

    def add(self, credential: FederatedCredential) -> None:
        """Trust an outside identity. Raises a DirectoryError."""
        existing = self.all()
        _check(credential, [other for other in existing if other.id != credential.id])
        if len(existing) >= MAXIMUM_PER_APPLICATION:
            raise InvalidValueError("federatedIdentityCredentials", f"at most {MAXIMUM_PER_APPLICATION}")
        self._store(credential)

    def replace(self, credential: FederatedCredential) -> None:
        """Store the present values."""
        _check(credential, [other for other in self.all() if other.id != credential.id])
        self.remove(credential)
        self._store(credential)

    def remove(self, credential: FederatedCredential) -> None:
        """Trust it no more."""
        table = FEDERATED_CREDENTIALS
        own = self.delete(table).where(table.c.application_id == self._application_id, table.c.id == credential.id)
        self.connection.execute(own)

    def _store(self, credential: FederatedCredential) -> None:
        fields = msgspec.structs.asdict(credential) | {"audiences": list(credential.audiences)}
        self.insert(FEDERATED_CREDENTIALS, application_id=self._application_id, **fields)


def _check(credential: FederatedCredential, others: list[FederatedCredential]) -> None:
    for name in ("name", "issuer", "subject"):
        if not 1 <= len(getattr(credential, name)) <= MAXIMUM_LENGTH:
            raise InvalidValueError(name, getattr(credential, name)[:20])
    if not 3 <= len(credential.name) <= 120:
        raise InvalidValueError("name", credential.name[:20])
    if not credential.issuer.startswith("https://"):
        raise InvalidValueError("issuer", credential.issuer[:40])
    if len(credential.audiences) != 1 or not credential.audiences[0]:
        raise InvalidValueError("audiences", "exactly one")
    if any(other.name == credential.name for other in others):
        raise ObjectExistsError("name", credential.name)
    if any((other.issuer, other.subject) == (credential.issuer, credential.subject) for other in others):
        raise ObjectExistsError("issuer and subject", credential.subject)


def _to_credential(row: Row[Any]) -> FederatedCredential:
    return FederatedCredential(row.id, row.name, row.issuer, row.subject, tuple(row.audiences))
