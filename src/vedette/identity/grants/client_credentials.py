"""RFC 6749 §4.4: a client acts for itself. Its permissions are app roles; there is no user and no refresh token."""

from sqlalchemy import Connection

from vedette.identity.errors import OAuthError
from vedette.identity.grants.grant import Authorization, Exchange, TenantlessExchange
from vedette.identity.scopes import parse_application_scope, whole_resource


class ClientCredentialsGrant:
    """`grant_type=client_credentials` with `scope={resource}/.default` (v2) or `resource={resource}` (v1)."""

    grant_type = "client_credentials"
    needs_confidential_client = True

    def implied_tenant(self, exchange: TenantlessExchange) -> str | None:  # noqa: ARG002 — the shape of a grant
        """None: an application that acts for itself must say in which tenant."""
        return None

    def authorize(self, exchange: Exchange) -> Authorization:
        """What is asked for; the client itself is the subject."""
        request = exchange.request
        if request.endpoint == 1:
            return Authorization(whole_resource(request.required("resource")))
        if "resource" in request.parameters:
            raise OAuthError("resource_parameter_on_v2")
        return Authorization(parse_application_scope(request.required("scope")))

    def complete(self, connection: Connection, exchange: Exchange) -> None:
        """Nothing is redeemed."""
