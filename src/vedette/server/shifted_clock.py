"""A clock that tests of clients move: an offset in a file of the running server's folder, which all processes read."""

from pathlib import Path

import msgspec

from vedette.clock import Clock, SystemClock, from_ticks
from vedette.errors import UsageError
from vedette.odata.dates import parse_ticks
from vedette.server.data_folder import existing_data_folder, read_state

FILE = "clock.json"


class Shift(msgspec.Struct, frozen=True):
    """Content of the file: seconds between the server's time and the system's."""

    offset: float


class ShiftedClock:
    """The system's clock, moved by what the file says. Without the file it is the system's."""

    def __init__(self, path: Path, system: Clock | None = None) -> None:
        self._path = path
        self._system = system or SystemClock()
        self._seen: tuple[int, float] = (0, 0.0)

    def time(self) -> float:
        """See `Clock`."""
        try:
            stamp = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return self._system.time()
        if stamp != self._seen[0]:
            self._seen = (stamp, msgspec.json.decode(self._path.read_bytes(), type=Shift).offset)
        return self._system.time() + self._seen[1]


def move_clock(data: Path, advance: float, to: str | None, *, reset: bool) -> float:
    """Move the clock of a server that allows it; its time then, in Unix seconds."""
    folder = existing_data_folder(data)
    state = read_state(folder)
    if state is None or not state.minting:
        raise UsageError("Only the clock of a running server with --demo or --allow-minting can be moved.")
    path, clock = folder.run / FILE, SystemClock()
    now = ShiftedClock(path).time()
    if reset:
        path.unlink(missing_ok=True)
        return clock.time()
    if to is not None and (ticks := parse_ticks(to)) is not None:
        now = from_ticks(ticks)
    elif to is not None:
        raise UsageError(f"{to!r} is not a time such as 2026-11-23T08:00:00Z.")
    draft = path.with_name(f".{FILE}.new")
    draft.write_bytes(msgspec.json.encode(Shift(now + advance - clock.time())))
    draft.replace(path)
    return now + advance
