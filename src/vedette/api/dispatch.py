"""The ASGI application: where `async` ends. One request in, one answer out, handlers in worker threads."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import anyio
import msgspec
from anyio import to_thread

from vedette.api.admission import Admission
from vedette.api.asgi import Send, answer_lifespan, send_half, send_response
from vedette.api.auth import Administrators, Authenticator, Scrapers
from vedette.api.cross_origin import cross_origin_headers
from vedette.api.exchange import Exchange, Scope, begin, correlation_id, request_of, with_request_ids
from vedette.api.fault_injection import Faults
from vedette.api.faults import FaultContext, is_expected, render_fault
from vedette.api.gate import Gate, OpenGate
from vedette.api.hosts import Origin
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.inner_calls import InnerRequest
from vedette.api.pools import PoolSizes, WorkerPools
from vedette.api.reception import ClientGoneError, Receive, read_body, spool_body
from vedette.api.records import RequestRecord, record_of
from vedette.api.router import Match, Route, Router, first_segment, split_path
from vedette.api.throttle import Throttle
from vedette.clock import Clock
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError
from vedette.ids import Ids

CLIENT_GONE = 499
"""Status under which a request without an answer is reported."""

STOP_INTERVAL = 0.1
"""Seconds between attempts to stop the query of a client that has gone."""


class DispatchSettings(msgspec.Struct, frozen=True):
    """What the composition root decides about serving."""

    spool_folder: Path
    behind_proxy: bool = False
    hunting_threads: int = os.cpu_count() or 1
    crypto_threads: int = os.cpu_count() or 1
    body_silence: float = 60.0
    """Seconds in which a client may send nothing of a body that it began."""


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
        scrapers: Scrapers | None = None,
    ) -> None:
        """`observers` see every answered request; `on_disconnect` is to stop the query of a client that has gone.

        Requests are let through `gate`, one unit of work each. Without `administrators` or `scrapers` there are none.
        """
        self._router = router
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._observers = tuple(observers)
        self._on_disconnect = on_disconnect
        self._admission = Admission(
            authenticator,
            throttle,
            faults,
            gate=gate or OpenGate(),
            administrators=administrators,
            scrapers=scrapers or Scrapers(),
        )
        self._pools = WorkerPools(PoolSizes(settings.hunting_threads, settings.crypto_threads))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        exchange = begin(scope, self._ids.guid(), behind_proxy=self._settings.behind_proxy)
        try:
            response = await self._respond(exchange, scope, receive)
        except ClientGoneError:
            self._observe(exchange, ApiResponse(CLIENT_GONE), started)
            return
        except Exception as error:  # noqa: BLE001 — the edge: every error becomes an answer
            response = self._refuse(exchange, error)
        response = self._for_pages(exchange, with_request_ids(response, exchange))
        self._observe(exchange, response, started)
        if exchange.fault is not None and exchange.fault.kind == "cut-off":
            await send_half(send, response)
        else:
            await send_response(send, response, without_body=exchange.method == "HEAD")

    async def _respond(self, exchange: Exchange, scope: Scope, receive: Receive) -> ApiResponse:
        path = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
        match = self._match(exchange, path)
        if match.route is None:
            return ApiResponse(204, headers={"allow": ", ".join(match.allowed)})
        if match.route.operation.body == "file":
            return await self._respond_with_file(exchange, match.route, receive)
        body = await read_body(receive, match.route.operation, exchange.headers, self._settings.body_silence)
        exchange.owes_body = False
        return await self._run(exchange, match.route, request_of(exchange, match, body), receive)

    def _match(self, exchange: Exchange, path: bytes) -> Match:
        """The operation that is asked for. Whose errors are to be answered is known before what is wrong is found."""
        exchange.surface = self._router.surface(exchange.origin.host, first_segment(path)) or ""
        match = exchange.match = self._router.match(exchange.surface, exchange.method, split_path(path))
        return match

    async def _respond_with_file(self, exchange: Exchange, route: Route, receive: Receive) -> ApiResponse:
        # Who may not write gets no room on the disk: the caller is checked before the body is taken.
        await self._admit_first(exchange, route)
        silence, folder = self._settings.body_silence, self._settings.spool_folder
        path = await spool_body(receive, route.operation, exchange.headers, silence, folder)
        exchange.owes_body = False
        try:
            request = request_of(exchange, cast(Match, exchange.match), b"", path)
            return await self._run(exchange, route, request, receive)
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(lambda: path.unlink(missing_ok=True))

    async def _run(self, exchange: Exchange, route: Route, request: ApiRequest, receive: Receive) -> ApiResponse:
        def handle() -> ApiResponse:
            with self._admission.unit(exchange, route):
                self._admission.admit(exchange, route)
                return self._admission.handle(exchange, route, request)

        limiter, is_whole = route.operation.limiter, route.operation.body == "bytes"
        if limiter == "hunting":
            await self._admit_first(exchange, route)  # a refusal does not queue behind other people's queries
            if is_whole:
                return await self._run_watched(handle, exchange, route, receive)
        if limiter == "crypto" and is_whole:
            return await self._pools.run_short(handle)
        return await self._pools.run(handle, limiter)

    async def _admit_first(self, exchange: Exchange, route: Route) -> None:
        def admit() -> None:
            with self._admission.unit(exchange, route):
                self._admission.admit(exchange, route)

        await self._pools.check(admit)

    async def _run_watched(
        self, handle: Callable[[], ApiResponse], exchange: Exchange, route: Route, receive: Receive
    ) -> ApiResponse:
        """Run a query; if its client goes away, have it stopped and wait until it has ended."""
        outcome: ApiResponse | Exception
        async with anyio.create_task_group() as group:
            group.start_soon(self._stop_if_abandoned, exchange, receive)
            try:
                outcome = await self._pools.run(handle, route.operation.limiter)
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

    def serve_inner(self, outer: ApiRequest, inner: InnerRequest) -> ApiResponse:
        """Answer a request that came within another, in the thread and under the token of that one."""
        started = time.perf_counter()
        scheme, _, host = outer.base_url.partition("://")
        path, _, query = inner.target.partition("?")
        headers = {**inner.headers, "host": host, "authorization": outer.headers.get("authorization", "")}
        request_id, origin = self._ids.guid(), Origin(scheme, host, outer.client_address)
        name = correlation_id(headers) or outer.correlation_id or request_id
        exchange = Exchange(inner.method, headers, origin, query, request_id, name)
        try:
            response = self._respond_inner(exchange, path, inner.body)
        except Exception as error:  # noqa: BLE001 — as at the edge: every error becomes an answer
            response = self._refuse(exchange, error)
        response = with_request_ids(response, exchange)
        self._observe(exchange, response, started)
        return response

    def _respond_inner(self, exchange: Exchange, path: str, body: bytes) -> ApiResponse:
        match = self._match(exchange, path.encode())
        if match.route is None or match.route.operation.body == "file":
            raise InvalidRequestError("BatchStepInvalid", id=path)
        self._admission.admit_inner(exchange, match.route)
        return self._admission.handle(exchange, match.route, request_of(exchange, match, body))

    def _refuse(self, exchange: Exchange, error: Exception) -> ApiResponse:
        """The surface's answer to an error; one that is ours is reported."""
        if not is_expected(error):
            exchange.error = error
        context = FaultContext(
            surface=exchange.surface,
            request_id=exchange.request_id,
            correlation_id=exchange.correlation_id,
            now=self._clock.time(),
            base_url=exchange.origin.base_url,
        )
        return render_fault(error, context)

    def _for_pages(self, exchange: Exchange, response: ApiResponse) -> ApiResponse:
        """The answer with what a browser has to be told, where pages of other origins may ask."""
        if not self._router.is_cross_origin(exchange.surface):
            return response
        allowed = exchange.match.allowed if exchange.match else ()
        cross = cross_origin_headers(exchange.headers, allowed)
        return msgspec.structs.replace(response, headers={**response.headers, **cross}) if cross else response

    def _observe(self, exchange: Exchange, response: ApiResponse, started: float) -> None:
        record = record_of(exchange, response, time.perf_counter() - started)
        for observe in self._observers:
            observe(record)
