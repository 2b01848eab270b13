"""The ASGI application: where `async` ends. One request in, one answer out, handlers in worker threads.

Three pools of threads keep the kinds of work apart: a rush of hunting queries cannot starve token requests.
"""

import asyncio
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

import anyio
import msgspec
from anyio import CapacityLimiter, to_thread

from vedette.api.auth import Administrators, Authenticator, require, scope_of
from vedette.api.cross_origin import cross_origin_headers
from vedette.api.fault_injection import Faults, InjectedFault, raise_challenge, raise_fault
from vedette.api.faults import FaultContext, is_expected, render_fault, wire_code
from vedette.api.gate import Gate, OpenGate
from vedette.api.hosts import Origin, read_origin
from vedette.api.http import ApiRequest, ApiResponse, AuthenticatedHandler, PublicHandler
from vedette.api.inner_calls import InnerRequest
from vedette.api.reception import ClientGoneError, Receive, read_body, spool_body
from vedette.api.router import Match, Route, Router, split_path
from vedette.api.throttle import Throttle, Usage, usage_headers
from vedette.clock import Clock
from vedette.context import Principal, RequestContext, Tenant
from vedette.contracts.operations import Limiter
from vedette.errors import InvalidRequestError, NotImplementedOperationError, UnauthenticatedError
from vedette.ids import Ids
from vedette.observability.logs import bound

CLIENT_GONE = 499
"""Status under which a request without an answer is reported."""

CONTROL_THREADS = 40
STOP_INTERVAL = 0.1
"""Seconds between attempts to stop the query of a client that has gone."""

UNGATED = frozenset({"server"})
"""Surfaces that answer whatever happens to the state: probes and scrapers."""

_CORRELATION_ID = re.compile(r"[\x21-\x7e]{1,128}")

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Any]


class RequestRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One answered request, for logs, metrics and audit. `error` is set if the server is at fault."""

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


class DispatchSettings(msgspec.Struct, frozen=True):
    """What the composition root decides about serving."""

    spool_folder: Path
    behind_proxy: bool = False
    hunting_threads: int = os.cpu_count() or 1
    crypto_threads: int = os.cpu_count() or 1


class Caller(msgspec.Struct, frozen=True):
    """A verified caller."""

    principal: Principal
    tenant: Tenant


class Exchange(msgspec.Struct):
    """A request on its way through: what is known so far, for whoever has to answer or to report."""

    method: str
    headers: Mapping[str, str]
    origin: Origin
    query: str
    request_id: str
    correlation_id: str
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


class Dispatcher:
    """The ASGI callable."""

    def __init__(
        self,
        router: Router,
        authenticator: Authenticator,
        throttle: Throttle,
        *,
        settings: DispatchSettings,
        clock: Clock,
        ids: Ids,
        faults: Faults,
        observers: Sequence[Callable[[RequestRecord], None]] = (),
        on_disconnect: Callable[[RequestContext], object] = lambda _context: None,
        gate: Gate | None = None,
        administrators: Administrators | None = None,
    ) -> None:
        """`observers` see every answered request; `on_disconnect` is to stop the query of a client that has gone.

        Requests are let through `gate`, one unit of work each. Without `administrators` there are none.
        """
        self._router = router
        self._authenticator = authenticator
        self._throttle = throttle
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._faults = faults
        self._observers = tuple(observers)
        self._on_disconnect = on_disconnect
        self._gate = gate or OpenGate()
        self._administrators = administrators
        self._limiters: dict[Limiter, CapacityLimiter] | None = None
        self._crypto = ThreadPoolExecutor(settings.crypto_threads, "crypto")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _answer_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        exchange = self._begin(scope)
        try:
            response = await self._respond(exchange, scope, receive)
        except ClientGoneError:
            self._observe(exchange, ApiResponse(CLIENT_GONE), time.perf_counter() - started)
            return
        except Exception as error:  # noqa: BLE001 — the edge: every error becomes an answer
            if not is_expected(error):
                exchange.error = error
            response = render_fault(error, self._fault_context(exchange))
        response = _with_request_ids(response, exchange)
        if self._router.is_cross_origin(exchange.surface):
            allowed = exchange.match.allowed if exchange.match else ()
            cross = cross_origin_headers(exchange.headers, allowed)
            response = msgspec.structs.replace(response, headers={**response.headers, **cross}) if cross else response
        self._observe(exchange, response, time.perf_counter() - started)
        if exchange.fault is not None and exchange.fault.kind == "cut-off":
            await _send_half(send, response)
            return
        await _send(send, response, without_body=exchange.method == "HEAD")

    def _begin(self, scope: Scope) -> Exchange:
        headers = _headers(scope["headers"])
        client = scope.get("client")
        origin = read_origin(
            scope.get("scheme", "http"),
            headers,
            client[0] if client else "",
            behind_proxy=self._settings.behind_proxy,
        )
        request_id = self._ids.guid()
        correlation_id = headers.get("client-request-id", "")
        if not _CORRELATION_ID.fullmatch(correlation_id):
            correlation_id = request_id
        query = scope.get("query_string", b"").decode("latin-1")
        return Exchange(scope["method"], headers, origin, query, request_id, correlation_id)

    async def _respond(self, exchange: Exchange, scope: Scope, receive: Receive) -> ApiResponse:
        raw_path = scope.get("raw_path") or scope["path"].encode()
        segments = split_path(raw_path.partition(b"?")[0])
        surface = self._router.surface(exchange.origin.host, segments)
        exchange.surface = surface or ""
        match = exchange.match = self._router.match(surface, exchange.method, segments)
        if match.route is None:
            return ApiResponse(204, headers={"allow": ", ".join(match.allowed)})
        if match.route.operation.body == "file":
            return await self._respond_with_file(exchange, match.route, receive)
        body = await read_body(receive, match.route.operation, exchange.headers.get("content-length"))
        request = self._request(exchange, match, body)
        return await self._run(exchange, match.route, request, receive)

    async def _respond_with_file(self, exchange: Exchange, route: Route, receive: Receive) -> ApiResponse:
        # Who may not write gets no room on the disk: the caller is checked before the body is taken.
        await self._admit_first(exchange, route)
        length = exchange.headers.get("content-length")
        path = await spool_body(receive, route.operation, length, self._settings.spool_folder)
        try:
            request = self._request(exchange, cast(Match, exchange.match), b"", path)
            return await self._run(exchange, route, request, receive)
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(lambda: path.unlink(missing_ok=True))

    async def _run(self, exchange: Exchange, route: Route, request: ApiRequest, receive: Receive) -> ApiResponse:
        def handle() -> ApiResponse:
            self._strike(exchange, route)
            with self._unit(exchange, route):
                self._admit(exchange, route)
                return self._handle(exchange, route, request)

        limiter = self._limiter(route.operation.limiter)
        if route.operation.limiter == "hunting":
            await self._admit_first(exchange, route)  # a refusal does not queue behind other people's queries
            if route.operation.body == "bytes":
                return await self._run_watched(handle, exchange, limiter, receive)
        if route.operation.limiter == "crypto" and route.operation.body == "bytes":
            # Many and short: half the price of a thread of anyio's; one that nobody waits for any more just ends.
            return await asyncio.get_running_loop().run_in_executor(self._crypto, handle)
        return await to_thread.run_sync(handle, limiter=limiter)

    async def _admit_first(self, exchange: Exchange, route: Route) -> None:
        def admit() -> None:
            self._strike(exchange, route)
            with self._unit(exchange, route):
                self._admit(exchange, route)

        await to_thread.run_sync(admit, limiter=self._limiter("control"))

    @contextmanager
    def _unit(self, exchange: Exchange, route: Route) -> Iterator[None]:
        """Within one state of the server. Whoever was admitted in another one has to be admitted again."""
        if route.document.surface in UNGATED:
            yield
            return
        with self._gate.unit():
            if exchange.epoch != self._gate.epoch:
                exchange.epoch, exchange.admitted = self._gate.epoch, None
            yield

    async def _run_watched(
        self, handle: Callable[[], ApiResponse], exchange: Exchange, limiter: CapacityLimiter, receive: Receive
    ) -> ApiResponse:
        """Run a query; if its client goes away, have it stopped and wait until it has ended."""
        outcome: ApiResponse | Exception
        async with anyio.create_task_group() as group:
            group.start_soon(self._stop_if_abandoned, exchange, receive)
            try:
                outcome = await to_thread.run_sync(handle, limiter=limiter)
            except Exception as error:  # noqa: BLE001 — leaves the group as itself, not in an ExceptionGroup
                outcome = error
            group.cancel_scope.cancel()
        if exchange.is_abandoned:
            raise ClientGoneError
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _stop_if_abandoned(self, exchange: Exchange, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        exchange.is_abandoned = True
        while True:  # the query may not have reached the engine yet; ends with the query, by cancellation
            if exchange.context is not None:
                await to_thread.run_sync(self._on_disconnect, exchange.context)
            await anyio.sleep(STOP_INTERVAL)

    def _strike(self, exchange: Exchange, route: Route) -> None:
        """The fault that was ordered for this call, once. Administrators meet none: they have to clear them."""
        if exchange.is_struck or route.operation.authentication == "administrator":
            return
        exchange.is_struck = True
        fault = exchange.fault = self._faults.pick(route.name)
        if fault is None:
            return
        raise_fault(fault)
        if fault.kind == "slow":
            time.sleep(fault.seconds)

    def _admit(self, exchange: Exchange, route: Route) -> None:
        """Everything between a matched request and its handler, once. Raises what the client has to hear."""
        operation = route.operation
        if operation.authentication == "administrator":
            self._admit_administrator(exchange, route)
            return
        if operation.authentication == "none" or exchange.admitted is not None:
            return
        principal, tenant = self._authenticator.authenticate(exchange.headers, route.document)
        caller = exchange.caller = Caller(principal, tenant)
        if (challenge := self._faults.challenge(route.name, principal)) is not None:
            raise_challenge(challenge, principal, exchange.origin.base_url)
        if operation.authentication == "bearer":
            require(operation, principal)
        exchange.usage = self._throttle.admit(tenant.tenant_id, operation.quota)
        exchange.admitted = caller

    def _admit_administrator(self, exchange: Exchange, route: Route) -> None:
        if self._administrators is None:
            raise UnauthenticatedError
        if (named := self._administrators.admit(exchange.headers, route.document, route.operation)) is not None:
            exchange.caller = Caller(*named)

    def _handle(self, exchange: Exchange, route: Route, request: ApiRequest) -> ApiResponse:
        if route.handler is None:
            raise NotImplementedOperationError(operation=route.name)
        if route.operation.authentication in ("none", "administrator"):
            return cast(PublicHandler, route.handler)(request)
        if (caller := exchange.admitted) is None:
            raise UnauthenticatedError
        if exchange.is_abandoned:
            raise ClientGoneError
        context = exchange.context = RequestContext(
            tenant=caller.tenant,
            principal=caller.principal,
            request_id=exchange.request_id,
            correlation_id=exchange.correlation_id,
            base_url=exchange.origin.base_url,
            scope=scope_of(route.operation, caller.principal),
            quota=route.operation.quota,
        )
        with bound(
            request_id=exchange.request_id,
            tenant=caller.tenant.tenant_id,
            application=caller.principal.app_id,
        ):
            return cast(AuthenticatedHandler, route.handler)(context, request)

    def _request(self, exchange: Exchange, match: Match, body: bytes, file: Path | None = None) -> ApiRequest:
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

    def serve_inner(self, outer: ApiRequest, inner: InnerRequest) -> ApiResponse:
        """Answer a request that came within another, in the thread and under the token of that one."""
        started = time.perf_counter()
        scheme, _, host = outer.base_url.partition("://")
        path, _, query = inner.target.partition("?")
        headers = {**inner.headers, "host": host, "authorization": outer.headers.get("authorization", "")}
        request_id, origin = self._ids.guid(), Origin(scheme, host, outer.client_address)
        exchange = Exchange(inner.method, headers, origin, query, request_id, outer.correlation_id or request_id)
        try:
            response = self._respond_inner(exchange, path, inner.body)
        except Exception as error:  # noqa: BLE001 — as at the edge: every error becomes an answer
            if not is_expected(error):
                exchange.error = error
            response = render_fault(error, self._fault_context(exchange))
        response = _with_request_ids(response, exchange)
        self._observe(exchange, response, time.perf_counter() - started)
        return response

    def _respond_inner(self, exchange: Exchange, path: str, body: bytes) -> ApiResponse:
        segments = split_path(path.encode())
        surface = self._router.surface(exchange.origin.host, segments)
        exchange.surface = surface or ""
        match = exchange.match = self._router.match(surface, exchange.method, segments)
        if match.route is None or match.route.operation.body == "file":
            raise InvalidRequestError("BatchStepInvalid", id=path)
        self._strike(exchange, match.route)
        self._admit(exchange, match.route)
        return self._handle(exchange, match.route, self._request(exchange, match, body))

    def _limiter(self, name: Limiter) -> CapacityLimiter:
        if self._limiters is None:  # made inside the event loop they belong to
            self._limiters = {
                "control": CapacityLimiter(CONTROL_THREADS),
                "hunting": CapacityLimiter(self._settings.hunting_threads),
                "crypto": CapacityLimiter(self._settings.crypto_threads),
            }
        return self._limiters[name]

    def _fault_context(self, exchange: Exchange) -> FaultContext:
        return FaultContext(
            surface=exchange.surface,
            request_id=exchange.request_id,
            correlation_id=exchange.correlation_id,
            now=self._clock.time(),
            base_url=exchange.origin.base_url,
        )

    def _observe(self, exchange: Exchange, response: ApiResponse, seconds: float) -> None:
        route = exchange.match.route if exchange.match else None
        caller = exchange.caller
        record = RequestRecord(
            surface=exchange.surface,
            operation=route.name if route else "",
            method=exchange.method,
            path=exchange.match.path if exchange.match else "",
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
            uri=_uri(exchange),
            response_size=len(response.body),
            error_code=wire_code(response) if response.status >= 400 and response.body else "",
            error=exchange.error,
        )
        for observe in self._observers:
            observe(record)


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Headers by lower-case name. HTTP/2 may send each cookie in a field of its own (RFC 9113 §8.2.3)."""
    headers: dict[str, str] = {}
    for name, value in ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw):
        headers[name] = f"{headers[name]}; {value}" if name == "cookie" and name in headers else value
    return headers


def _permissions(caller: Caller | None) -> tuple[str, ...]:
    if caller is None:
        return ()
    principal = caller.principal
    return tuple(sorted(principal.scopes if principal.kind == "user" else principal.roles))


def _uri(exchange: Exchange) -> str:
    path = exchange.match.path if exchange.match else ""
    return f"{exchange.origin.base_url}{path}" + (f"?{exchange.query}" if exchange.query else "")


def _with_request_ids(response: ApiResponse, exchange: Exchange) -> ApiResponse:
    headers = {
        "request-id": exchange.request_id,
        "client-request-id": exchange.correlation_id,
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        **usage_headers(exchange.usage),
        **response.headers,
    }
    return msgspec.structs.replace(response, headers=headers)


async def _send_half(send: Send, response: ApiResponse) -> None:
    """An answer that ends in the middle: the server closes the connection because the rest never comes."""
    await _send(send, response, without_body=False, until=len(response.body) // 2)


async def _send(send: Send, response: ApiResponse, *, without_body: bool, until: int | None = None) -> None:
    headers = [(_header_name(name), value.encode("latin-1")) for name, value in response.headers.items()]
    if response.status != 204:
        headers.append((b"content-type", response.media_type.encode("latin-1")))
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if without_body else response.body[:until]})


@cache
def _header_name(name: str) -> bytes:
    """On the wire; names are ours, so there are few."""
    return name.lower().encode("latin-1")


async def _answer_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
