"""Brute-force lock-out of password sign-in: per account and address, and per address.

Guessing elsewhere locks nobody out here: both counts are the address's own, so whoever guesses locks out themselves.
"""

from sqlalchemy import ColumnElement, Connection, and_

from vedette.identity.directory.users import User
from vedette.identity.grants.tables import ADDRESS_FAILURES, SIGN_IN_FAILURES
from vedette.store.tenancy import TenantRepository

THRESHOLD = 10
LOCKED_SECONDS = 60
ADDRESS_THRESHOLD = 60
"""Wrong passwords of one address for any accounts: above what an office behind one address mistypes in a while."""

FORGOTTEN_SECONDS = 600
"""After so long without a failure an address starts anew."""


class SignInFailures(TenantRepository):
    """Failed sign-ins of one account from one address."""

    def __init__(self, connection: Connection, user: User, address: str) -> None:
        super().__init__(connection, user.tenant_id)
        self._user_id = user.id
        self._address = address[:64]

    def is_locked(self, now: int) -> bool:
        """Whether sign-in is refused, right password or not."""
        failures, last_at = self._stored()
        return failures >= THRESHOLD and now < last_at + LOCKED_SECONDS

    def record(self, now: int) -> None:
        """Count one more. After a lock has run out, one further failure locks again."""
        failures, _ = self._stored()
        self.clear()
        self.insert(SIGN_IN_FAILURES, user_id=self._user_id, address=self._address, failures=failures + 1, last_at=now)

    def clear(self) -> None:
        """Forget them, after a good sign-in."""
        self.connection.execute(self.delete(SIGN_IN_FAILURES).where(self._key()))

    def _stored(self) -> tuple[int, int]:
        row = self.connection.execute(self.select(SIGN_IN_FAILURES).where(self._key())).one_or_none()
        return (0, 0) if row is None else (row.failures, row.last_at)

    def _key(self) -> ColumnElement[bool]:
        table = SIGN_IN_FAILURES
        return and_(table.c.user_id == self._user_id, table.c.address == self._address)


class AddressFailures(TenantRepository):
    """Failed sign-ins from one address in one tenant, whichever accounts they were for (password spraying)."""

    def __init__(self, connection: Connection, tenant_id: str, address: str) -> None:
        super().__init__(connection, tenant_id)
        self._address = address[:64]

    def is_locked(self, now: int) -> bool:
        """Whether the address has to wait."""
        failures, last_at = self._stored(now)
        return failures >= ADDRESS_THRESHOLD and now < last_at + LOCKED_SECONDS

    def record(self, now: int) -> None:
        """Count one more."""
        failures, _ = self._stored(now)
        self.connection.execute(self.delete(ADDRESS_FAILURES).where(ADDRESS_FAILURES.c.address == self._address))
        self.insert(ADDRESS_FAILURES, address=self._address, failures=failures + 1, last_at=now)

    def _stored(self, now: int) -> tuple[int, int]:
        query = self.select(ADDRESS_FAILURES).where(ADDRESS_FAILURES.c.address == self._address)
        row = self.connection.execute(query).one_or_none()
        if row is None or now >= row.last_at + FORGOTTEN_SECONDS:
            return 0, 0
        return row.failures, row.last_at
