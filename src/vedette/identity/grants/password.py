"""RFC 6749 §4.3: a client that was told the user's password. Kept for scripts that cannot open a browser."""

from sqlalchemy import Connection

from vedette.identity.directory.account_policies import AccountPolicies
from vedette.identity.directory.second_factors import SecondFactors
from vedette.identity.directory.tenants import Tenants
from vedette.identity.directory.users import User
from vedette.identity.errors import OAuthError
from vedette.identity.grants.grant import Authorization, Exchange, TenantlessExchange
from vedette.identity.grants.password_check import PasswordAttempt, check_password
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
        _refuse_foreigner(exchange, name)
        attempt = PasswordAttempt(name, password, request.client_address)
        user = check_password(exchange.connection, exchange.services, exchange.tenant, attempt)
        _refuse_unattended(exchange, user, requested.resource)
        return Authorization(requested, user)

    def complete(self, connection: Connection, exchange: Exchange) -> None:
        """Nothing is redeemed."""


def _refuse_foreigner(exchange: Exchange, name: str) -> None:
    """An account of another tenant of this installation is no guest anywhere."""
    tenant = exchange.tenant.tenant
    owner = Tenants(exchange.connection).find(name.rpartition("@")[2])
    if owner is not None and owner.tenant.tenant_id != tenant.tenant_id:
        app_id = exchange.client.application.app_id
        raise OAuthError("external_user_not_in_tenant", user=name, tenant=tenant.display_name, app_id=app_id)


def _refuse_unattended(exchange: Exchange, user: User, resource: str) -> None:
    """What an account must do on a page cannot be done here."""
    policy = AccountPolicies(exchange.connection, user.tenant_id).get(user)
    if policy.must_change_password:
        raise OAuthError("password_expired")
    if SecondFactors(exchange.connection, user.tenant_id, exchange.services.factor_sealer).is_enrolled(user):
        raise OAuthError("second_factor_required", resource=resource)
    if policy.second_factor_required:
        raise OAuthError("second_factor_enrolment_required", resource=resource)
