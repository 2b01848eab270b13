"""What a tenant's identity needs now and then: a new signing key when the old one is old, and expired rows removed."""

from sqlalchemy import Connection, delete

from vedette.identity.deleted_applications import DeletedApplications
from vedette.identity.directory.tables import SIGNING_KEYS
from vedette.identity.grants.lockout import FORGOTTEN_SECONDS
from vedette.identity.grants.tables import (
    ADDRESS_FAILURES,
    AUTHORIZATION_CODES,
    DEVICE_CODES,
    REFRESH_TOKENS,
    SIGN_IN_FAILURES,
)
from vedette.identity.services import IdentityServices, IdentitySettings
from vedette.identity.signin.tables import BROWSER_SESSIONS
from vedette.store.tenancy import TenantRepository

JOB = "identity_upkeep"
EVERY_SECONDS = 3600.0
GRACE_SECONDS = 86_400
"""For how long something that expired is still known, so that its late use is told apart from nonsense."""


class Upkeep:
    """Runs as a job of each tenant."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def run(self, tenant_id: str) -> None:
        """Rotate the signing key if it is due, and forget what has expired."""
        now, settings = self._services.now(), self._services.settings
        with self._services.store.begin() as connection:
            if _signs_since(connection, tenant_id) <= now - settings.signing_key_lifetime:
                self._services.keyring.rotate(connection, tenant_id)
            DeletedApplications(connection, self._services, tenant_id).erase_old()
            _Expired(connection, tenant_id).remove(now, settings)


def _signs_since(connection: Connection, tenant_id: str) -> int:
    repository = TenantRepository(connection, tenant_id)
    query = repository.select(SIGNING_KEYS).where(SIGNING_KEYS.c.verify_until.is_(None))
    return int(connection.execute(query).one().created_at)


class _Expired(TenantRepository):
    def remove(self, now: int, settings: IdentitySettings) -> None:
        for column, age in (
            (AUTHORIZATION_CODES.c.issued_at, settings.authorization_code_lifetime + GRACE_SECONDS),
            (DEVICE_CODES.c.issued_at, settings.device_code_lifetime + GRACE_SECONDS),
            (REFRESH_TOKENS.c.issued_at, settings.refresh_token_lifetime + GRACE_SECONDS),
            (SIGN_IN_FAILURES.c.last_at, FORGOTTEN_SECONDS),
            (ADDRESS_FAILURES.c.last_at, FORGOTTEN_SECONDS),
            (BROWSER_SESSIONS.c.expires_at, 0),
        ):
            self.connection.execute(delete(column.table).where(self.own(column.table), column <= now - age))
