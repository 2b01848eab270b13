"""The shared phases of every token request; a grant fills in only what is its own and cannot forget a step.

find the grant → resolve the tenant → authenticate the client → the grant authorizes → resolve the resource →
what consent granted → sign → use up what was redeemed and store what was issued.
"""

from collections.abc import Mapping

from sqlalchemy import Connection

from vedette.identity import clients
from vedette.identity.claims_request import read_claims_request
from vedette.identity.consent import GrantedPermissions, granted_to_application
from vedette.identity.directory.applications import find_application
from vedette.identity.directory.tenants import TenantRecord, Tenants, is_domain
from vedette.identity.errors import OAuthError
from vedette.identity.grants.attempt import Attempt
from vedette.identity.grants.authorization_codes import AuthorizationCodeGrant, find_code
from vedette.identity.grants.client_credentials import ClientCredentialsGrant
from vedette.identity.grants.device_codes import DeviceCodeGrant
from vedette.identity.grants.grant import Authorization, Exchange, Grant, TenantlessExchange
from vedette.identity.grants.on_behalf_of import OnBehalfOfGrant
from vedette.identity.grants.password import PasswordGrant
from vedette.identity.grants.refresh_tokens import RefreshTokenGrant, find_refresh_token
from vedette.identity.grants.user_tokens import issue_for_user
from vedette.identity.resources import Resource, resolve_resource
from vedette.identity.services import IdentityServices
from vedette.identity.token_request import TokenRequest, TokenResult
from vedette.identity.tokens.issuer import TokenIssuer
from vedette.ids import is_guid
from vedette.store.engine import Reading

TENANTLESS = frozenset({"common", "organizations", "consumers"})

GRANTS: Mapping[str, Grant] = {
    grant.grant_type: grant
    for grant in (
        ClientCredentialsGrant(),
        AuthorizationCodeGrant(),
        RefreshTokenGrant(),
        DeviceCodeGrant("urn:ietf:params:oauth:grant-type:device_code"),
        DeviceCodeGrant("device_code"),
        PasswordGrant(),
        OnBehalfOfGrant(),
    )
}


def handle(services: IdentityServices, request: TokenRequest) -> TokenResult:
    """Answer one token request, and tell the audit log how it went. Raises OAuthError."""
    attempt = Attempt(request)
    try:
        result = _answer(services, request, attempt)
    except OAuthError as error:
        attempt.failed(services, error)
        raise
    attempt.succeeded(services)
    return result


def _answer(services: IdentityServices, request: TokenRequest, attempt: Attempt) -> TokenResult:
    grant = _find_grant(request)
    with services.store.reading() as reading:
        attempt.tenant = tenant = _tenant_of(reading, services, request, grant)
        attempt.is_for_person = not isinstance(grant, ClientCredentialsGrant)
        attempt.client = client = clients.authenticate(
            reading,
            services,
            request,
            tenant,
            needs_confidential_client=grant.needs_confidential_client,
            is_single_page=_is_single_page(reading, services, request),
        )
        asked = read_claims_request(request.parameters)
        exchange = Exchange(request, reading, services, tenant, client, attempt, asked)
        authorization = grant.authorize(exchange)
        attempt.user, attempt.methods = authorization.user, authorization.methods
        if authorization.user is None:
            return _issue_for_application(exchange, authorization)
        return issue_for_user(exchange, authorization, authorization.user, grant)


def resolve_tenant(connection: Connection, segment: str) -> TenantRecord:
    """The tenant of a path segment, which is a GUID or a domain. Raises OAuthError."""
    if not is_guid(segment) and not is_domain(segment):
        raise OAuthError("tenant_name_malformed", tenant=segment)
    tenant = Tenants(connection).find(segment)
    if tenant is None:
        raise OAuthError("tenant_not_found", tenant=segment)
    return tenant


def _is_single_page(reading: Reading, services: IdentityServices, request: TokenRequest) -> bool:
    """Whether a page redeems what was given to a page: its code, proved by PKCE, or a refresh token from that."""
    if not request.is_from_page:
        return False
    if request.parameters.get("grant_type") == AuthorizationCodeGrant.grant_type:
        code = find_code(reading.connection, services, request.parameters.get("code", ""))
        return code is not None and code.is_single_page
    token = find_refresh_token(reading.connection, services, request.parameters.get("refresh_token", ""))
    return token is not None and token.expires_at is not None


def _find_grant(request: TokenRequest) -> Grant:
    grant_type = request.required("grant_type")
    if grant_type not in GRANTS:
        raise OAuthError("unsupported_grant_type", grant_type=grant_type)
    return GRANTS[grant_type]


def _tenant_of(reading: Reading, services: IdentityServices, request: TokenRequest, grant: Grant) -> TenantRecord:
    """The request's tenant; at `common` and `organizations`, what the grant tells. Raises OAuthError."""
    if request.tenant.lower() not in TENANTLESS:
        segment = request.tenant
        return services.unchanged.get(reading, ("tenant", segment), lambda: resolve_tenant(reading.connection, segment))
    connection = reading.connection
    _refuse_single_tenant(connection, request)
    implied = grant.implied_tenant(TenantlessExchange(request, connection, services))
    if implied is None:
        raise OAuthError("tenant_not_named" if request.tenant.lower() == "organizations" else "grant_not_on_common")
    return resolve_tenant(connection, implied)


def _refuse_single_tenant(connection: Connection, request: TokenRequest) -> None:
    app_id = request.client.client_id
    application = find_application(connection, app_id.lower()) if app_id else None
    if application is not None and not application.is_multi_tenant:
        raise OAuthError("application_not_multi_tenant", app_id=application.app_id, app_name=application.display_name)


def _issue_for_application(exchange: Exchange, authorization: Authorization) -> TokenResult:
    services, client = exchange.services, exchange.client
    name = authorization.requested.resource
    resource, permissions = services.cache.get(
        exchange.tenant, ("granted", client.principal.id, name), lambda: _granted(exchange, name)
    )
    exchange.attempt.resource = resource
    issuer = TokenIssuer(exchange.reading, services, exchange.tenant, exchange.request.base_url)
    token = issuer.issue(client, resource, permissions, asked=exchange.asked)
    return TokenResult(token.value, token.issued_at, token.expires_in, name, refresh_in=token.refresh_in)


def _granted(exchange: Exchange, name: str) -> tuple[Resource, GrantedPermissions]:
    resource = resolve_resource(exchange.connection, exchange.tenant, exchange.services.issuers, name)
    return resource, granted_to_application(exchange.connection, exchange.client.principal, resource)
