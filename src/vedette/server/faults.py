"""What the `vedette fault` commands do: they write the file that a running server looks at."""

import math
import secrets
from pathlib import Path

from vedette.api.fault_injection import FaultKind, Faults, InjectedFault
from vedette.errors import UsageError
from vedette.server.data_folder import existing_data_folder
from vedette.server.shifted_clock import FILE as CLOCK_FILE
from vedette.server.shifted_clock import ShiftedClock
from vedette.store.counters import SharedCounters

FILE = "faults.json"
COUNTERS = "counters.db"


def open_faults(run: Path) -> Faults:
    """The faults of a server whose folder of the moment is `run`."""
    return Faults(run / FILE, SharedCounters(run / COUNTERS))


def order_fault(data: Path, kind: FaultKind, operation: str, when: tuple[float, int | None, float]) -> str:
    """Order a fault; its id. `when`: share of the calls, number of calls, seconds."""
    share, count, seconds = when
    if not 0 < share <= 1 or (count is not None and count < 1) or not 0 <= seconds <= 600:
        raise UsageError("A share is above 0 and at most 1, a count at least 1, seconds are 0 to 600.")
    run = existing_data_folder(data).run
    now = ShiftedClock(run / CLOCK_FILE).time()
    fault = InjectedFault(secrets.token_hex(4), kind, operation, share, count, seconds, math.floor(now) + 1)
    open_faults(run).add(fault)
    return fault.id


def ordered_faults(data: Path) -> tuple[InjectedFault, ...]:
    """Every fault that was ordered."""
    return open_faults(existing_data_folder(data).run).all()


def clear_faults(data: Path) -> None:
    """No more faults."""
    open_faults(existing_data_folder(data).run).clear()
