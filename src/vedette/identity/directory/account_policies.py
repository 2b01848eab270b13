"""What an account must do beyond giving its password: change it, show a second factor."""

import msgspec

from vedette.identity.directory.tables import ACCOUNT_POLICIES
from vedette.identity.directory.users import User
from vedette.store.tenancy import TenantRepository


class AccountPolicy(msgspec.Struct, frozen=True):
    """The demands on one account."""

    must_change_password: bool = False
    second_factor_required: bool = False


class AccountPolicies(TenantRepository):
    """The demands on the accounts of one tenant."""

    def get(self, user: User) -> AccountPolicy:
        """The account's policy; without one, nothing is demanded."""
        query = self.select(ACCOUNT_POLICIES).where(ACCOUNT_POLICIES.c.user_id == user.id)
        row = self.connection.execute(query).one_or_none()
        return AccountPolicy() if row is None else AccountPolicy(row.must_change_password, row.second_factor_required)

    def put(self, user: User, policy: AccountPolicy) -> None:
        """Replace the account's policy."""
        self.connection.execute(self.delete(ACCOUNT_POLICIES).where(ACCOUNT_POLICIES.c.user_id == user.id))
        self.insert(ACCOUNT_POLICIES, user_id=user.id, **msgspec.structs.asdict(policy))
