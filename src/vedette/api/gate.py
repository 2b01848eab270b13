"""What lets requests through while the state of the server stands still under them (`server.gate`)."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Gate(Protocol):
    """Between units of work and changes of the whole state."""

    @property
    def epoch(self) -> int:
        """How many changes there have been."""
        ...

    def unit(self) -> AbstractContextManager[None]:
        """One unit of work; waits while the state changes. Raises ApiError when that takes too long."""
        ...


class OpenGate:
    """A gate that is always open: nothing changes the state as a whole."""

    epoch = 0

    def unit(self) -> AbstractContextManager[None]:
        """See `Gate`."""
        return nullcontext()
