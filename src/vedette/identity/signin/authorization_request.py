"""The request to an authorize endpoint, read once. What is wrong with client or redirect URI is told on a page;
everything else is told to the client.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec
from sqlalchemy import Connection

from vedette.identity.directory.applications import Application, find_application
from vedette.identity.errors import OAuthError
from vedette.identity.grants.authorization_codes import CHALLENGE_LENGTHS
from vedette.identity.scopes import RequestedAccess, parse_scopes, whole_resource
from vedette.identity.signin.redirects import RedirectTarget, find_target
from vedette.identity.token_request import EndpointVersion
from vedette.ids import is_guid

ResponseMode = Literal["query", "fragment", "form_post"]
Prompt = Literal["login", "none", "consent", "select_account", "admin_consent"]

RESPONSE_TYPES = frozenset({frozenset({"code"}), frozenset({"id_token"}), frozenset({"code", "id_token"})})
"""Tokens for APIs never come this way, only by the token endpoint (RFC 9700 §2.1.2)."""


class AuthorizationTarget(msgspec.Struct, frozen=True):
    """Who asks, and where the answer goes. `redirect` is None for an application that registered none."""

    application: Application
    redirect: RedirectTarget | None
    mode: ResponseMode
    state: str | None


class AuthorizationRequest(msgspec.Struct, frozen=True):
    """What is asked for."""

    version: EndpointVersion
    response_types: frozenset[str]
    accesses: tuple[RequestedAccess, ...]
    """By resource; the code is for the first. Empty: whatever the application is configured to ask for."""
    oidc: frozenset[str]
    prompts: frozenset[Prompt]
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: Literal["S256", "plain"] | None

    @property
    def scope(self) -> str:
        """The `scope` that the code stands for."""
        first = self.accesses[:1]
        named = [f"{access.resource}/{name}" for access in first for name in sorted(access.scopes)]
        return " ".join([*named, *sorted(self.oidc)]) or "openid"


def read_target(connection: Connection, parameters: Mapping[str, str]) -> AuthorizationTarget:
    """Client and redirect URI. Raises OAuthError, which must not be sent anywhere."""
    app_id = parameters.get("client_id", "")
    if not app_id:
        raise OAuthError("parameter_missing", parameter="client_id")
    application = find_application(connection, app_id.lower()) if is_guid(app_id) else None
    if application is None:
        raise OAuthError("application_unknown", app_id=app_id)
    redirect = find_target(application, parameters.get("redirect_uri") or None)
    return AuthorizationTarget(application, redirect, _response_mode(parameters), parameters.get("state"))


def read_request(
    target: AuthorizationTarget, parameters: Mapping[str, str], version: EndpointVersion
) -> AuthorizationRequest:
    """The rest of the request. Raises OAuthError."""
    response_types = frozenset(_required(parameters, "response_type").split())
    _check_response_types(target, response_types)
    if parameters.get("response_mode") == "query" and "id_token" in response_types:
        raise OAuthError("request_malformed")
    accesses, oidc = _accesses(parameters, version)
    nonce = parameters.get("nonce") or None
    if "id_token" in response_types and nonce is None:
        raise OAuthError("parameter_missing", parameter="nonce")
    challenge, method = _challenge(target, parameters, "code" in response_types)
    return AuthorizationRequest(version, response_types, accesses, oidc, _prompts(parameters), nonce, challenge, method)


def _required(parameters: Mapping[str, str], name: str) -> str:
    if not parameters.get(name):
        raise OAuthError("parameter_missing", parameter=name)
    return parameters[name]


def _response_mode(parameters: Mapping[str, str]) -> ResponseMode:
    default = "fragment" if "id_token" in parameters.get("response_type", "").split() else "query"
    try:
        mode: ResponseMode = msgspec.convert(parameters.get("response_mode") or default, ResponseMode)
        return mode
    except msgspec.ValidationError as error:
        raise OAuthError("request_malformed") from error


def _check_response_types(target: AuthorizationTarget, response_types: frozenset[str]) -> None:
    implicit = "id_token" not in response_types or target.application.implicit_grant.enable_id_token_issuance
    if response_types not in RESPONSE_TYPES or not implicit:
        raise OAuthError("response_type_not_enabled", response_type=" ".join(sorted(response_types)))


def _accesses(
    parameters: Mapping[str, str], version: EndpointVersion
) -> tuple[tuple[RequestedAccess, ...], frozenset[str]]:
    if version == 2:
        if "resource" in parameters:
            raise OAuthError("resource_parameter_on_v2")
        return parse_scopes(_required(parameters, "scope"))
    resource = parameters.get("resource")
    oidc = frozenset({"openid", "offline_access"})
    return (() if not resource else (whole_resource(resource),)), oidc


def _prompts(parameters: Mapping[str, str]) -> frozenset[Prompt]:
    try:
        prompts = frozenset(msgspec.convert(parameters.get("prompt", "").split(), list[Prompt]))
    except msgspec.ValidationError as error:
        raise OAuthError("request_malformed") from error
    if "none" in prompts and len(prompts) > 1:
        raise OAuthError("request_malformed")
    return prompts


def _challenge(
    target: AuthorizationTarget, parameters: Mapping[str, str], has_code: bool
) -> tuple[str | None, Literal["S256", "plain"] | None]:
    """PKCE; a browser application must use it, and S256 (RFC 9700 §2.1.1)."""
    challenge = parameters.get("code_challenge") or None
    method = parameters.get("code_challenge_method") or "plain"
    single_page = target.redirect is not None and target.redirect.platform == "spa"
    if challenge is None:
        if single_page and has_code:
            raise OAuthError("parameter_missing", parameter="code_challenge")
        return None, None
    if len(challenge) not in CHALLENGE_LENGTHS:
        raise OAuthError("code_challenge_size")
    if method == "S256":
        return challenge, "S256"
    if method == "plain" and not single_page:
        return challenge, "plain"
    raise OAuthError("request_malformed")
