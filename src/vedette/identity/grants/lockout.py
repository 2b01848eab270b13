"""Brute-force lock-out of password sign-in, per account and address: guessing elsewhere locks nobody out here."""

from sqlalchemy import ColumnElement, Connection, and_

from vedette.identity.directory.users import User
from vedette.identity.grants.tables import SIGN_IN_FAILURES
from vedette.store.tenancy import TenantRepository

THRESHOLD = 10
LOCKED_SECONDS = 60


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
