"""RFC 6749 §4.4: a client acts for itself. Its permissions are app roles; there is no user and no refresh token."""

from vedette.identity.errors import OAuthError
from vedette.identity.grants.grant import Authorization, Exchange
from vedette.identity.scopes import parse_application_scope, whole_resource


class ClientCredentialsGrant:
    """`grant_type=client_credentials` with `scope={resource}/.default` (v2) or `resource={resource}` (v1)."""

    grant_type = "client_credentials"
    needs_confidential_client = True
    writes = False

    def authorize(self, exchange: Exchange) -> Authorization:
        """What is asked for; the client itself is the subject."""
        request = exchange.request
        if request.endpoint == 1:
            return Authorization(whole_resource(request.required("resource")))
        if "resource" in request.parameters:
            raise OAuthError(901002)
        return Authorization(parse_application_scope(request.required("scope")))
