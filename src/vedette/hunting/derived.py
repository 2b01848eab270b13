"""Relations that no event fills: made from the tenant's own rows, as far as a caller sees them, when they are read.

Each is a KQL query of the same name in `derived_tables/`; the catalog declares its columns. Some are relations behind
Defender's functions, others hunting tables, which add what was taken in for them.
"""

import functools
import importlib.resources
from collections.abc import Mapping

PREFIX = "$"
"""Begins the catalog's name of a relation that no user's table has."""

_STORED = "$stored/"
"""Begins the name by which a derived table's query reads what was taken in for that table."""


def is_derived(table: str) -> bool:
    """Whether a table of the catalog is computed rather than stored."""
    return table.removeprefix(PREFIX) in _queries()


def derived_tables() -> tuple[str, ...]:
    """Names of relations that are computed, without prefix."""
    return tuple(_queries())


def derived_query(table: str) -> str:
    """The KQL that makes the rows. Raises KeyError for a table that the catalog should not have declared."""
    return _queries()[table.removeprefix(PREFIX)]


def as_stored(table: str) -> str:
    """The catalog's name of what was taken in for a derived table."""
    return f"{_STORED}{table}"


def stored_table(name: str) -> str:
    """The lake's name of a table of the catalog that is stored."""
    return name.removeprefix(_STORED)


@functools.cache
def _queries() -> Mapping[str, str]:
    folder = importlib.resources.files("vedette.hunting") / "derived_tables"
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".kql")]
    return {entry.name.removesuffix(".kql"): entry.read_text("utf-8") for entry in files}
