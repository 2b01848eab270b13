"""What a request for a user's token asks for, by endpoint."""

from vedette.identity.errors import OAuthError
from vedette.identity.scopes import RequestedAccess, parse_scope, whole_resource
from vedette.identity.token_request import TokenRequest

V1_OIDC_SCOPES = frozenset({"openid", "offline_access"})
"""The v1 endpoint gives a user's client id_token and refresh token unasked."""


def requested_for_user(request: TokenRequest, granted: str | None = None) -> RequestedAccess:
    """Read `scope` (v2) or `resource` (v1); where it may be left out, `granted` stands in. Raises OAuthError."""
    if request.endpoint == 2:
        if "resource" in request.parameters:
            raise OAuthError("resource_parameter_on_v2")
        if granted is not None and not request.parameters.get("scope", granted).strip():
            raise OAuthError("scope_empty_on_redemption")
        scope = request.parameters.get("scope") or granted
        return parse_scope(scope if scope is not None else request.required("scope"))
    resource = request.parameters.get("resource")
    if resource is None and granted is not None:
        return parse_scope(granted)
    wanted = whole_resource(resource or request.required("resource"))
    return RequestedAccess(wanted.resource, wanted.scopes, V1_OIDC_SCOPES)
