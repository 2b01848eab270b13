"""Where data comes from, as roles are limited by it: hunting tables and alerts by data source."""

import functools
from collections.abc import Mapping

import msgspec

from vedette.contracts.enums import load_enums
from vedette.contracts.loader import data_folder, load_document
from vedette.contracts.tables import TableContract, load_tables
from vedette.errors import ContractError


class DataSourceContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One data source: products of hunting tables, services of alerts."""

    key: str
    name: str
    products: tuple[str, ...]
    services: tuple[str, ...]
    has_devices: bool = False


class SharedTables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tables of all sources, and the column that tells the service of a row."""

    products: tuple[str, ...]
    service_column: str


class LinkContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tables whose rows are about what the rows of `through` with the same `key` are about."""

    tables: tuple[str, ...]
    key: str
    through: str


class TangledTables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tables whose rows cannot be told apart by device."""

    tables: tuple[str, ...]


class DataSources(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    source: str
    device_columns: tuple[str, ...]
    device_references: tuple[str, ...]
    device_names: tuple[str, ...]
    sources: tuple[DataSourceContract, ...]
    shared: SharedTables
    links: tuple[LinkContract, ...]
    tangled: TangledTables

    def by_key(self) -> Mapping[str, DataSourceContract]:
        """The sources by key."""
        return {source.key: source for source in self.sources}

    def with_devices(self) -> frozenset[str]:
        """Keys of the sources whose data is about machines."""
        return frozenset(source.key for source in self.sources if source.has_devices)

    def services(self, keys: frozenset[str]) -> frozenset[str]:
        """Services of alerts, in Graph's words, of some sources."""
        return frozenset(service for source in self.sources if source.key in keys for service in source.services)

    def covers(self, keys: frozenset[str], table: TableContract) -> bool:
        """Whether a table is of one of the sources, or of all."""
        products = {product for source in self.sources if source.key in keys for product in source.products}
        return table.product in products or table.product in self.shared.products


@functools.cache
def load_data_sources() -> DataSources:
    """The data sources. Raises ContractError where they name what there is not."""
    document = load_document(data_folder() / "data_sources.toml", DataSources)
    products = {table.product for table in load_tables().values()}
    named = {product for source in document.sources for product in source.products} | {*document.shared.products}
    tables = {name for link in document.links for name in (*link.tables, link.through)} | {*document.tangled.tables}
    services = document.services(frozenset(source.key for source in document.sources))
    known = load_enums()["serviceSource"].by_name.keys()
    unknown = (named - products) | (tables - load_tables().keys()) | (services - known)
    if unknown:
        raise ContractError(f"data_sources.toml: unknown {sorted(unknown)}")
    return document
