"""Whose password is this? Shared by the password grant and the sign-in page: lock-out, account state, equal time."""

import functools
import secrets

import msgspec
from sqlalchemy import Connection

from vedette.identity.directory.tenants import TenantRecord
from vedette.identity.directory.users import User, Users, hash_password, is_password
from vedette.identity.errors import OAuthError
from vedette.identity.grants.lockout import AddressFailures, SignInFailures
from vedette.identity.services import IdentityServices
from vedette.store.secrets import Secret


class PasswordAttempt(msgspec.Struct, frozen=True):
    """One try to sign in with a password."""

    name: str
    password: Secret[str]
    address: str


def check_password(
    connection: Connection, services: IdentityServices, tenant: TenantRecord, attempt: PasswordAttempt
) -> User:
    """The enabled account of `name` whose password this is. Raises OAuthError.

    Hashing takes its time, so it happens on the read-only connection; only counting takes the write lock. An unknown
    name costs the same time as a wrong password.
    """
    now, tenant_id, address = services.now(), tenant.tenant.tenant_id, attempt.address
    users = Users(connection, tenant_id)
    user = users.find(attempt.name)
    if AddressFailures(connection, tenant_id, address).is_locked(now):
        raise OAuthError("account_locked")
    if user is None:
        is_password(attempt.password, _nobodys_hash())
        _count(services, tenant_id, None, address, right=False)
        raise OAuthError("user_not_found", user=attempt.name, tenant=tenant.tenant.display_name)
    if SignInFailures(connection, user, address).is_locked(now):
        raise OAuthError("account_locked")
    right = users.verify_password(user, attempt.password)
    if right is None:
        raise OAuthError("no_password")
    _count(services, tenant_id, user, address, right=right)
    if not right:
        raise OAuthError("wrong_password")
    if not user.account_enabled:
        raise OAuthError("account_disabled")
    return user


def _count(services: IdentityServices, tenant_id: str, user: User | None, address: str, *, right: bool) -> None:
    with services.store.begin() as connection:
        if user is not None:
            failures = SignInFailures(connection, user, address)
            failures.clear() if right else failures.record(services.now())
        if not right:
            AddressFailures(connection, tenant_id, address).record(services.now())


@functools.cache
def _nobodys_hash() -> str:
    return hash_password(Secret(secrets.token_urlsafe(30)))
