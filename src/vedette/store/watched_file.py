"""A small file that the processes of a server share: each looks at it often, somebody changes it now and then.

Whoever reads sees one whole content, and never an old one: each has a time of its own, however soon it follows another.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


class WatchedFile(Generic[T]):
    """Read by `decode`, and again only when it was changed. Thread-safe."""

    def __init__(self, path: Path, decode: Callable[[bytes], T], absent: T) -> None:
        """`absent`: what it stands for where there is no such file."""
        self._path = path
        self._decode = decode
        self._absent = absent
        self._seen: tuple[int, T] = (0, absent)
        self._written = 0
        self._lock = threading.Lock()

    def read(self) -> T:
        """What is in it now."""
        try:
            stamp = self._path.stat().st_mtime_ns
            if self._seen[0] != stamp:
                self._seen = (stamp, self._decode(self._path.read_bytes()))
        except FileNotFoundError:
            return self._absent
        return self._seen[1]

    def write(self, content: bytes) -> None:
        """Put another content in its place."""
        descriptor, draft = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        stamp = self._next_stamp()
        os.utime(draft, ns=(stamp, stamp))  # the clock of a file system stands still for milliseconds
        Path(draft).replace(self._path)

    def remove(self) -> None:
        """Take it away, if it is there."""
        self._path.unlink(missing_ok=True)

    def _next_stamp(self) -> int:
        with self._lock:
            self._written = max(time.time_ns(), self._written + 1)
            return self._written
