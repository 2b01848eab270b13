"""Refusals of the login service on the wire: status, JSON body, trace and correlation ids."""

import datetime

import msgspec

from vedette.api.http import ApiRequest, ApiResponse
from vedette.contracts.login_faults import LoginFaultContract, login_faults_by_key
from vedette.identity.errors import OAuthError
from vedette.ids import is_guid

NO_STORE = {"cache-control": "no-store, no-cache", "pragma": "no-cache"}
SERVER_NAME = "vedette"


class Trace(msgspec.Struct, frozen=True):
    """The ids of one exchange: ours, and the caller's, for which ours stands in."""

    trace_id: str
    correlation_id: str
    echo: bool
    """Whether the caller wants its id back in a header."""

    @classmethod
    def of(cls, request: ApiRequest) -> "Trace":
        """The ids of `request`; only a GUID is taken from the caller."""
        headers = request.headers
        sent = headers.get("client-request-id") or headers.get("x-ms-client-request-id") or ""
        return cls(
            trace_id=request.request_id,
            correlation_id=sent.lower() if is_guid(sent) else request.request_id,
            echo=headers.get("return-client-request-id", "").lower() == "true",
        )

    def headers(self, aadsts: int = 0) -> dict[str, str]:
        """Answer headers that name the exchange."""
        named = {
            "x-ms-request-id": self.trace_id,
            "x-ms-ests-server": SERVER_NAME,
            "x-ms-clitelem": f"1,{aadsts},0,,",
        }
        return named | ({"client-request-id": self.correlation_id} if self.echo else {})


class LoginErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The error object of the token and discovery endpoints."""

    error: str
    error_description: str
    error_codes: tuple[int, ...]
    timestamp: str
    trace_id: str
    correlation_id: str
    error_uri: str | None = None
    suberror: str | None = None


def login_error(error: OAuthError, request: ApiRequest, trace: Trace, now: float, *, discovery: bool) -> ApiResponse:
    """The answer to a refused request. `discovery`: the endpoint is no token endpoint."""
    fault = login_faults_by_key()[error.key]
    timestamp = f"{datetime.datetime.fromtimestamp(int(now), datetime.UTC):%Y-%m-%d %H:%M:%SZ}"
    body = LoginErrorBody(
        error=_oauth_error(fault, error, discovery),
        error_description=_description(fault, error, trace, timestamp),
        error_codes=(fault.code,),
        timestamp=timestamp,
        trace_id=trace.trace_id,
        correlation_id=trace.correlation_id,
        error_uri=f"{request.base_url}/error?code={fault.code}" if fault.help_page else None,
        suberror=fault.suberror,
    )
    status = fault.status or 400
    headers = NO_STORE | trace.headers(fault.code) | _challenge(status, request)
    return ApiResponse(status, msgspec.json.encode(body), headers=headers)


def _oauth_error(fault: LoginFaultContract, error: OAuthError, discovery: bool) -> str:
    if discovery and fault.discovery_error is not None:
        return fault.discovery_error
    return error.oauth_error or fault.error


def fault_text(error: OAuthError) -> str:
    """What a refusal says, without number and ids."""
    return login_faults_by_key()[error.key].text.format(**error.fields)


def redirect_error(error: OAuthError, trace: Trace, now: float) -> dict[str, str]:
    """The parameters by which a refused authorization is told to the application (RFC 6749 §4.1.2.1)."""
    fault = login_faults_by_key()[error.key]
    timestamp = f"{datetime.datetime.fromtimestamp(int(now), datetime.UTC):%Y-%m-%d %H:%M:%SZ}"
    return {
        "error": error.oauth_error or fault.error,
        "error_description": _description(fault, error, trace, timestamp),
    }


def _description(fault: LoginFaultContract, error: OAuthError, trace: Trace, timestamp: str) -> str:
    text = fault_text(error)
    return (
        f"AADSTS{fault.code}: {text} Trace ID: {trace.trace_id} "
        f"Correlation ID: {trace.correlation_id} Timestamp: {timestamp}"
    )


def _challenge(status: int, request: ApiRequest) -> dict[str, str]:
    """RFC 6749 §5.2: a client that tried HTTP authentication is told the scheme again."""
    return {"www-authenticate": 'Basic realm="vedette"'} if status == 401 and "authorization" in request.headers else {}
