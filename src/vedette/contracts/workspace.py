"""The columns that hunting tables have in a Log Analytics workspace besides their own: known, not stored."""

import fnmatch
import functools
from collections.abc import Mapping

import msgspec

from vedette.contracts.loader import data_folder, load_document
from vedette.contracts.tables import ColumnType


class WorkspaceContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Groups of columns (name, type), the groups of each table or pattern of tables, and aliases by table."""

    source: str
    groups: Mapping[str, tuple[tuple[str, ColumnType], ...]]
    tables: Mapping[str, tuple[str, ...]]
    aliases: Mapping[str, Mapping[str, str]]


@functools.cache
def _load() -> WorkspaceContract:
    return load_document(data_folder() / "workspace.toml", WorkspaceContract)


def workspace_columns(table: str) -> tuple[tuple[str, ColumnType], ...]:
    """Name and type of each workspace column of a table, in order."""
    contract = _load()
    patterns = [each for each in contract.tables if "*" in each and fnmatch.fnmatchcase(table, each)]
    groups = contract.tables.get(table) or contract.tables[max(patterns, key=len)]
    return tuple(column for group in groups for column in contract.groups[group])


def workspace_aliases(table: str) -> Mapping[str, str]:
    """Names that a workspace gives to columns of a hunting table, each with the hunting table's own."""
    return _load().aliases.get(table, {})
