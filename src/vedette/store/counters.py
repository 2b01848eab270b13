"""Counters that all processes of a server share: calls and seconds used within a window of time.

They live in a small database of their own in the folder of the running server. They need not survive it, so that
counting costs no synchronisation with the disk.
"""

import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

_SCHEMA = """
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value REAL NOT NULL, expires REAL NOT NULL) WITHOUT ROWID
"""
_ADD = """
INSERT INTO counters (name, value, expires) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET value = value + excluded.value RETURNING value
"""
_SWEEP_EVERY = 1000
FOREVER = 2.0**40
"""End of a counter that is no window's."""


class Counters(Protocol):
    """Named numbers that end at some time."""

    def add(self, name: str, by: float, expires: float) -> float:
        """Add to a counter, made if need be; what it is then."""
        ...

    def read(self, prefix: str) -> Mapping[str, float]:
        """All counters whose names begin so."""
        ...


class LocalCounters:
    """Counters of one process. Thread-safe."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def add(self, name: str, by: float, expires: float) -> float:
        """See `Counters`."""
        with self._lock:
            value = self._values.get(name, (0.0, expires))[0] + by
            self._values[name] = (value, expires)
            if len(self._values) > 100 * _SWEEP_EVERY:
                latest = max((end for _, end in self._values.values() if end < FOREVER), default=0.0)
                self._values = {key: kept for key, kept in self._values.items() if kept[1] >= latest - 3600}
            return value

    def read(self, prefix: str) -> Mapping[str, float]:
        """See `Counters`."""
        with self._lock:
            return {name: value for name, (value, _) in self._values.items() if name.startswith(prefix)}


class SharedCounters:
    """Counters in a file. Thread-safe, and safe between processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._calls = 0

    def add(self, name: str, by: float, expires: float) -> float:
        """See `Counters`."""
        connection = self._connection()
        value = connection.execute(_ADD, (name, by, expires)).fetchall()[0][0]
        self._calls += 1
        if self._calls >= _SWEEP_EVERY and expires < FOREVER:
            self._calls = 0
            connection.execute("DELETE FROM counters WHERE expires < ?", (expires - 7200,))
        return float(value)

    def read(self, prefix: str) -> Mapping[str, float]:
        """See `Counters`."""
        rows = self._connection().execute(
            "SELECT name, value FROM counters WHERE name >= ? AND name < ?", (prefix, f"{prefix}\U0010ffff")
        )
        return {str(name): float(value) for name, value in rows}

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute(_SCHEMA)
        return connection
