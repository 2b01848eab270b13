"""What the compiler has to be told about the world: tables and stored functions, handed in by the host."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from typing import Protocol

from vedette.kql.types import ScalarType


@dataclasses.dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a catalog table. `physical` is its stored name, distinct even when case is ignored."""

    name: str
    type: ScalarType
    physical: str
    description: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class TableSchema:
    """A table the query may name. `time_column` is what segments are pruned by.

    `ingestion_column` is the stored name of the column behind ingestion_time(), None where that is not known.

    `aliases` maps further column names to a column's name (`TimeGenerated` for `Timestamp`): they resolve when written
    but are not part of `*`. So does `name_column`, which holds the table's own name.
    """

    name: str
    columns: tuple[TableColumn, ...]
    time_column: str | None = None
    aliases: tuple[tuple[str, str], ...] = ()
    description: str = ""
    ingestion_column: str | None = None
    name_column: str | None = None

    @classmethod
    def of(cls, name: str, columns: Mapping[str, str], *, time_column: str | None = None) -> TableSchema:
        """A table from its columns' names and KQL types, stored under those names. Raises ValueError for no type."""
        found = tuple(TableColumn(each, ScalarType(type_), each) for each, type_ in columns.items())
        return cls(name, found, time_column)


class EmptyCatalog:
    """A world without tables and stored functions."""

    version = "empty"

    def table(self, _name: str, /) -> TableSchema | None:
        """Nothing."""
        return None

    def table_names(self) -> Iterable[str]:
        """Nothing."""
        return ()

    def function(self, _name: str, /) -> str | None:
        """Nothing."""
        return None

    def function_names(self) -> Iterable[str]:
        """Nothing."""
        return ()


class StaticCatalog:
    """Tables and functions that do not change: the catalog of a program that brings its own."""

    def __init__(self, tables: Iterable[TableSchema], functions: Mapping[str, str] | None = None) -> None:
        """`functions` are declarations `(parameters) { body }` by name."""
        self._tables = {table.name: table for table in tables}
        self._functions = dict(functions or {})
        content = repr((sorted(self._tables.items()), sorted(self._functions.items())))
        self.version = hashlib.sha256(content.encode()).hexdigest()[:16]

    def table(self, name: str, /) -> TableSchema | None:
        """The table of that name."""
        return self._tables.get(name)

    def table_names(self) -> Iterable[str]:
        """Names of all tables."""
        return self._tables.keys()

    def function(self, name: str, /) -> str | None:
        """The declaration of a function."""
        return self._functions.get(name)

    def function_names(self) -> Iterable[str]:
        """Names of all functions."""
        return self._functions.keys()


class Catalog(Protocol):
    """Tables and stored functions in reach of a query. Names are case-sensitive."""

    @property
    def version(self) -> str:
        """Changes when any schema changes: part of the key under which compiled queries are cached."""
        ...

    def table(self, name: str, /) -> TableSchema | None:
        """The table of that name (or old name), or None."""
        ...

    def table_names(self) -> Iterable[str]:
        """Names for wildcards, `search`, `find` and hints."""
        ...

    def function(self, name: str, /) -> str | None:
        """KQL text of a stored function's declaration `(params) { body }`, or None."""
        ...

    def function_names(self) -> Iterable[str]:
        """Names of the stored functions, for completion and hints."""
        ...


EMPTY: Catalog = EmptyCatalog()
