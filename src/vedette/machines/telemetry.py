"""Where machines hear of events: queries over a tenant's telemetry."""

from collections.abc import Sequence
from typing import Protocol

from vedette.context import DataScope, Tenant

Row = dict[str, object]


class Telemetry(Protocol):
    """Runs KQL of the server's own inside one tenant (`hunting.rows`). Datetimes are ticks, dynamics JSON text."""

    def rows(self, tenant: Tenant, query: str, timespan: str | None = None) -> Sequence[Row]:
        """The rows of the answer by column name."""
        ...

    def within(self, scope: DataScope) -> "Telemetry":
        """The same, of what somebody with that scope sees."""
        ...


def text_of(row: Row, column: str) -> str | None:
    """A text cell; None if it is empty."""
    value = row.get(column)
    return str(value) if value not in (None, "") else None


def number_of(row: Row, column: str) -> int | None:
    """A whole number or a time in ticks."""
    value = row.get(column)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def truth_of(row: Row, column: str) -> bool | None:
    """A truth value."""
    value = row.get(column)
    return value if isinstance(value, bool) else None
