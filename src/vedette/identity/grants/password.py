"""RFC 6749 §4.3: a client that was told the user's password. Kept for scripts that cannot open a browser."""

from sqlalchemy import Connection

from vedette.identity.directory.users import User, Users
from vedette.identity.errors import OAuthError
from vedette.identity.grants.grant import Authorization, Exchange, TenantlessExchange
from vedette.identity.grants.lockout import SignInFailures
from vedette.identity.grants.requested import requested_for_user
from vedette.store.secrets import Secret


class PasswordGrant:
    """`grant_type=password` with `username` and `password`."""

    grant_type = "password"
    needs_confidential_client = False

    def implied_tenant(self, exchange: TenantlessExchange) -> str | None:
        """At `organizations`, the tenant of the user name's domain."""
        if exchange.request.tenant.lower() != "organizations":
            return None
        return exchange.request.required("username").rpartition("@")[2] or None

    def authorize(self, exchange: Exchange) -> Authorization:
        """The user whose password this is."""
        request = exchange.request
        name, password = request.required("username"), Secret(request.required("password"))
        requested = requested_for_user(request)
        user = Users(exchange.connection, exchange.tenant.tenant.tenant_id).find(name)
        if user is None:
            raise OAuthError("user_not_found", user=name, tenant=exchange.tenant.tenant.display_name)
        _check_password(exchange, user, password)
        if not user.account_enabled:
            raise OAuthError("account_disabled")
        return Authorization(requested, user)

    def complete(self, connection: Connection, exchange: Exchange) -> None:
        """Nothing is redeemed."""


def _check_password(exchange: Exchange, user: User, password: Secret[str]) -> None:
    """Hashing takes its time, so it happens on the read-only connection; only counting takes the write lock."""
    now, address = exchange.services.now(), exchange.request.client_address
    if SignInFailures(exchange.connection, user, address).is_locked(now):
        raise OAuthError("account_locked")
    right = Users(exchange.connection, user.tenant_id).verify_password(user, password)
    if right is None:
        raise OAuthError("no_password")
    with exchange.services.store.begin() as connection:
        failures = SignInFailures(connection, user, address)
        if right:
            failures.clear()
        else:
            failures.record(now)
    if not right:
        raise OAuthError("wrong_password")
