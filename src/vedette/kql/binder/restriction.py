"""`restrict access to (T, …)`: a catalog in which only the named tables and functions can be found."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from vedette.kql import syntax
from vedette.kql.binder.context import Binder
from vedette.kql.catalog import Catalog, TableSchema


class RestrictedCatalog:
    """Part of another catalog."""

    def __init__(self, catalog: Catalog, names: frozenset[str]) -> None:
        self._catalog = catalog
        self._names = names

    @property
    def version(self) -> str:
        """That of the whole catalog: the text of the query says what part of it this is."""
        return self._catalog.version

    def table(self, name: str) -> TableSchema | None:
        """The table of that name, if it may be seen."""
        return self._catalog.table(name) if name in self._names else None

    def table_names(self) -> Iterable[str]:
        """Names of the tables that may be seen."""
        return (name for name in self._catalog.table_names() if name in self._names)

    def function(self, name: str) -> str | None:
        """The function of that name, if it may be seen."""
        return self._catalog.function(name) if name in self._names else None

    def function_names(self) -> Iterable[str]:
        """Names of the functions that may be seen."""
        return (name for name in self._catalog.function_names() if name in self._names)


def bind_restriction(binder: Binder, statement: syntax.RestrictStatement) -> None:
    """From here on other tables cannot be named. What was declared before keeps what it sees."""
    names: set[str] = set()
    for each in statement.entities:
        if isinstance(each, syntax.NameReference):
            names.add(each.name)
        elif isinstance(each, syntax.WildcardName):
            names.update(name for name in binder.catalog.table_names() if fnmatch.fnmatchcase(name, each.pattern))
        else:
            binder.report("unsupported_scope", each.span, name="restrict access")
    binder.catalog = RestrictedCatalog(binder.catalog, frozenset(names))
