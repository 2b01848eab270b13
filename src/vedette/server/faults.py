"""Where the faults of a running server are kept. They are of the moment: a server starts without any."""

from pathlib import Path

from vedette.api.fault_injection import Faults
from vedette.store.counters import SharedCounters

FILE = "faults.json"
COUNTERS = "counters.db"


def open_faults(run: Path) -> Faults:
    """The faults of a server whose folder of the moment is `run`."""
    return Faults(run / FILE, SharedCounters(run / COUNTERS))


def forget_faults(run: Path) -> None:
    """Begin without faults, and with nothing counted."""
    for name in (FILE, COUNTERS, f"{COUNTERS}-wal", f"{COUNTERS}-shm"):
        (run / name).unlink(missing_ok=True)
