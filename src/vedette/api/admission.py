"""Everything between a matched request and its handler: ordered faults, token, permission, quota. Default closed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import cast

from vedette.api.auth import Administrators, Authenticator, Scrapers, require, scope_of
from vedette.api.exchange import Caller, Exchange
from vedette.api.fault_injection import Faults, raise_challenge, raise_fault
from vedette.api.gate import Gate
from vedette.api.http import ApiRequest, ApiResponse, AuthenticatedHandler, PublicHandler
from vedette.api.reception import ClientGoneError
from vedette.api.router import MY_ORGANIZATION, Route
from vedette.api.throttle import Throttle
from vedette.context import RequestContext
from vedette.errors import ApiError, NotFoundError, NotImplementedOperationError, UnauthenticatedError
from vedette.identity.errors import TokenError
from vedette.observability.logs import bound

UNTOUCHED = frozenset({"server"})
"""Surfaces that answer whatever happens to the state and whatever faults were ordered: probes and scrapers."""

_PUBLIC = frozenset({"none", "administrator", "scraper"})
"""Kinds of authentication after which a handler is told nothing of the caller."""


class Admission:
    """Decides who gets to a handler, and takes them there."""

    def __init__(
        self,
        authenticator: Authenticator,
        throttle: Throttle,
        faults: Faults,
        *,
        gate: Gate,
        administrators: Administrators | None,
        scrapers: Scrapers,
    ) -> None:
        """Without `administrators` there are none."""
        self._authenticator = authenticator
        self._throttle = throttle
        self._faults = faults
        self._gate = gate
        self._administrators = administrators
        self._scrapers = scrapers

    @contextmanager
    def unit(self, exchange: Exchange, route: Route) -> Iterator[None]:
        """Within one state of the server. Whoever was admitted in another one has to be admitted again."""
        self._strike(exchange, route)  # before: a slow answer keeps nobody from changing the state
        if route.document.surface in UNTOUCHED:
            yield
            return
        with self._gate.unit():
            if exchange.epoch != self._gate.epoch:
                exchange.epoch, exchange.admitted = self._gate.epoch, None
            yield

    def admit(self, exchange: Exchange, route: Route) -> None:
        """Let a request through, once. Raises what the client has to hear."""
        if exchange.fault is not None:
            self._meet_fault(exchange, route)
        match route.operation.authentication:
            case "administrator":
                self._admit_administrator(exchange, route)
            case "scraper":
                self._scrapers.admit(exchange.headers, exchange.origin.client_address)
            case "bearer" | "token" if exchange.admitted is None:
                self._admit_caller(exchange, route)

    def admit_inner(self, exchange: Exchange, route: Route) -> None:
        """As `admit`, of a request within another: its unit of work is that of the outer one."""
        self._strike(exchange, route)
        self.admit(exchange, route)

    def handle(self, exchange: Exchange, route: Route, request: ApiRequest) -> ApiResponse:
        """The handler's answer to a request that was admitted."""
        if route.handler is None:
            raise NotImplementedOperationError(operation=route.name)
        if route.operation.authentication in _PUBLIC:
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

    def _strike(self, exchange: Exchange, route: Route) -> None:
        """Settle which fault was ordered for this call, once. Administrators meet none: they have to clear them."""
        is_spared = route.operation.authentication == "administrator" or route.document.surface in UNTOUCHED
        if exchange.is_struck or is_spared:
            return
        exchange.is_struck = True
        fault = exchange.fault = self._faults.pick(route.name)
        if fault is not None and fault.kind == "slow":
            time.sleep(fault.seconds)

    def _meet_fault(self, exchange: Exchange, route: Route) -> None:
        """Answer as was ordered. Whoever called is known all the same: it was their call that failed."""
        assert exchange.fault is not None
        try:
            raise_fault(exchange.fault)
        except ApiError:
            if route.operation.authentication in ("bearer", "token"):
                with suppress(ApiError, TokenError):
                    self._identify(exchange, route)
            raise

    def _admit_caller(self, exchange: Exchange, route: Route) -> None:
        operation = route.operation
        caller = self._identify(exchange, route)
        if (challenge := self._faults.challenge(route.name, caller.principal)) is not None:
            raise_challenge(challenge, caller.principal, exchange.origin.base_url)
        _require_own_organization(exchange, caller)
        if operation.authentication == "bearer":
            require(operation, caller.principal)
        exchange.usage = self._throttle.admit(caller.tenant.tenant_id, operation.quota, operation.handler)
        exchange.admitted = caller

    def _identify(self, exchange: Exchange, route: Route) -> Caller:
        """Who calls. Kept also if their token is genuine and no longer good, or good for something else."""
        try:
            caller = exchange.caller = Caller(*self._authenticator.verify(exchange.headers))
        except TokenError as error:
            holder = self._authenticator.holder(error)
            exchange.caller = None if holder is None else Caller(*holder)
            raise
        if caller.principal.audience not in route.document.audiences:
            raise UnauthenticatedError("TokenWrongAudience")
        return caller

    def _admit_administrator(self, exchange: Exchange, route: Route) -> None:
        if self._administrators is None:
            raise UnauthenticatedError
        if (named := self._administrators.admit(exchange.headers, route.document, route.operation)) is not None:
            exchange.caller = Caller(*named)


def _require_own_organization(exchange: Exchange, caller: Caller) -> None:
    """A path names no organization but the caller's own. Raises NotFoundError."""
    named = exchange.match.organization if exchange.match else None
    if named not in (None, MY_ORGANIZATION, caller.tenant.tenant_id, caller.tenant.domain.lower()):
        raise NotFoundError("RouteNotFound", path=exchange.match.path if exchange.match else "", segment=named)
