"""The shared phases of every token request; a grant fills in only what is its own and cannot forget a step.

find the grant → resolve the tenant → authenticate the client → the grant authorizes → resolve the resource →
what consent granted → issue.
"""

from collections.abc import Mapping

from sqlalchemy import Connection

from vedette.identity import clients
from vedette.identity.consent import granted_for_user, granted_to_application
from vedette.identity.directory.applications import find_application
from vedette.identity.directory.tenants import TenantRecord, Tenants, is_domain
from vedette.identity.errors import OAuthError
from vedette.identity.grants.client_credentials import ClientCredentialsGrant
from vedette.identity.grants.grant import Authorization, Exchange, Grant
from vedette.identity.resources import resolve_resource
from vedette.identity.services import IdentityServices
from vedette.identity.token_request import TokenRequest, TokenResult
from vedette.identity.tokens.issuer import TokenIssuer
from vedette.ids import is_guid

TENANTLESS = frozenset({"common", "organizations", "consumers"})

GRANTS: Mapping[str, Grant] = {grant.grant_type: grant for grant in (ClientCredentialsGrant(),)}


def handle(services: IdentityServices, request: TokenRequest) -> TokenResult:
    """Answer one token request. Raises OAuthError."""
    grant = _find_grant(request)
    transaction = services.store.begin if grant.writes else services.store.connect
    with transaction() as connection:
        tenant = resolve_tenant(connection, request.tenant, request.client.client_id)
        client = clients.authenticate(
            connection, services, request, tenant, needs_confidential_client=grant.needs_confidential_client
        )
        exchange = Exchange(request, connection, services, tenant, client)
        return _issue(exchange, grant.authorize(exchange))


def resolve_tenant(connection: Connection, segment: str, app_id: str | None) -> TenantRecord:
    """The tenant of a path segment. Raises OAuthError 90002, 900023, and for `common` 50194, 9001023 or 90019."""
    if segment.lower() in TENANTLESS:
        raise _no_tenant(connection, segment, app_id)
    if not is_guid(segment) and not is_domain(segment):
        raise OAuthError(900023, tenant=segment)
    tenant = Tenants(connection).find(segment)
    if tenant is None:
        raise OAuthError(90002, tenant=segment)
    return tenant


def _find_grant(request: TokenRequest) -> Grant:
    grant_type = request.required("grant_type")
    if grant_type not in GRANTS:
        raise OAuthError(70003, grant_type=grant_type)
    return GRANTS[grant_type]


def _no_tenant(connection: Connection, segment: str, app_id: str | None) -> OAuthError:
    application = find_application(connection, app_id.lower()) if app_id else None
    if application is not None and not application.is_multi_tenant:
        return OAuthError(50194, app_id=application.app_id, app_name=application.display_name)
    return OAuthError(90019) if segment.lower() == "organizations" else OAuthError(9001023)


def _issue(exchange: Exchange, authorization: Authorization) -> TokenResult:
    services, connection, client = exchange.services, exchange.connection, exchange.client
    requested, user = authorization.requested, authorization.user
    resource = resolve_resource(connection, exchange.tenant, services.issuers, requested.resource)
    issuer = TokenIssuer(connection, services, exchange.tenant, exchange.request.base_url)
    if user is None:
        permissions = granted_to_application(connection, client.principal, resource)
        token = issuer.issue(client, resource, permissions)
    else:
        permissions = granted_for_user(connection, client.principal, resource, user, requested)
        person = issuer.subject_of(user, client, exchange.request.client_address)
        token = issuer.issue(client, resource, permissions, user=person)
    return TokenResult(token.value, token.issued_at, token.expires_in, requested.resource)
