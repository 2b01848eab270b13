"""What a process has read of the directory and need not read again.

`DirectoryCache` keeps values until the tenant's generation changes. A value is kept under the generation that was read
in the same transaction, so it is never older than that transaction. Whoever writes something that is cached there
advances the generation. `UnchangedCache` keeps values until anything in the database changes.
"""

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from vedette.identity.directory.tenants import TenantRecord
from vedette.store.engine import Reading

MAXIMUM_VALUES = 10_000

T = TypeVar("T")


class DirectoryCache:
    """Values by tenant and key. Errors are not kept: what is missing now may be there the next time."""

    def __init__(self) -> None:
        self._tenants: dict[str, tuple[int, dict[Hashable, object]]] = {}

    def forget(self) -> None:
        """Let go of everything."""
        self._tenants = {}

    def get(self, tenant: TenantRecord, key: Hashable, read: Callable[[], T]) -> T:
        """The value of `key` at the tenant's generation, read now if need be."""
        values = self._values(tenant)
        if key in values:
            return cast(T, values[key])
        value = read()
        values[key] = value
        return value

    def _values(self, tenant: TenantRecord) -> dict[Hashable, object]:
        tenant_id = tenant.tenant.tenant_id
        generation, values = self._tenants.get(tenant_id, (None, {}))
        if generation != tenant.generation or len(values) >= MAXIMUM_VALUES:
            values = {}
            self._tenants[tenant_id] = (tenant.generation, values)
        return values


class UnchangedCache:
    """Values by key, as long as no process writes anything. Errors are not kept.

    A value belongs to the version that its reader saw before it read, so a write meanwhile makes it a miss.
    """

    def __init__(self) -> None:
        self._kept: tuple[int | None, dict[Hashable, object]] = (None, {})

    def forget(self) -> None:
        """Let go of everything."""
        self._kept = (None, {})

    def get(self, reading: Reading, key: Hashable, read: Callable[[], T]) -> T:
        """The value of `key` at the reading's version, read now if need be."""
        if reading.version is None:
            return read()
        version, values = self._kept
        if version != reading.version or len(values) >= MAXIMUM_VALUES:
            values = {}
            self._kept = (reading.version, values)
        if key not in values:
            values[key] = read()
        return cast(T, values[key])
