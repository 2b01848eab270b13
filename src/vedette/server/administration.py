"""Builds what the administration surface works with."""

from functools import partial

from vedette.api.administration.routes import AdministrationParts
from vedette.api.fault_injection import Faults
from vedette.api.throttle import Throttle
from vedette.server.live_state import LiveState
from vedette.server.plan import ServerPlan
from vedette.server.seed import seed_bytes
from vedette.server.shifted_clock import FixedClock, ShiftedClock
from vedette.server.wiring import Services


def administration_parts(
    services: Services, plan: ServerPlan, faults: Faults, throttle: Throttle
) -> AdministrationParts:
    """The parts, from one process's services."""
    clock = services.clock
    return AdministrationParts(
        faults=faults,
        clock=clock,
        movable=clock if isinstance(clock, ShiftedClock) else FixedClock(clock),
        ids=services.ids,
        state=LiveState(services, plan),
        seed=partial(seed_bytes, services),
        throttle=throttle,
        tenant=services.tenant,
    )
