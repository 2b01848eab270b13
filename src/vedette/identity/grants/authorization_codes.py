"""Authorization codes with PKCE (RFC 6749 §4.1, RFC 7636): made after a sign-in, redeemed once."""

import base64
import hashlib
import hmac
from typing import Literal

import msgspec
from sqlalchemy import Connection, select

from vedette.identity.directory.users import Users
from vedette.identity.errors import OAuthError
from vedette.identity.grants.grant import Authorization, Exchange, TenantlessExchange
from vedette.identity.grants.refresh_tokens import RefreshTokens
from vedette.identity.grants.requested import requested_for_user
from vedette.identity.grants.tables import AUTHORIZATION_CODES
from vedette.identity.services import IdentityServices
from vedette.identity.tokens.claims import opaque
from vedette.store.secrets import Secret
from vedette.store.tenancy import TenantRepository

CODE_BYTES = 48
CHALLENGE_LENGTHS = range(43, 129)


class CodeRequest(msgspec.Struct, frozen=True):
    """What a code stands for: who signed in, to which client, asking for what."""

    app_id: str
    user_id: str
    redirect_uri: str
    scope: str
    nonce: str | None = None
    code_challenge: str | None = None
    code_challenge_method: Literal["S256", "plain"] | None = None
    methods: str = "pwd"
    """How the user proved who they are, separated by blanks."""
    is_single_page: bool = False
    """Whether the client is a browser application, whose refresh tokens have a fixed end."""


class AuthorizationCode(CodeRequest, frozen=True, kw_only=True):
    """A code as stored."""

    tenant_id: str
    code_hash: bytes
    family: str
    issued_at: int
    redeemed_at: int | None = None


class AuthorizationCodes(TenantRepository):
    """Codes of one tenant."""

    def __init__(self, connection: Connection, tenant_id: str, services: IdentityServices) -> None:
        super().__init__(connection, tenant_id)
        self._services = services

    def add(self, request: CodeRequest) -> Secret[str]:
        """Make a code for a user who signed in and consented. Raises OAuthError for a bad challenge."""
        if request.code_challenge is not None and len(request.code_challenge) not in CHALLENGE_LENGTHS:
            raise OAuthError("code_challenge_size")
        value = opaque(CODE_BYTES)
        self.insert(
            AUTHORIZATION_CODES,
            code_hash=self._services.grant_hasher.digest(value),
            family=self._services.ids.guid(),
            issued_at=self._services.now(),
            **msgspec.structs.asdict(request),
        )
        return Secret(value)

    def redeem(self, code: AuthorizationCode) -> bool:
        """Use a code up; False if it was used before."""
        table = AUTHORIZATION_CODES
        statement = self.update(table).where(table.c.code_hash == code.code_hash, table.c.redeemed_at.is_(None))
        return self.connection.execute(statement.values(redeemed_at=self._services.now())).rowcount == 1


def find_code(connection: Connection, services: IdentityServices, value: str) -> AuthorizationCode | None:
    """The code of this value, in whichever tenant it was made."""
    query = select(AUTHORIZATION_CODES).where(AUTHORIZATION_CODES.c.code_hash == services.grant_hasher.digest(value))
    row = connection.execute(query).one_or_none()
    return None if row is None else AuthorizationCode(**row._mapping)


class AuthorizationCodeGrant:
    """`grant_type=authorization_code`; bound to client, tenant, redirect URI and code challenge."""

    grant_type = "authorization_code"
    needs_confidential_client = False

    def implied_tenant(self, exchange: TenantlessExchange) -> str | None:
        """The tenant in which the user signed in."""
        code = find_code(exchange.connection, exchange.services, exchange.request.required("code"))
        return None if code is None else code.tenant_id

    def authorize(self, exchange: Exchange) -> Authorization:
        """The user who signed in."""
        code = _presented(exchange)
        _check_binding(exchange, code)
        _check_verifier(exchange.request.parameters.get("code_verifier"), code)
        if code.redeemed_at is not None:
            _revoke_family(exchange, code)
            exchange.attempt.user = Users(exchange.connection, code.tenant_id).find(code.user_id)
            raise OAuthError("code_redeemed")
        lifetime = exchange.services.settings.authorization_code_lifetime
        if exchange.services.now() >= code.issued_at + lifetime:
            raise OAuthError("grant_expired")
        user = Users(exchange.connection, code.tenant_id).get(code.user_id)
        if not user.account_enabled:
            raise OAuthError("account_disabled")
        lifetime = exchange.services.settings.single_page_refresh_token_lifetime
        return Authorization(
            requested_for_user(exchange.request, code.scope),
            user,
            nonce=code.nonce,
            family=code.family,
            methods=tuple(code.methods.split()),
            refresh_until=exchange.services.now() + lifetime if code.is_single_page else None,
        )

    def complete(self, connection: Connection, exchange: Exchange) -> None:
        """Use the code up; the second of two simultaneous redemptions is refused."""
        code = _presented(exchange)
        if not AuthorizationCodes(connection, code.tenant_id, exchange.services).redeem(code):
            raise OAuthError("code_redeemed")


def _presented(exchange: Exchange) -> AuthorizationCode:
    code = find_code(exchange.connection, exchange.services, exchange.request.required("code"))
    if code is None:
        raise OAuthError("grant_invalid")
    return code


def _check_binding(exchange: Exchange, code: AuthorizationCode) -> None:
    if code.tenant_id != exchange.tenant.tenant.tenant_id:
        raise OAuthError("code_of_another_tenant")
    if code.app_id != exchange.client.application.app_id:
        raise OAuthError("grant_invalid")
    redirect_uri = exchange.request.required("redirect_uri")
    if redirect_uri != code.redirect_uri:
        raise OAuthError("redirect_uri_mismatch", redirect_uri=redirect_uri, app_id=code.app_id)


def _check_verifier(verifier: str | None, code: AuthorizationCode) -> None:
    """A verifier without a challenge is refused as well: the challenge may have been stripped (RFC 9700 §4.8.2)."""
    if verifier is None and code.code_challenge is None:
        return
    if verifier is None or code.code_challenge is None:
        raise OAuthError("code_verifier_missing" if verifier is None else "code_verifier_mismatch")
    transformed = verifier if code.code_challenge_method == "plain" else _s256(verifier)
    if not hmac.compare_digest(transformed.encode(), code.code_challenge.encode()):
        raise OAuthError("code_verifier_mismatch")


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _revoke_family(exchange: Exchange, code: AuthorizationCode) -> None:
    """A code that comes twice was stolen: what the first redemption led to ends (RFC 6749 §4.1.2)."""
    with exchange.services.store.begin() as connection:
        RefreshTokens(connection, code.tenant_id, exchange.services).revoke_family(code.family)
