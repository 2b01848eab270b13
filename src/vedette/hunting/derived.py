"""Relations behind Defender's functions that no event fills: made from the tenant's own rows when a query reads them.

Each is a KQL query of the same name in `derived_tables/`; the catalog declares its columns.
"""

import functools
import importlib.resources
from collections.abc import Mapping

PREFIX = "$"
"""Begins the catalog's name of a derived table, which no user's table has."""


def is_derived(table: str) -> bool:
    """Whether a table of the catalog is computed rather than stored."""
    return table.startswith(PREFIX)


def derived_query(table: str) -> str:
    """The KQL that makes the rows. Raises KeyError for a table that the catalog should not have declared."""
    return _queries()[table.removeprefix(PREFIX)]


@functools.cache
def _queries() -> Mapping[str, str]:
    folder = importlib.resources.files("vedette.hunting") / "derived_tables"
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".kql")]
    return {entry.name.removesuffix(".kql"): entry.read_text("utf-8") for entry in files}
