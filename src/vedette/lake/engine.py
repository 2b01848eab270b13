"""What a query engine over the lake has to offer. Implementations live in `lake.engines`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import pyarrow as pa


class RelationScope(msgspec.Struct, frozen=True):
    """One relation that a query may read: `name` as the SQL text calls it, a table, and its time range.

    `time_range` is half-open in ticks; None is unbounded.
    """

    name: str
    table: str
    time_range: tuple[int | None, int | None] = (None, None)


class ExternalFile(msgspec.Struct, frozen=True):
    """Fetched external data, already local and already in columns."""

    name: str
    data: pa.Table


class QueryScope(msgspec.Struct, frozen=True):
    """Everything a query may see: relations of one tenant. Nothing outside it can be named."""

    tenant_id: str
    relations: tuple[RelationScope, ...]
    externals: tuple[ExternalFile, ...] = ()


class QueryLimits(msgspec.Struct, frozen=True):
    """Bounds of one execution: rows returned, wall-clock seconds, engine memory in bytes."""

    rows: int
    seconds: float
    memory: int


class QueryOutcome(msgspec.Struct, frozen=True):
    """Result columns in the order of the SQL text (names are positions' affair of the caller), with statistics."""

    data: pa.Table
    truncated: bool
    elapsed: float
    cpu: float
    rows_scanned: int
    peak_memory: int


class Engine(Protocol):
    """A query engine. Thread-safe; one call executes one query in a session of its own."""

    dialect: str

    def execute(self, scope: QueryScope, sql: str, parameters: Sequence[object], limits: QueryLimits) -> QueryOutcome:
        """Run one SELECT inside `scope`. Raises the errors of `lake.errors`, never the engine's own."""
        ...

    def interrupt(self, query_id: str) -> bool:
        """Stop a running query; True if it was running."""
        ...


class Lake(Protocol):
    """Where rows go in. See `lake.writer` for the implementation."""

    def append(self, tenant_id: str, batch_id: str, rows: Mapping[str, pa.Table], summary: bytes) -> bytes | None:
        """Make a batch durable: rows by table, all or nothing, once per batch id.

        `summary` is kept with the batch. Returns None for a new batch; for a batch id already known, its first summary.
        """
        ...


class LakeFolders(msgspec.Struct, frozen=True):
    """The lake's layout below its root: every tenant's segments and log are in a folder of its own."""

    root: Path

    def segments(self, tenant_id: str) -> Path:
        """Folder of a tenant's Parquet segments."""
        return self.root / tenant_id / "segments"

    def log(self, tenant_id: str) -> Path:
        """Folder of a tenant's write-ahead log."""
        return self.root / tenant_id / "wal"
