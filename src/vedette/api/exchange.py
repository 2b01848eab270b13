"""A request on its way through: what is known of it so far, for whoever has to answer or to report."""

import re
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import msgspec

from vedette.api.fault_injection import InjectedFault
from vedette.api.hosts import Origin, read_origin
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.router import Match
from vedette.api.throttle import Usage, usage_headers
from vedette.context import Principal, RequestContext, Tenant

Scope = MutableMapping[str, Any]

_CORRELATION_ID = re.compile(r"[\x21-\x7e]{1,128}")


class Caller(msgspec.Struct, frozen=True):
    """A verified caller."""

    principal: Principal
    tenant: Tenant


class Exchange(msgspec.Struct):
    """One request. The fields below `correlation_id` are filled in on its way."""

    method: str
    headers: Mapping[str, str]
    origin: Origin
    query: str
    request_id: str
    correlation_id: str
    owes_body: bool = False
    """Whether a body is still to come, over a connection that carries one request after the other."""
    surface: str = ""
    match: Match | None = None
    caller: Caller | None = None
    """Who sent it, also if they may not."""
    admitted: Caller | None = None
    """Who sent it, once they have been found to be allowed to."""
    epoch: int = 0
    """Of the state in which they were."""
    is_struck: bool = False
    """Whether it is settled which fault, if any, it meets."""
    context: RequestContext | None = None
    is_abandoned: bool = False
    usage: Usage | None = None
    fault: InjectedFault | None = None
    error: Exception | None = None


def begin(scope: Scope, request_id: str, *, behind_proxy: bool) -> Exchange:
    """The exchange of a request that has just come."""
    headers = _headers(scope["headers"])
    client = scope.get("client")
    address = client[0] if client else ""
    origin = read_origin(scope.get("scheme", "http"), headers, address, behind_proxy=behind_proxy)
    query = scope.get("query_string", b"").decode("latin-1")
    name = correlation_id(headers) or request_id
    owes_body = scope.get("http_version", "1.1").startswith("1") and _has_body(headers)
    return Exchange(scope["method"], headers, origin, query, request_id, name, owes_body)


def correlation_id(headers: Mapping[str, str]) -> str:
    """What the client calls its request, if that can be written in a header; else nothing."""
    wanted = headers.get("client-request-id", "")
    return wanted if _CORRELATION_ID.fullmatch(wanted) else ""


def request_of(exchange: Exchange, match: Match, body: bytes, file: Path | None = None) -> ApiRequest:
    """The request as handlers take it."""
    return ApiRequest(
        method=exchange.method,
        path=match.path,
        path_parameters=match.parameters,
        query=exchange.query,
        headers=exchange.headers,
        body=body,
        base_url=exchange.origin.base_url,
        client_address=exchange.origin.client_address,
        request_id=exchange.request_id,
        correlation_id=exchange.correlation_id,
        body_file=file,
    )


def with_request_ids(response: ApiResponse, exchange: Exchange) -> ApiResponse:
    """The answer with the headers that every answer has."""
    headers = {
        "request-id": exchange.request_id,
        "client-request-id": exchange.correlation_id,
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        **usage_headers(exchange.usage),
        **response.headers,
    }
    if exchange.owes_body:  # nobody reads the rest: the connection ends, and its client has to know (RFC 9112 §9.6)
        headers["connection"] = "close"
    return msgspec.structs.replace(response, headers=headers)


def _has_body(headers: Mapping[str, str]) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Headers by lower-case name. HTTP/2 may send each cookie in a field of its own (RFC 9113 §8.2.3)."""
    headers: dict[str, str] = {}
    for name, value in ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw):
        headers[name] = f"{headers[name]}; {value}" if name == "cookie" and name in headers else value
    return headers
