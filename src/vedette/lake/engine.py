"""What a query engine over the lake has to offer. Implementations live in `lake.engines`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import pyarrow as pa

from vedette.ids import is_guid
from vedette.lake.errors import InvalidBatchError

TimeRange = tuple[int | None, int | None]
"""Half-open, in ticks; None is unbounded."""


class RowLimit(msgspec.Struct, frozen=True):
    """Which rows may be seen: those whose `column` is empty or, whatever its case, one of `values`."""

    column: str
    values: frozenset[str]


class NameLimit(msgspec.Struct, frozen=True):
    """Which rows may be seen: those whose `column` up to its first dot is, whatever its case, none of `hidden`."""

    column: str
    hidden: frozenset[str]


class LinkLimit(msgspec.Struct, frozen=True):
    """Which rows may be seen: those whose `key` no row of `table` has that `limits` would hide."""

    key: str
    table: str
    limits: tuple[RowLimit, ...]


class RelationScope(msgspec.Struct, frozen=True):
    """One relation that a query may read: `name` as the SQL text calls it, a table, and its time range.

    `time_range` only spares reading segments; the query's own filters decide about rows. A relation has the table's
    physical columns and `_ingestion_time` (`lake.schema.INGESTION_TIME`). Rows that `limits`, `names` or `links` hide
    are no part of it, whatever the query does with it; without `is_visible` there are none at all. A column of `masks`
    is null where its limit would hide the row.
    """

    name: str
    table: str
    time_range: TimeRange = (None, None)
    limits: tuple[RowLimit, ...] = ()
    masks: tuple[RowLimit, ...] = ()
    names: tuple[NameLimit, ...] = ()
    links: tuple[LinkLimit, ...] = ()
    is_visible: bool = True


class ExternalFile(msgspec.Struct, frozen=True):
    """Fetched external data, already local and already in columns."""

    name: str
    data: pa.Table


class HostFunction(msgspec.Struct, frozen=True):
    """A function that the SQL text calls by `name`: over Arrow columns of SQL types `parameters`, nulls included."""

    name: str
    parameters: tuple[str, ...]
    result: str
    batch: Callable[..., pa.Array]


class QueryScope(msgspec.Struct, frozen=True):
    """Everything a query may see: relations of one tenant. Nothing outside it can be named.

    `window` hides rows outside a time range in every relation whose table has a time. `setup` are statements of the
    compiler, constant text that no user wrote, which the session runs before it is locked; `functions` are there by
    then.
    """

    tenant_id: str
    relations: tuple[RelationScope, ...]
    externals: tuple[ExternalFile, ...] = ()
    window: TimeRange = (None, None)
    setup: tuple[str, ...] = ()
    functions: tuple[HostFunction, ...] = ()


class QueryLimits(msgspec.Struct, frozen=True):
    """Bounds of one execution: rows returned, wall-clock seconds, engine memory and size of the result in bytes."""

    rows: int
    seconds: float
    memory: int
    result_bytes: int | None = None


class QueryOutcome(msgspec.Struct, frozen=True):
    """Result columns in the order of the SQL text (names are positions' affair of the caller), with statistics."""

    data: pa.Table
    truncated: bool
    elapsed: float
    cpu: float
    rows_scanned: int
    peak_memory: int
    bytes_read: int = 0


class Engine(Protocol):
    """A query engine. Thread-safe; one call executes one query in a session of its own."""

    dialect: str

    def execute(
        self,
        scope: QueryScope,
        sql: str,
        parameters: Sequence[object],
        limits: QueryLimits,
        query_id: str | None = None,
    ) -> QueryOutcome:
        """Run one SELECT inside `scope`. Raises the errors of `lake.errors`, never the engine's own.

        With a `query_id`, other threads can stop it by `interrupt`.
        """
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

    def flush(self, tenant_id: str) -> None:
        """Let queries see everything that this process has accepted for the tenant."""
        ...


class LakeFolders(msgspec.Struct, frozen=True):
    """The lake's layout below its root: every tenant's segments and log are in a folder of its own."""

    root: Path

    def segments(self, tenant_id: str) -> Path:
        """Folder of a tenant's Parquet segments."""
        return self._tenant(tenant_id) / "segments"

    def log(self, tenant_id: str) -> Path:
        """Folder of a tenant's write-ahead log."""
        return self._tenant(tenant_id) / "wal"

    def tenants(self) -> list[str]:
        """Tenants that have a folder."""
        if not self.root.is_dir():
            return []
        return sorted(entry.name for entry in self.root.iterdir() if entry.is_dir() and is_guid(entry.name))

    def _tenant(self, tenant_id: str) -> Path:
        if not is_guid(tenant_id) or tenant_id != tenant_id.lower():
            raise InvalidBatchError("tenant_id")
        return self.root / tenant_id
