"""The last phases of a user's token: consent, access token, id_token, refresh token, client_info."""

from vedette.identity.consent import GrantedPermissions, granted_for_user, own_roles
from vedette.identity.directory.users import User
from vedette.identity.grants.grant import Authorization, Exchange, Grant
from vedette.identity.grants.refresh_tokens import RefreshTokens
from vedette.identity.resources import Resource, resolve_resource
from vedette.identity.scopes import RequestedAccess
from vedette.identity.token_request import TokenResult
from vedette.identity.tokens.id_token import client_info
from vedette.identity.tokens.issuer import TokenIssuer
from vedette.store.secrets import Secret

SHOWN_OIDC_SCOPES = ("email", "openid", "profile")


def issue_for_user(exchange: Exchange, authorization: Authorization, user: User, grant: Grant) -> TokenResult:
    """Sign what was asked for, then use up what the request redeems. Raises OAuthError."""
    services, connection, client = exchange.services, exchange.connection, exchange.client
    request, requested = exchange.request, authorization.requested
    resource = resolve_resource(connection, exchange.tenant, services.issuers, requested.resource)
    exchange.attempt.resource = resource
    permissions = granted_for_user(connection, client.principal, resource, user, requested)
    issuer = TokenIssuer(exchange.reading, services, exchange.tenant, request.base_url)
    subject = issuer.subject_of(user, client, request.client_address, authorization.methods)
    token = issuer.issue(client, resource, permissions, user=subject, asked=exchange.asked)
    id_token = None
    if "openid" in requested.oidc:
        roles = own_roles(connection, client.principal, user)
        id_token = issuer.issue_id_token(client, subject, request.endpoint, authorization.nonce, roles=roles)
    return TokenResult(
        access_token=token.value,
        issued_at=token.issued_at,
        expires_in=token.expires_in,
        audience=requested.resource,
        scope=_granted_scope(resource, permissions, requested),
        refresh_token=_complete(exchange, authorization, user, grant),
        id_token=id_token,
        refresh_in=token.refresh_in,
        client_info=client_info(subject) if request.parameters.get("client_info") == "1" else None,
    )


def _complete(exchange: Exchange, authorization: Authorization, user: User, grant: Grant) -> Secret[str] | None:
    """One write transaction: what the request redeems ends, and a refresh token begins if it was asked for."""
    services, requested = exchange.services, authorization.requested
    with services.store.begin() as connection:
        grant.complete(connection, exchange)
        exchange.attempt.tell(connection, services)
        if "offline_access" not in requested.oidc:
            return None
        return RefreshTokens(connection, user.tenant_id, services).add(
            family=authorization.family or services.ids.guid(),
            app_id=exchange.client.application.app_id,
            user_id=user.id,
            scope=_as_scope(requested),
            methods=authorization.methods,
            expires_at=authorization.refresh_until,
        )


def _as_scope(requested: RequestedAccess) -> str:
    """The `scope` that asks for the same again."""
    named = [f"{requested.resource}/{name}" for name in sorted(requested.scopes)]
    return " ".join([*named, *sorted(requested.oidc)])


def _granted_scope(resource: Resource, permissions: GrantedPermissions, requested: RequestedAccess) -> str:
    """`scope` of the answer: bare names for Graph, with the resource's name for every other."""
    if resource.contract is not None and resource.contract.key == "graph":
        shown = [name for name in SHOWN_OIDC_SCOPES if name in requested.oidc]
        return " ".join([*shown, *sorted(permissions.scopes)])
    return " ".join(f"{requested.resource}/{name}" for name in sorted(permissions.scopes))
