"""The advanced-hunting tables: names, columns, types. Source of lake schema, KQL catalog, ingest and completion."""

import functools
from collections.abc import Mapping
from typing import Literal

import msgspec

from vedette.contracts.loader import load_folder

ColumnType = Literal["bool", "int", "long", "real", "string", "datetime", "guid", "dynamic"]


class ColumnContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One documented column. `documented_type` is the page's own word where it is not a KQL type."""

    name: str
    type: ColumnType
    description: str = ""
    documented_type: str | None = None
    log_analytics_type: str | None = None


class TableContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One advanced-hunting table, columns in documented order. Names are case-sensitive."""

    name: str
    product: str
    availability: str
    source: str
    columns: tuple[ColumnContract, ...]
    time_column: str | None = None
    description: str = ""
    note: str = ""

    def column(self, name: str) -> ColumnContract | None:
        """The column of exactly this name, or None."""
        return next((column for column in self.columns if column.name == name), None)


def physical_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Stored names of columns, distinct even where case is ignored: beside `LogonId`, `LogonID` is `LogonID__2`."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        count = seen[name.lower()] = seen.get(name.lower(), 0) + 1
        result.append(name if count == 1 else f"{name}__{count}")
    return tuple(result)


@functools.cache
def load_tables() -> Mapping[str, TableContract]:
    """All tables by name."""
    return {table.name: table for table in load_folder("tables", TableContract)}
