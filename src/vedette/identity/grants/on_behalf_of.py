"""On-behalf-of (RFC 7523 §2.1 with Entra's `requested_token_use`): an API passes its caller's identity on.

The API shows the access token it was called with; it gets one for another API, for the same user.
"""

from sqlalchemy import Connection

from vedette.identity.directory.users import User, Users
from vedette.identity.errors import ExpiredTokenError, OAuthError, TokenError
from vedette.identity.grants.grant import Authorization, Exchange, TenantlessExchange
from vedette.identity.grants.requested import requested_for_user
from vedette.identity.tokens.verifier import AccessTokenClaims, Verifier


class OnBehalfOfGrant:
    """`grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer` with `assertion` and `requested_token_use`."""

    grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    needs_confidential_client = True

    def implied_tenant(self, exchange: TenantlessExchange) -> str | None:
        """The tenant of the token that is shown."""
        claims = _verified(exchange, exchange.request.required("assertion"))
        return claims.tid

    def authorize(self, exchange: Exchange) -> Authorization:
        """The user of a token that was issued for this client. Raises OAuthError."""
        request = exchange.request
        if request.required("requested_token_use") != "on_behalf_of":
            raise OAuthError("request_malformed")
        claims = _verified(exchange, request.required("assertion"))
        client = exchange.client.application
        own = {client.app_id, f"api://{client.app_id}", *(uri.rstrip("/").casefold() for uri in client.identifier_uris)}
        if claims.aud.rstrip("/").casefold() not in own:
            raise OAuthError("user_assertion_invalid", reason="the token was issued for another audience")
        if claims.tid != exchange.tenant.tenant.tenant_id:
            raise OAuthError("user_assertion_invalid", reason="the token is of another tenant")
        if claims.is_application:
            raise OAuthError("application_not_allowed_on_behalf_of", app_id=claims.client_id or "")
        return Authorization(requested_for_user(request), _user(exchange, claims), methods=claims.amr)

    def complete(self, connection: Connection, exchange: Exchange) -> None:
        """Nothing is redeemed: the token stays good for what it was issued for."""


def _verified(exchange: Exchange | TenantlessExchange, assertion: str) -> AccessTokenClaims:
    try:
        return Verifier(exchange.services).verify_for_client(assertion)
    except ExpiredTokenError as error:
        raise OAuthError("user_assertion_expired") from error
    except TokenError as error:
        raise OAuthError("user_assertion_invalid", reason="the token does not verify") from error


def _user(exchange: Exchange, claims: AccessTokenClaims) -> User:
    user = Users(exchange.connection, claims.tid).find(claims.oid)
    if user is None or not user.account_enabled:
        raise OAuthError("account_disabled")
    return user
