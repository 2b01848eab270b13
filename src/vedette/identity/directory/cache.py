"""What a process has read of each tenant's directory, until the tenant's generation changes.

A value is kept under the generation that was read in the same transaction, so it is never older than that transaction.
Whoever writes something that is cached here advances the generation.
"""

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from vedette.identity.directory.tenants import TenantRecord

MAXIMUM_VALUES = 10_000

T = TypeVar("T")


class DirectoryCache:
    """Values by tenant and key. Errors are not kept: what is missing now may be there the next time."""

    def __init__(self) -> None:
        self._tenants: dict[str, tuple[int, dict[Hashable, object]]] = {}

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
