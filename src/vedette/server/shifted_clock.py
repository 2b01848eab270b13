"""A clock that tests of clients move: an offset in a file of the data folder, which all processes read.

It belongs to the state: tokens and incidents made at a moved time only make sense with it, so it survives a restart and
comes back with a snapshot.
"""

from pathlib import Path

import msgspec

from vedette.clock import Clock, SystemClock
from vedette.errors import ConflictError, InvalidRequestError
from vedette.store.watched_file import WatchedFile

EARLIEST, LATEST = 0.0, 32_503_680_000.0
"""1970 and 3000: between them every date that follows from the clock (expiry, retention) can be written."""


class Shift(msgspec.Struct, frozen=True):
    """Content of the file: seconds between the server's time and the system's."""

    offset: float


class ShiftedClock:
    """The system's clock, moved by what the file says. Without the file it is the system's."""

    def __init__(self, path: Path, system: Clock | None = None) -> None:
        self._file = WatchedFile(path, _SHIFT.decode, Shift(0.0))
        self._system = system or SystemClock()

    def time(self) -> float:
        """See `Clock`."""
        return self._system.time() + self.offset()

    def offset(self) -> float:
        """Seconds between this time and the system's."""
        return self._file.read().offset

    def move(self, offset: float | None) -> float:
        """Move it to so many seconds from the system's time, None: back to that; what time it is then.

        Raises InvalidRequestError where no date would be left to say so.
        """
        if offset is None:
            self._file.remove()
        elif not EARLIEST <= self._system.time() + offset <= LATEST:  # NaN is neither
            raise InvalidRequestError("ClockOutOfRange")
        else:
            self._file.write(msgspec.json.encode(Shift(offset)))
        return self.time()


_SHIFT = msgspec.json.Decoder(Shift)


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
