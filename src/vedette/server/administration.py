"""Builds what the administration surface works with."""

from functools import partial

from vedette.api.administration.routes import AdministrationParts
from vedette.api.fault_injection import Faults
from vedette.api.throttle import Throttle
from vedette.jobs.rewind import heed_earlier_time
from vedette.server.live_state import LiveState
from vedette.server.plan import ServerPlan
from vedette.server.seed import seed_bytes
from vedette.server.shifted_clock import FixedClock, ShiftedClock
from vedette.server.wiring import Services


class ServerClock:
    """The clock of a running server, with what waits for it."""

    def __init__(self, clock: ShiftedClock, services: Services) -> None:
        self._clock = clock
        self._services = services

    def time(self) -> float:
        """See `Clock`."""
        return self._clock.time()

    def offset(self) -> float:
        """See `ShiftedClock`."""
        return self._clock.offset()

    def move(self, offset: float | None) -> float:
        """See `ShiftedClock`. Background work goes on from an earlier time too."""
        before = self._clock.time()
        now = self._clock.move(offset)
        if now < before:
            with self._services.store.begin() as connection:
                heed_earlier_time(connection, now)
        return now


def administration_parts(
    services: Services, plan: ServerPlan, faults: Faults, throttle: Throttle
) -> AdministrationParts:
    """The parts, from one process's services."""
    clock = services.clock
    return AdministrationParts(
        faults=faults,
        clock=clock,
        movable=ServerClock(clock, services) if isinstance(clock, ShiftedClock) else FixedClock(clock),
        ids=services.ids,
        state=LiveState(services, plan),
        seed=partial(seed_bytes, services),
        throttle=throttle,
        tenant=services.tenant,
    )
