"""Changes of people's accounts, as the management API and the portal make them: checked, and told to caches."""

import re

from sqlalchemy import Connection

from vedette.contracts.permissions import directory_role
from vedette.identity.directory.account_policies import AccountPolicies, AccountPolicy
from vedette.identity.directory.second_factors import SecondFactors
from vedette.identity.directory.security_roles import SecurityRoles
from vedette.identity.directory.service_principals import AppRoleAssignments
from vedette.identity.directory.tenants import Tenants
from vedette.identity.directory.users import User, Users
from vedette.identity.errors import InvalidValueError
from vedette.identity.services import IdentityServices
from vedette.store.secrets import Secret

ALIAS = re.compile(r"[A-Za-z0-9'._!#^~-]{1,64}\Z")
MINIMUM_PASSWORD, MAXIMUM_PASSWORD = 8, 256


class Accounts:
    """The accounts of one tenant, in the caller's transaction."""

    def __init__(self, connection: Connection, services: IdentityServices, tenant_id: str) -> None:
        self._connection = connection
        self._services = services
        self._tenant_id = tenant_id
        self._users = Users(connection, tenant_id)

    def create(self, user: User, password: Secret[str] | None, *, must_change: bool = False) -> None:
        """Store an account whose name is in a domain of the tenant. Raises a DirectoryError."""
        self._check(user)
        if password is not None:
            check_password(password)
        self._users.create(user, password)
        self._require_change(user, must_change)
        self._tell()

    def change(self, user: User) -> None:
        """Store the present values."""
        self._check(user)
        self._users.replace(user)
        self._tell()

    def reset_password(self, user: User, password: Secret[str], *, must_change: bool) -> None:
        """Replace the password; every session and token of the person ends."""
        check_password(password)
        self._users.set_password(user, password, self._services.now())
        self._require_change(user, must_change)
        self._tell()

    def require_password_change(self, user: User) -> None:
        """Make the person choose a new password at the next sign-in, and end every session and token."""
        self._require_change(user, must_change=True)
        self.revoke_sessions(user)

    def reset_second_factor(self, user: User) -> None:
        """Forget the person's second factor; the next sign-in that needs one enrols anew."""
        SecondFactors(self._connection, self._tenant_id, self._services.factor_sealer).remove(user)
        self._users.revoke_sessions(user, self._services.now())
        self._tell()

    def revoke_sessions(self, user: User) -> None:
        """End every session and token of the person."""
        self._users.revoke_sessions(user, self._services.now())
        self._tell()

    def remove(self, user: User) -> None:
        """Delete the account with everything that was given to it."""
        AppRoleAssignments(self._connection, self._tenant_id).withdraw(user.id)
        SecurityRoles(self._connection, self._tenant_id).withdraw(user.id)
        self._users.remove(user)
        self._tell()

    def give_role(self, user: User, role_template_id: str) -> None:
        """Give a directory role. Raises InvalidValueError for one that is not built in."""
        if directory_role(role_template_id) is None:
            raise InvalidValueError("roleDefinitionId", role_template_id)
        self._users.assign_role(user, role_template_id)
        self._tell()

    def take_role(self, user: User, role_template_id: str) -> None:
        """Take a directory role away."""
        self._users.withdraw_role(user, role_template_id)
        self._tell()

    def _check(self, user: User) -> None:
        alias, _, domain = user.user_principal_name.partition("@")
        owner = Tenants(self._connection).find(domain)
        if ALIAS.match(alias) is None or owner is None or owner.tenant.tenant_id != self._tenant_id:
            raise InvalidValueError("userPrincipalName", user.user_principal_name)
        if not 1 <= len(user.display_name.strip()) <= 256:
            raise InvalidValueError("displayName", user.display_name[:20])

    def _require_change(self, user: User, must_change: bool) -> None:
        policies = AccountPolicies(self._connection, self._tenant_id)
        before = policies.get(user)
        if before.must_change_password != must_change:
            policies.put(user, AccountPolicy(must_change, before.second_factor_required))

    def _tell(self) -> None:
        Tenants(self._connection).advance_generation(self._tenant_id)


def check_password(password: Secret[str]) -> None:
    """Raises InvalidValueError for a password that is too short or too long."""
    if not MINIMUM_PASSWORD <= len(password.reveal()) <= MAXIMUM_PASSWORD:
        raise InvalidValueError("passwordProfile", "password")
