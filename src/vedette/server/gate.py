"""Keeps work and a change of the whole state apart, over all processes of a server.

Requests, jobs and flushes are units of work and run side by side. A change of the state (restoring a snapshot, wiping)
waits until none is under way, runs alone, and is known to every process before its next unit begins: what a process
remembers of the old state it forgets then. Nobody signals anybody: a lock on a file and sixteen shared bytes are all.
"""

import mmap
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vedette.errors import ApiError
from vedette.lake.filelock import try_lock, unlock

DRAIN_SECONDS = 5.0
"""How long a change waits for the work under way before it gives up."""

WAIT_SECONDS = 15.0
"""How long work waits for a change."""

RETRY_AFTER = 1
POLL_SECONDS = 0.002

_STATE = struct.Struct("<dQ")
"""Until when (`time.monotonic`) new work is to wait; how many changes there have been."""


class StateGate:
    """One a process. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._file = os.open(folder / "gate", os.O_RDWR | os.O_CREAT, 0o600)
        self._change_file = os.open(folder / "gate.change", os.O_RDWR | os.O_CREAT, 0o600)
        if os.fstat(self._file).st_size < _STATE.size:
            os.ftruncate(self._file, _STATE.size)
        self._shared = mmap.mmap(self._file, _STATE.size)
        self._turn = threading.Condition()
        self._units = 0
        self._is_changing = False
        self._forget: list[Callable[[], object]] = []
        self._seen = self.epoch

    @property
    def epoch(self) -> int:
        """How many changes there have been."""
        return int(_STATE.unpack_from(self._shared)[1])

    def on_change(self, forget: Callable[[], object]) -> None:
        """Call `forget` before the first unit of work that follows a change."""
        self._forget.append(forget)

    @contextmanager
    def unit(self, seconds: float = WAIT_SECONDS) -> Iterator[None]:
        """One unit of work. Waits while the state changes. Raises ApiError when that takes too long."""
        self._enter(time.monotonic() + seconds)
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def change(self, own_units: int = 1, seconds: float = DRAIN_SECONDS) -> Iterator[None]:
        """Alone with the state. The caller's own `own_units` may be under way.

        Raises ApiError, nothing being changed, when work does not end in time or somebody else changes the state.
        """
        with self.pause(own_units, seconds):
            try:
                yield
            finally:  # also where it failed half-way: what is remembered may be wrong
                self._write(0.0, self.epoch + 1)
                self.forget()

    @contextmanager
    def pause(self, own_units: int = 1, seconds: float = DRAIN_SECONDS) -> Iterator[None]:
        """As `change`, for those who only look at the state while it stands still."""
        deadline = time.monotonic() + seconds
        self._claim(deadline)
        try:
            self._drain(own_units, deadline)
            yield
        finally:
            self._reopen()

    def forget(self) -> None:
        """Let go of what this process remembers of the state."""
        for forget in self._forget:
            forget()
        self._seen = self.epoch

    def close(self) -> None:
        """Let go of the files."""
        self._shared.close()
        os.close(self._file)
        os.close(self._change_file)

    def _enter(self, deadline: float) -> None:
        with self._turn:
            while not self._try_enter():
                if time.monotonic() >= deadline:
                    raise _busy()
                self._turn.wait(POLL_SECONDS)

    def _try_enter(self) -> bool:
        if self._is_changing or self._is_closing():
            return False
        if self._units == 0 and not try_lock(self._file, shared=True):
            return False
        if self._seen != self.epoch:
            self.forget()
        self._units += 1
        return True

    def _leave(self) -> None:
        with self._turn:
            self._units -= 1
            if self._units == 0:
                unlock(self._file)
            self._turn.notify_all()

    def _is_closing(self) -> bool:
        """Whether a process waits for its turn. One that died waiting is not waited for."""
        until = float(_STATE.unpack_from(self._shared)[0])
        return 0 < until - time.monotonic() <= DRAIN_SECONDS

    def _claim(self, deadline: float) -> None:
        """Be the only one that changes the state, and let new work wait."""
        with self._turn:
            if self._is_changing or not try_lock(self._change_file):
                raise _busy()
            self._is_changing = True
        self._write(deadline, self.epoch)

    def _drain(self, own_units: int, deadline: float) -> None:
        with self._turn:
            if not self._turn.wait_for(lambda: self._units <= own_units, deadline - time.monotonic()):
                raise _busy()
        while not try_lock(self._file):
            if time.monotonic() >= deadline:
                raise _busy()
            time.sleep(POLL_SECONDS)

    def _reopen(self) -> None:
        with self._turn:
            self._write(0.0, self.epoch)
            unlock(self._file)
            if self._units:  # nobody else can be changing anything: the lock of that is still ours
                try_lock(self._file, shared=True)
            self._is_changing = False
            self._turn.notify_all()
        unlock(self._change_file)

    def _write(self, closing_until: float, epoch: int) -> None:
        _STATE.pack_into(self._shared, 0, closing_until, epoch)


def _busy() -> ApiError:
    return ApiError("StateChanging", retry_after=RETRY_AFTER)
