"""A clock that tests of clients move: an offset in a file of the data folder, which all processes read.

It belongs to the state: tokens and incidents made at a moved time only make sense with it, so it survives a restart and
comes back with a snapshot.
"""

from pathlib import Path

import msgspec

from vedette.clock import Clock, SystemClock
from vedette.errors import ConflictError


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
        return self._system.time() + self.offset()

    def offset(self) -> float:
        """Seconds between this time and the system's."""
        try:
            stamp = self._path.stat().st_mtime_ns
            if stamp != self._seen[0]:
                self._seen = (stamp, msgspec.json.decode(self._path.read_bytes(), type=Shift).offset)
        except FileNotFoundError:
            return 0.0
        return self._seen[1]

    def move(self, offset: float | None) -> float:
        """Move it to so many seconds from the system's time, None: back to that; what time it is then."""
        if offset is None:
            self._path.unlink(missing_ok=True)
        else:
            draft = self._path.with_name(f".{self._path.name}.new")
            draft.write_bytes(msgspec.json.encode(Shift(offset)))
            draft.replace(self._path)
        return self.time()


class FixedClock:
    """The clock of a server that does not let anybody move it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def time(self) -> float:
        """See `Clock`."""
        return self._clock.time()

    def offset(self) -> float:
        """None at all."""
        return 0.0

    def move(self, offset: float | None) -> float:  # noqa: ARG002 - as that of a clock that moves
        """Refuse. Raises ConflictError."""
        raise ConflictError("ClockFixed")
