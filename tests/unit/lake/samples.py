"""Rows, moments and queries that the lake's tests share."""

import pyarrow as pa

from vedette.clock import UNIX_EPOCH_TICKS
from vedette.lake.engine import QueryLimits, QueryScope, RelationScope, TimeRange

TENANT = "11111111-1111-4111-8111-111111111111"
OTHER_TENANT = "22222222-2222-4222-8222-222222222222"
NOW = 1_790_000_000.0
DAY = 86_400 * 10_000_000
LIMITS = QueryLimits(rows=100_000, seconds=30, memory=512 * 2**20)


def ticks(days_ago: float = 0.0) -> int:
    """Ticks of a moment before the tests' now."""
    return UNIX_EPOCH_TICKS + int(NOW * 10_000_000) - int(days_ago * DAY)


def processes(*rows: tuple[int, str]) -> pa.Table:
    """Rows of DeviceProcessEvents: time in ticks, command line."""
    return pa.table(
        {
            "Timestamp": pa.array([time for time, _ in rows], pa.int64()),
            "ProcessCommandLine": pa.array([line for _, line in rows], pa.string()),
        }
    )


def scope(
    *tables: str, tenant_id: str = TENANT, time_range: TimeRange = (None, None), window: TimeRange = (None, None)
) -> QueryScope:
    """Relations called like their tables."""
    return QueryScope(tenant_id, tuple(RelationScope(table, table, time_range) for table in tables), window=window)
