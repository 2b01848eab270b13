"""From errors to answers: the only place where an exception becomes a status and a body.

Codes and fields come from the error, wording from `contracts/data/faults`. An error without a record is a defect: the
client learns a request id and nothing else.
"""

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from vedette.api.http import ApiResponse
from vedette.api.query_errors import RefusedQueryError, documented_message, plain_message
from vedette.contracts.faults import SHARED, FaultContract, load_faults
from vedette.errors import ApiError
from vedette.identity import errors as identity
from vedette.kql.errors import Diagnostic, KqlError


class FaultContext(msgspec.Struct, frozen=True):
    """What of the request goes into an error's answer."""

    surface: str
    request_id: str
    correlation_id: str
    now: float
    base_url: str


class FaultDetail(msgspec.Struct, frozen=True):
    """One of several things that are wrong."""

    code: str
    message: str
    target: str


class Fault(msgspec.Struct, frozen=True):
    """An error made out: the key of its record, the fields of its text, and perhaps details."""

    key: str
    fields: Mapping[str, object]
    details: tuple[FaultDetail, ...] = ()


FaultBody = Callable[[str, str, Fault, FaultContext], object]
"""Makes a surface's error body of wire code, message, fault and context."""

UNEXPECTED = "InternalServerError"
CLAIMS_CHALLENGE = "ClaimsChallenge"
"""The one refusal of a token whose header every surface words alike: clients read what to ask for from it."""

_KEYS: Mapping[type[Exception], str] = {
    identity.MalformedTokenError: "TokenMalformed",
    identity.BadSignatureError: "TokenNotTrusted",
    identity.WrongIssuerError: "TokenNotTrusted",
    identity.WrongAudienceError: "TokenWrongAudience",
    identity.ExpiredTokenError: "TokenExpired",
    identity.NotYetValidError: "TokenNotYetValid",
    identity.RevokedTokenError: "TokenRevoked",
    identity.TokenError: "Unauthorized",
    identity.ObjectNotFoundError: "ObjectNotFound",
    identity.AssignmentExistsError: "AssignmentExists",
    identity.GrantExistsError: "GrantExists",
    identity.ObjectExistsError: "ObjectExists",
    identity.UnknownPermissionError: "UnknownPermission",
    identity.InvalidValueError: "InvalidDirectoryValue",
}
"""Errors of lower packages that carry no code of their own."""

_DEFECTS = frozenset({UNEXPECTED, "QueryFailed"})


def is_expected(error: Exception) -> bool:
    """Whether `error` is an answer to the client rather than a defect of the server."""
    if isinstance(error, ApiError):
        return error.code not in _DEFECTS
    return isinstance(error, KqlError) or _known(error) is not None


def render_fault(error: Exception, context: FaultContext) -> ApiResponse:
    """The surface's answer to `error`."""
    try:
        return _render(_make_out(error, context), context)
    except KeyError:  # whoever raised it left out a field of its text
        return _render(_unexpected(context), context)


def _render(fault: Fault, context: FaultContext) -> ApiResponse:
    record = _records(context.surface)[fault.key]
    body = _BODIES.get(context.surface, _plain_body)
    message = record.message.format_map(fault.fields)
    return ApiResponse(
        status=record.status,
        body=msgspec.json.encode(body(record.code, message, fault, context)),
        headers=_headers(record, fault, context),
    )


def error_sentence(error: ApiError) -> str:
    """What an error says, for people at a command line."""
    record = load_faults(SHARED).get(error.code)
    return error.code if record is None else record.message.format_map(error.fields)


def wire_code(response: ApiResponse) -> str:
    """The error code in an answer made here, for logs and metrics."""
    if not response.media_type.startswith("application/json"):
        return ""
    error: Any = msgspec.json.decode(response.body).get("error", {})
    return str(error.get("code", "")) if isinstance(error, dict) else str(error)


def _records(surface: str) -> Mapping[str, FaultContract]:
    return load_faults(surface if surface in _BODIES else SHARED)


def _make_out(error: Exception, context: FaultContext) -> Fault:
    if isinstance(error, KqlError):
        return _kql_fault(error)
    if isinstance(error, ApiError):
        return Fault(error.code, error.fields) if error.code in _records(context.surface) else _unexpected(context)
    key = _known(error)
    if key is None:
        return _unexpected(context)
    fields = {"kind": error.kind, "key": error.key} if isinstance(error, identity.DirectoryError) else {}
    return Fault(key, fields)


def _known(error: Exception) -> str | None:
    return next((key for type_, key in _KEYS.items() if isinstance(error, type_)), None)


def _unexpected(context: FaultContext) -> Fault:
    return Fault(UNEXPECTED, {"request_id": context.request_id})


def _kql_fault(error: KqlError) -> Fault:
    message = documented_message(error) if isinstance(error, RefusedQueryError) else plain_message(error.diagnostics[0])
    return Fault("QueryInvalid", {"message": message}, tuple(_detail(diagnostic) for diagnostic in error.diagnostics))


def _detail(diagnostic: Diagnostic) -> FaultDetail:
    return FaultDetail(diagnostic.code, diagnostic.message, f"{diagnostic.line}:{diagnostic.column}")


def _headers(record: FaultContract, fault: Fault, context: FaultContext) -> Mapping[str, str]:
    headers = {name: text.format_map(fault.fields) for name, text in record.headers.items()}
    if record.status == 401 and context.surface == "graph" and fault.key != CLAIMS_CHALLENGE:
        headers["www-authenticate"] = f'Bearer realm="", authorization_uri="{context.base_url}/common/oauth2/authorize"'
    return headers


def _graph_body(code: str, message: str, fault: Fault, context: FaultContext) -> object:
    moment = datetime.datetime.fromtimestamp(context.now, datetime.UTC)
    inner = {
        "date": f"{moment:%Y-%m-%dT%H:%M:%S}",
        "request-id": context.request_id,
        "client-request-id": context.correlation_id,
    }
    details = {"details": fault.details} if fault.details else {}
    return {"error": {"code": code, "message": message, **details, "innerError": inner}}


def _defender_body(code: str, message: str, _fault: Fault, context: FaultContext) -> object:
    return {"error": {"code": code, "message": message, "target": context.request_id}}


def _plain_body(code: str, message: str, fault: Fault, context: FaultContext) -> object:
    details = {"details": fault.details} if fault.details else {}
    return {"error": {"code": code, "message": message, **details, "requestId": context.request_id}}


_BODIES: Mapping[str, FaultBody] = {"graph": _graph_body, "defender": _defender_body}
