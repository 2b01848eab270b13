"""What the owner of an installation does to a running server: faults, clock, seeds, snapshots, quotas.

These concern all tenants. Who may call them is settled before (`api.auth.Administrators`).
"""

import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta

from vedette.api.bodies import read_object
from vedette.api.fault_injection import FaultKind, Faults, InjectedFault
from vedette.api.http import ApiRequest, ApiResponse, PublicHandler
from vedette.api.render import json_answer
from vedette.api.throttle import Throttle
from vedette.clock import Clock, from_ticks
from vedette.context import Tenant
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.ids import Ids
from vedette.odata.dates import parse_ticks
from vedette.odata.options import decode_query

MAXIMUM_FAULT_SECONDS = 600


class FaultBody(msgspec.Struct, frozen=True):
    """A fault to order."""

    kind: FaultKind
    operation: Annotated[str, Meta(min_length=1, max_length=128)] = "*"
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    count: Annotated[int, Meta(ge=1)] | None = None
    seconds: Annotated[float, Meta(ge=0, le=MAXIMUM_FAULT_SECONDS)] = 5.0


class ClockBody(msgspec.Struct, frozen=True):
    """The time to set the clock to."""

    now: str


class AdvanceBody(msgspec.Struct, frozen=True):
    """By how much to move the clock; backwards too."""

    seconds: float


class MovableClock(Protocol):
    """The server's clock. Moving raises ApiError where it is that of the system."""

    def time(self) -> float: ...

    def move(self, offset: float | None) -> float: ...

    def offset(self) -> float: ...


class Saved(Protocol):
    """A saved state."""

    name: str
    saved_at: float
    size: int


class State(Protocol):
    """The server's state as a whole: `server.live_state`."""

    def save(self, name: str) -> Any: ...

    def restore(self, name: str) -> None: ...

    def delete(self, name: str) -> None: ...

    def all(self) -> Sequence[Any]: ...

    def reset(self) -> None: ...


class Seeding(Protocol):
    """Makes what a document describes: `server.seed`."""

    def __call__(self, tenant: str | None, document: bytes) -> msgspec.Struct: ...


class AdministrationParts(msgspec.Struct, frozen=True):
    """What the handlers work with. `tenant` finds one by GUID or domain, the home tenant without either."""

    faults: Faults
    clock: Clock
    movable: MovableClock
    ids: Ids
    state: State
    seed: Seeding
    throttle: Throttle
    tenant: "TenantByName"


class TenantByName(Protocol):
    """Finds tenants."""

    def __call__(self, name: str | None, /) -> Tenant | None: ...


class AdministrationSurface:
    """Handlers of `operations/administration.toml`."""

    def __init__(self, parts: AdministrationParts) -> None:
        self._parts = parts

    def handlers(self) -> Mapping[str, PublicHandler]:
        """Handlers by operation handler name."""
        return {
            "list_faults": self.list_faults,
            "add_fault": self.add_fault,
            "remove_fault": self.remove_fault,
            "clear_faults": self.clear_faults,
            "get_clock": self.get_clock,
            "set_clock": self.set_clock,
            "advance_clock": self.advance_clock,
            "reset_clock": self.reset_clock,
            "seed": self.seed,
            "list_snapshots": self.list_snapshots,
            "save_snapshot": self.save_snapshot,
            "restore_snapshot": self.restore_snapshot,
            "delete_snapshot": self.delete_snapshot,
            "reset": self.reset,
            "get_usage": self.get_usage,
        }

    def list_faults(self, _request: ApiRequest) -> ApiResponse:
        """GET /vedette/v1/faults: every fault that was ordered, and how often it struck."""
        faults = self._parts.faults
        return json_answer({"faults": [_fault(each, faults.struck(each)) for each in faults.all()]})

    def add_fault(self, request: ApiRequest) -> ApiResponse:
        """POST /vedette/v1/faults."""
        body = read_object(request.body, FaultBody)
        fault = InjectedFault(
            id=self._parts.ids.guid()[:8],
            kind=body.kind,
            operation=body.operation,
            share=body.share,
            count=body.count,
            seconds=body.seconds,
            not_before=math.floor(self._parts.clock.time()) + 1,
        )
        self._parts.faults.add(fault)
        return json_answer(_fault(fault, 0), status=201)

    def remove_fault(self, request: ApiRequest) -> ApiResponse:
        """DELETE /vedette/v1/faults/{id}."""
        if not self._parts.faults.remove(request.path_parameters["id"]):
            raise NotFoundError("FaultNotFound", id=request.path_parameters["id"])
        return ApiResponse(204)

    def clear_faults(self, _request: ApiRequest) -> ApiResponse:
        """DELETE /vedette/v1/faults: no more of them."""
        self._parts.faults.clear()
        return ApiResponse(204)

    def get_clock(self, _request: ApiRequest) -> ApiResponse:
        """GET /vedette/v1/clock."""
        return self._clock_answer()

    def set_clock(self, request: ApiRequest) -> ApiResponse:
        """PUT /vedette/v1/clock: it goes on from there."""
        ticks = parse_ticks(read_object(request.body, ClockBody).now)
        if ticks is None:
            raise InvalidRequestError("InvalidBodyValue", property="now")
        clock = self._parts.movable
        clock.move(clock.offset() + from_ticks(ticks) - clock.time())
        return self._clock_answer()

    def advance_clock(self, request: ApiRequest) -> ApiResponse:
        """POST /vedette/v1/clock/advance."""
        seconds = read_object(request.body, AdvanceBody).seconds
        self._parts.movable.move(self._parts.movable.offset() + seconds)
        return self._clock_answer()

    def reset_clock(self, _request: ApiRequest) -> ApiResponse:
        """DELETE /vedette/v1/clock: the system's time again."""
        self._parts.movable.move(None)
        return self._clock_answer()

    def seed(self, request: ApiRequest) -> ApiResponse:
        """POST /vedette/v1/seed?tenant=…: JSON or YAML, all of it or nothing."""
        return json_answer(self._parts.seed(_tenant_name(request), request.body), status=201)

    def list_snapshots(self, _request: ApiRequest) -> ApiResponse:
        """GET /vedette/v1/snapshots."""
        return json_answer({"snapshots": [_snapshot(each) for each in self._parts.state.all()]})

    def save_snapshot(self, request: ApiRequest) -> ApiResponse:
        """PUT /vedette/v1/snapshots/{name}: one of the same name is replaced."""
        return json_answer(_snapshot(self._parts.state.save(request.path_parameters["name"])), status=201)

    def restore_snapshot(self, request: ApiRequest) -> ApiResponse:
        """POST /vedette/v1/snapshots/{name}/restore."""
        self._parts.state.restore(request.path_parameters["name"])
        return ApiResponse(204)

    def delete_snapshot(self, request: ApiRequest) -> ApiResponse:
        """DELETE /vedette/v1/snapshots/{name}."""
        self._parts.state.delete(request.path_parameters["name"])
        return ApiResponse(204)

    def reset(self, _request: ApiRequest) -> ApiResponse:
        """POST /vedette/v1/reset."""
        self._parts.state.reset()
        return ApiResponse(204)

    def get_usage(self, request: ApiRequest) -> ApiResponse:
        """GET /vedette/v1/usage?tenant=…: what is used of the quotas that there are."""
        name = _tenant_name(request)
        tenant = self._parts.tenant(name)
        if tenant is None:
            raise NotFoundError("TenantNotFound", name=name or "")
        usage = [
            {
                "quota": each.quota,
                "windowSeconds": each.window_seconds,
                "used": each.used,
                "limit": each.limit,
                "resetSeconds": each.reset,
            }
            for each in self._parts.throttle.usage(tenant.tenant_id)
        ]
        return json_answer({"tenantId": tenant.tenant_id, "usage": usage})

    def _clock_answer(self) -> ApiResponse:
        clock = self._parts.movable
        return json_answer({"now": _moment(clock.time()), "offsetSeconds": round(clock.offset(), 6)})


def _tenant_name(request: ApiRequest) -> str | None:
    return dict(decode_query(request.query)).get("tenant")


def _fault(fault: InjectedFault, struck: int) -> dict[str, object]:
    return {
        "id": fault.id,
        "kind": fault.kind,
        "operation": fault.operation,
        "share": fault.share,
        "count": fault.count,
        "seconds": fault.seconds,
        "struck": struck,
    }


def _snapshot(snapshot: Saved) -> dict[str, object]:
    return {"name": snapshot.name, "savedAt": _moment(snapshot.saved_at), "bytes": snapshot.size}


def _moment(seconds: float) -> str:
    return (
        datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
