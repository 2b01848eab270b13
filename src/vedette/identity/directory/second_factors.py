"""Second factors of people: one TOTP secret each, sealed at rest; a code counts once."""

from sqlalchemy import ColumnElement, Connection

from vedette.identity.directory.tables import SECOND_FACTORS
from vedette.identity.directory.totp import matching_step
from vedette.identity.directory.users import User
from vedette.store.secrets import Sealer, Secret
from vedette.store.tenancy import TenantRepository


class SecondFactors(TenantRepository):
    """The second factors of one tenant's people."""

    def __init__(self, connection: Connection, tenant_id: str, sealer: Sealer) -> None:
        super().__init__(connection, tenant_id)
        self._sealer = sealer

    def is_enrolled(self, user: User) -> bool:
        """Whether the account has a second factor."""
        return self.connection.execute(self.select(SECOND_FACTORS).where(self._of(user))).first() is not None

    def enrol(self, user: User, secret: Secret[bytes], *, step: int, now: int) -> None:
        """Store a secret whose first code, of time step `step`, was just confirmed; an earlier secret ends."""
        self.remove(user)
        sealed = self._sealer.seal(secret, _seal_context(user))
        self.insert(SECOND_FACTORS, user_id=user.id, sealed_secret=sealed, last_step=step, enrolled_at=now)

    def accept(self, user: User, code: str, now: int) -> bool:
        """Whether `code` is good now and was not used before; it is used up by asking."""
        row = self.connection.execute(self.select(SECOND_FACTORS).where(self._of(user))).one_or_none()
        if row is None:
            return False
        step = matching_step(self._sealer.open(row.sealed_secret, _seal_context(user)), code, now, after=row.last_step)
        if step is None:
            return False
        unused = self.update(SECOND_FACTORS).where(self._of(user), SECOND_FACTORS.c.last_step < step)
        return self.connection.execute(unused.values(last_step=step)).rowcount == 1

    def remove(self, user: User) -> None:
        """Forget the second factor, so that the next sign-in without one enrols anew."""
        self.connection.execute(self.delete(SECOND_FACTORS).where(self._of(user)))

    def _of(self, user: User) -> ColumnElement[bool]:
        return SECOND_FACTORS.c.user_id == user.id


def _seal_context(user: User) -> str:
    return f"second-factor/{user.tenant_id}/{user.id}"
