"""What is told of an answered request: to the log, the metrics and the audit. Nothing in it opens anything."""

import msgspec

from vedette.api.exchange import Caller, Exchange
from vedette.api.faults import wire_code
from vedette.api.http import ApiResponse

SECRET_PARAMETERS = frozenset({"token"})
"""Parameters of paths that are a permission themselves: signed links."""

HIDDEN = "[redacted]"


class RequestRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One answered request. `error` is set if the server is at fault."""

    surface: str
    operation: str
    method: str
    path: str
    status: int
    seconds: float
    request_id: str
    correlation_id: str
    client_address: str
    tenant_id: str = ""
    app_id: str = ""
    object_id: str = ""
    is_user: bool = False
    permissions: tuple[str, ...] = ()
    token_id: str = ""
    uri: str = ""
    """The address as the client wrote it, query included."""
    response_size: int = 0
    error_code: str = ""
    error: Exception | None = None


def record_of(exchange: Exchange, response: ApiResponse, seconds: float) -> RequestRecord:
    """What is told of a request that was answered so."""
    route = exchange.match.route if exchange.match else None
    caller, path = exchange.caller, _path(exchange)
    return RequestRecord(
        surface=exchange.surface,
        operation=route.name if route else "",
        method=exchange.method,
        path=path,
        status=response.status,
        seconds=seconds,
        request_id=exchange.request_id,
        correlation_id=exchange.correlation_id,
        client_address=exchange.origin.client_address,
        tenant_id=caller.tenant.tenant_id if caller else "",
        app_id=caller.principal.app_id if caller else "",
        object_id=caller.principal.object_id if caller else "",
        is_user=caller is not None and caller.principal.kind == "user",
        permissions=_permissions(caller),
        token_id=caller.principal.token_id if caller else "",
        uri=f"{exchange.origin.base_url}{path}" + (f"?{exchange.query}" if exchange.query else ""),
        response_size=len(response.body),
        error_code=wire_code(response) if response.status >= 400 and response.body else "",
        error=exchange.error,
    )


def _path(exchange: Exchange) -> str:
    """The path, without what would let its reader in."""
    match = exchange.match
    if match is None:
        return ""
    path = match.path
    for name in SECRET_PARAMETERS & match.parameters.keys():
        path = path.replace(match.parameters[name], HIDDEN)
    return path


def _permissions(caller: Caller | None) -> tuple[str, ...]:
    if caller is None:
        return ()
    principal = caller.principal
    return tuple(sorted(principal.scopes if principal.kind == "user" else principal.roles))
