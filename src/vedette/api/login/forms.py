"""The token endpoints' form in, their JSON out. v1 answers with numbers as strings, v2 with numbers."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from vedette.api.http import ApiRequest
from vedette.api.login.faults import Trace
from vedette.identity.errors import OAuthError
from vedette.identity.token_request import ClientCredential, EndpointVersion, TokenRequest, TokenResult
from vedette.store.secrets import Secret

CREDENTIAL_PARAMETERS = frozenset({"client_secret", "client_assertion"})


def parse_token_request(request: ApiRequest, endpoint: EndpointVersion) -> TokenRequest:
    """Read the form, whatever Content-Type it came with. Raises OAuthError for a malformed one."""
    form, trace = parse_form(request.body), Trace.of(request)
    if "origin" in request.headers and form.keys() & CREDENTIAL_PARAMETERS:
        raise OAuthError("request_malformed")  # a page of a browser cannot keep a credential
    return TokenRequest(
        endpoint=endpoint,
        tenant=request.path_parameters["tenant"],
        parameters={name: value for name, value in form.items() if name not in CREDENTIAL_PARAMETERS},
        client=_client_credential(form, request.headers.get("authorization")),
        base_url=request.base_url,
        client_address=request.client_address,
        user_agent=request.headers.get("user-agent", ""),
        is_from_page="origin" in request.headers,
        request_id=trace.trace_id,
        correlation_id=trace.correlation_id,
    )


def parse_form(body: bytes) -> Mapping[str, str]:
    """Fields of a form; a repeated field (RFC 6749 §3.2) or a NUL is refused. Raises OAuthError."""
    try:
        pairs = parse_qsl(body.decode("utf-8").strip(), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise OAuthError("request_malformed") from error
    form = dict(pairs)
    if len(form) != len(pairs) or any("\0" in text for pair in pairs for text in pair):
        raise OAuthError("request_malformed")
    return form


def token_response(result: TokenResult, endpoint: EndpointVersion) -> dict[str, str | int]:
    """The JSON object of a successful answer, in the endpoint's own field order."""
    body = _v1_fields(result) if endpoint == 1 else _v2_fields(result)
    if result.refresh_token is not None:
        body["refresh_token"] = result.refresh_token.reveal()
    if result.id_token is not None:
        body["id_token"] = result.id_token.reveal()
    if result.client_info is not None:
        body["client_info"] = result.client_info
    if result.refresh_in is not None:
        body["refresh_in"] = str(result.refresh_in) if endpoint == 1 else result.refresh_in
    return body


def _v1_fields(result: TokenResult) -> dict[str, str | int]:
    scope = {} if result.scope is None else {"scope": result.scope}
    return {
        "token_type": "Bearer",
        **scope,
        "expires_in": str(result.expires_in),
        "ext_expires_in": str(result.expires_in),
        "expires_on": str(result.issued_at + result.expires_in),
        "not_before": str(result.issued_at),
        "resource": result.audience,
        "access_token": result.access_token.reveal(),
    }


def _v2_fields(result: TokenResult) -> dict[str, str | int]:
    scope = {} if result.scope is None else {"scope": result.scope}
    return {
        "token_type": "Bearer",
        **scope,
        "expires_in": result.expires_in,
        "ext_expires_in": result.expires_in,
        "access_token": result.access_token.reveal(),
    }


def _client_credential(form: Mapping[str, str], authorization: str | None) -> ClientCredential:
    client_id, secret = form.get("client_id") or None, form.get("client_secret") or None
    if authorization is not None and authorization[:6].lower() == "basic ":
        basic_id, basic_secret = _read_basic(authorization[6:])
        if secret is not None or client_id not in (None, basic_id):
            raise OAuthError("request_malformed")
        client_id, secret = basic_id, basic_secret
    assertion = form.get("client_assertion") or None
    if secret is not None and assertion is not None:
        raise OAuthError("request_malformed")
    return ClientCredential(
        client_id=client_id,
        secret=None if secret is None else Secret(secret),
        assertion=None if assertion is None else Secret(assertion),
        assertion_type=form.get("client_assertion_type"),
    )


def _read_basic(encoded: str) -> tuple[str, str]:
    """Client id and secret of HTTP Basic; both are form-encoded in it (RFC 6749 §2.3.1)."""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise OAuthError("request_malformed") from error
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise OAuthError("request_malformed")
    if not secret:
        raise OAuthError("field_missing", parameter="client_secret")
    return unquote_plus(client_id), unquote_plus(secret)


def encode(document: object) -> bytes:
    """JSON bytes of an answer."""
    return msgspec.json.encode(document)
