"""The OpenID Connect userinfo endpoint: who a Graph token is about."""

from collections.abc import Mapping

import msgspec

from vedette.api.auth import bearer_token
from vedette.api.http import ApiRequest, ApiResponse
from vedette.contracts.permissions import load_resources
from vedette.errors import UnauthenticatedError
from vedette.identity.directory.users import Users
from vedette.identity.errors import TokenError
from vedette.identity.services import IdentityServices
from vedette.identity.tokens.issuer import pairwise_subject
from vedette.identity.tokens.verifier import Verifier


def userinfo(services: IdentityServices, verifier: Verifier, request: ApiRequest) -> ApiResponse:
    """Claims about the user of a delegated token for Graph; any other token is refused (RFC 6750 §3.1)."""
    try:
        principal = verifier.verify(bearer_token(request.headers))
    except (TokenError, UnauthenticatedError):
        return _refused(request)
    if principal.kind != "user" or principal.audience != load_resources()["graph"].key:
        return _refused(request)
    with services.store.connect() as connection:
        user = Users(connection, principal.tenant_id).get(principal.object_id)
    claims: Mapping[str, str] = {
        "sub": pairwise_subject(services, user, principal.app_id),
        "name": user.display_name,
        "email": user.user_principal_name,
    }
    given, _, family = user.display_name.rpartition(" ")
    names = {"family_name": family, "given_name": given} if given else {}
    return ApiResponse(200, msgspec.json.encode({**claims, **names}), headers={"cache-control": "no-store"})


def _refused(request: ApiRequest) -> ApiResponse:
    challenge = 'Bearer error="invalid_token"' if "authorization" in request.headers else "Bearer"
    body = {"error": {"code": "InvalidAuthenticationToken", "message": "Access token is missing or not for a user."}}
    return ApiResponse(401, msgspec.json.encode(body), headers={"www-authenticate": challenge})
