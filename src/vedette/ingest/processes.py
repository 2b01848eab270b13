"""Processes known by their start: what fills `InitiatingProcess*` columns of later rows.

A row names a process by Sysmon GUID, or by device and process id; then the latest start before the row counts, unless
it ended earlier. Starts of earlier batches are kept per tenant, newest first, within a bound; after a restart they are
read back from the lake.
"""

# ruff: noqa: S608 - what is put into the texts are names of contract data, never values of records

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import pyarrow as pa

from vedette.contracts.mappings import load_process_columns
from vedette.ingest.columns import StoredColumn, stored_columns
from vedette.lake.engine import Engine, QueryLimits, QueryScope, RelationScope

PROCESS_TABLE = "DeviceProcessEvents"
STARTS_PER_TENANT = 20_000
TENANTS = 64


def kept_columns() -> tuple[str, ...]:
    """Columns of a process's start that other rows take over."""
    columns = load_process_columns()
    sources = [*columns.initiating.values(), *columns.target.values()]
    return tuple(sorted({source.removeprefix("lower(").removesuffix(")") for source in sources}))


def starts_schema() -> pa.Schema:
    """Shape of the remembered starts: key, time, end, and the columns taken over."""
    types = {stored.physical: stored for stored in stored_columns(PROCESS_TABLE)}
    return pa.schema(
        [
            ("host", pa.string()),
            ("guid", pa.string()),
            ("pid", pa.int64()),
            ("started", pa.int64()),
            ("ended", pa.int64()),
            *((name, _arrow_type(types[name])) for name in kept_columns()),
        ]
    )


def _arrow_type(stored: StoredColumn) -> pa.DataType:
    return pa.int64() if stored.type in ("long", "datetime") else pa.string()


class ProcessHistory(Protocol):
    """Where starts of processes from before this server's start can be read."""

    def recent_starts(self, tenant_id: str, limit: int) -> pa.Table:
        """The latest starts in the shape of `starts_schema`."""
        ...


class NoHistory:
    """A history that knows nothing."""

    def recent_starts(self, tenant_id: str, limit: int) -> pa.Table:  # noqa: ARG002 - the protocol's signature
        return starts_schema().empty_table()


class LakeHistory:
    """Reads the starts back from the tenant's own rows in the lake."""

    def __init__(self, engine: Engine, limits: QueryLimits) -> None:
        self._engine = engine
        self._limits = limits

    def recent_starts(self, tenant_id: str, limit: int) -> pa.Table:
        names = ", ".join(f'"{name}"' for name in kept_columns())
        sql = (
            "SELECT lower(\"DeviceName\") AS host, nullif(lower(trim(\"ProcessUniqueId\", '{}')), '') AS guid, "
            f'"ProcessId" AS pid, "Timestamp" AS started, NULL::BIGINT AS ended, {names} '
            'FROM starts ORDER BY "Timestamp" DESC LIMIT ?'
        )
        scope = QueryScope(tenant_id, (RelationScope("starts", PROCESS_TABLE),))
        data = self._engine.execute(scope, sql, [limit], self._limits).data
        return data.rename_columns(starts_schema().names).cast(starts_schema())


class _TenantStarts:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.starts: pa.Table | None = None


class ProcessCache:
    """The remembered starts of all tenants."""

    def __init__(self, history: ProcessHistory | None = None, limit: int = STARTS_PER_TENANT) -> None:
        self._history = history or NoHistory()
        self._limit = limit
        self._lock = threading.Lock()
        self._tenants: OrderedDict[str, _TenantStarts] = OrderedDict()

    def forget(self) -> None:
        """Let go of everything; it is read back from the history."""
        with self._lock:
            self._tenants.clear()

    @contextmanager
    def tenant(self, tenant_id: str) -> "Iterator[TenantProcesses]":
        """Exclusive use of one tenant's starts: batches of a tenant resolve one after the other."""
        with self._lock:
            entry = self._tenants.setdefault(tenant_id, _TenantStarts())
            self._tenants.move_to_end(tenant_id)
            while len(self._tenants) > TENANTS:
                self._tenants.popitem(last=False)
        with entry.lock:
            if entry.starts is None:
                entry.starts = self._history.recent_starts(tenant_id, self._limit)
            yield TenantProcesses(entry, self._limit)


class TenantProcesses:
    """One tenant's starts while a batch is resolved."""

    def __init__(self, entry: _TenantStarts, limit: int) -> None:
        self._entry = entry
        self.limit = limit

    @property
    def starts(self) -> pa.Table:
        """What is remembered from before this batch."""
        return self._entry.starts if self._entry.starts is not None else starts_schema().empty_table()

    def remember(self, starts: pa.Table) -> None:
        """Replace what is remembered, once the batch is durable."""
        self._entry.starts = starts
