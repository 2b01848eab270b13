"""What of each table a caller may read: row limits that go with the scan, so that no query gets around them.

Rows about a machine out of sight are left out, and so are rows that name their machine only through another table.
"""

from typing import Protocol

import msgspec

from vedette.context import DataScope
from vedette.contracts.data_sources import DataSources, load_data_sources
from vedette.contracts.enums import load_enums
from vedette.contracts.tables import TableContract, load_tables
from vedette.lake.engine import LinkLimit, NameLimit, RelationScope, RowLimit


class SeenDevices(Protocol):
    """Who sees which machine of a tenant (`machines.visibility`)."""

    def __call__(self, tenant_id: str, scope: DataScope) -> frozenset[str]:
        """The ids, in lower case, of the machines inside a scope."""
        ...

    def hidden_names(self, tenant_id: str, scope: DataScope) -> frozenset[str]:
        """What else machines outside a scope are called: host names and directory ids, in lower case."""
        ...


class Visibility:
    """One caller's limits on one tenant's tables. Devices are looked up when a table needs them, once."""

    def __init__(self, tenant_id: str, scope: DataScope, seen_devices: SeenDevices) -> None:
        self._tenant_id = tenant_id
        self._scope = scope
        self._seen_devices = seen_devices
        self._sources = load_data_sources()
        self._devices: frozenset[str] | None = None

    def limited(self, relation: RelationScope) -> RelationScope:
        """The relation with its limits."""
        if not self._scope.is_limited:
            return relation
        table = load_tables()[relation.table]
        return msgspec.structs.replace(
            relation,
            limits=(*self._device_limits(table), *self._service_limits(table)),
            masks=self._limits(table, self._sources.device_references),
            names=self._names(table),
            links=tuple(self._links(table)),
            is_visible=self._is_visible(table),
        )

    def _is_visible(self, table: TableContract) -> bool:
        if self._scope.narrows_devices and table.name in self._sources.tangled.tables:
            return False
        return self._scope.sources is None or self._sources.covers(self._scope.sources, table)

    def _device_limits(self, table: TableContract) -> tuple[RowLimit, ...]:
        return self._limits(table, self._sources.device_columns)

    def _limits(self, table: TableContract, columns: tuple[str, ...]) -> tuple[RowLimit, ...]:
        if not self._scope.narrows_devices:
            return ()
        return tuple(RowLimit(name, self._seen()) for name in columns if table.column(name))

    def _names(self, table: TableContract) -> tuple[NameLimit, ...]:
        if not self._scope.narrows_devices or any(table.column(name) for name in self._sources.device_columns):
            return ()
        columns = [name for name in self._sources.device_names if table.column(name)]
        hidden = self._seen_devices.hidden_names(self._tenant_id, self._scope) if columns else frozenset()
        return tuple(NameLimit(name, hidden) for name in columns)

    def _service_limits(self, table: TableContract) -> tuple[RowLimit, ...]:
        column = self._sources.shared.service_column
        if self._scope.sources is None or table.product not in self._sources.shared.products:
            return ()
        return (RowLimit(column, _service_texts(self._sources, self._scope.sources)),) if table.column(column) else ()

    def _links(self, table: TableContract) -> list[LinkLimit]:
        if not self._scope.narrows_devices:
            return []
        tables = load_tables()
        return [
            LinkLimit(link.key, link.through, self._device_limits(tables[link.through]))
            for link in self._sources.links
            if table.name in link.tables
        ]

    def _seen(self) -> frozenset[str]:
        if self._devices is None:
            self._devices = self._seen_devices(self._tenant_id, self._scope)
        return self._devices


def _service_texts(sources: DataSources, keys: frozenset[str]) -> frozenset[str]:
    """What hunting tables call the services of some sources."""
    members = load_enums()["serviceSource"].by_name
    return frozenset((members[name].hunting or name).lower() for name in sources.services(keys))
