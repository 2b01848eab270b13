"""Refresh tokens and their grant (RFC 6749 §6).

As Entra does, every use gives a new token and the old one stays valid; with `rotate_refresh_tokens` the old one ends,
and using it again ends its whole family (RFC 9700 §4.14).
"""

import msgspec
from sqlalchemy import Connection, select

from vedette.identity.directory.users import Users
from vedette.identity.errors import OAuthError
from vedette.identity.grants.grant import Authorization, Exchange, TenantlessExchange
from vedette.identity.grants.requested import requested_for_user
from vedette.identity.grants.tables import REFRESH_TOKENS
from vedette.identity.services import IdentityServices
from vedette.identity.tokens.claims import opaque
from vedette.store.secrets import Secret
from vedette.store.tenancy import TenantRepository

TOKEN_BYTES = 48


class RefreshToken(msgspec.Struct, frozen=True):
    """A refresh token as stored; its value is known only to the client."""

    tenant_id: str
    token_hash: bytes
    family: str
    app_id: str
    user_id: str
    scope: str
    issued_at: int
    methods: str = "pwd"
    expires_at: int | None = None
    revoked_at: int | None = None


class RefreshTokens(TenantRepository):
    """Refresh tokens of one tenant."""

    def __init__(self, connection: Connection, tenant_id: str, services: IdentityServices) -> None:
        super().__init__(connection, tenant_id)
        self._services = services

    def add(
        self,
        *,
        family: str,
        app_id: str,
        user_id: str,
        scope: str,
        methods: tuple[str, ...] = ("pwd",),
        expires_at: int | None = None,
    ) -> Secret[str]:
        """Make a token and store its keyed hash."""
        value = opaque(TOKEN_BYTES)
        self.insert(
            REFRESH_TOKENS,
            token_hash=self._services.grant_hasher.digest(value),
            family=family,
            app_id=app_id,
            user_id=user_id,
            scope=scope,
            methods=" ".join(methods),
            expires_at=expires_at,
            issued_at=self._services.now(),
        )
        return Secret(value)

    def revoke(self, token: RefreshToken) -> bool:
        """End one token; False if it had ended before."""
        table = REFRESH_TOKENS
        statement = self.update(table).where(table.c.token_hash == token.token_hash, table.c.revoked_at.is_(None))
        return self.connection.execute(statement.values(revoked_at=self._services.now())).rowcount == 1

    def revoke_family(self, family: str) -> None:
        """End everything that one sign-in led to."""
        table = REFRESH_TOKENS
        statement = self.update(table).where(table.c.family == family, table.c.revoked_at.is_(None))
        self.connection.execute(statement.values(revoked_at=self._services.now()))


def find_refresh_token(connection: Connection, services: IdentityServices, value: str) -> RefreshToken | None:
    """The token of this value, in whichever tenant it was issued."""
    query = select(REFRESH_TOKENS).where(REFRESH_TOKENS.c.token_hash == services.grant_hasher.digest(value))
    row = connection.execute(query).one_or_none()
    return None if row is None else RefreshToken(**row._mapping)


class RefreshTokenGrant:
    """`grant_type=refresh_token`; `scope` may name another resource that the user has consented to."""

    grant_type = "refresh_token"
    needs_confidential_client = False

    def implied_tenant(self, exchange: TenantlessExchange) -> str | None:
        """The tenant that issued the token."""
        value = exchange.request.required("refresh_token")
        token = find_refresh_token(exchange.connection, exchange.services, value)
        return None if token is None else token.tenant_id

    def authorize(self, exchange: Exchange) -> Authorization:
        """The user whom the token was issued for."""
        token = _presented(exchange)
        tenant_id = exchange.tenant.tenant.tenant_id
        if token.tenant_id != tenant_id or token.app_id != exchange.client.application.app_id:
            raise OAuthError("grant_invalid")
        _check_alive(exchange, token)
        user = Users(exchange.connection, tenant_id).get(token.user_id)
        if not user.account_enabled:
            raise OAuthError("account_disabled")
        if token.issued_at < max(user.tokens_valid_from, exchange.tenant.tokens_valid_from):
            raise OAuthError("grant_revoked")
        return Authorization(
            requested_for_user(exchange.request, token.scope),
            user,
            family=token.family,
            methods=tuple(token.methods.split()),
            refresh_until=token.expires_at,
        )

    def complete(self, connection: Connection, exchange: Exchange) -> None:
        """End the old token, where the installation wants rotation."""
        if exchange.services.settings.rotate_refresh_tokens:
            tokens = RefreshTokens(connection, exchange.tenant.tenant.tenant_id, exchange.services)
            if not tokens.revoke(_presented(exchange)):
                raise OAuthError("grant_revoked")


def _presented(exchange: Exchange) -> RefreshToken:
    value = exchange.request.required("refresh_token")
    token = find_refresh_token(exchange.connection, exchange.services, value)
    if token is None:
        raise OAuthError("grant_invalid")
    return token


def _check_alive(exchange: Exchange, token: RefreshToken) -> None:
    services = exchange.services
    if token.revoked_at is not None:
        with services.store.begin() as connection:
            RefreshTokens(connection, token.tenant_id, services).revoke_family(token.family)
        raise OAuthError("grant_revoked")
    if token.expires_at is not None and services.now() >= token.expires_at:
        fixed = services.settings.single_page_refresh_token_lifetime
        raise OAuthError("refresh_token_past_fixed_lifetime", lifetime=f"{fixed} seconds")
    lifetime = services.settings.refresh_token_lifetime
    if services.now() >= token.issued_at + lifetime:
        raise OAuthError("refresh_token_idle", issued=str(token.issued_at), inactive=f"{lifetime} seconds")
