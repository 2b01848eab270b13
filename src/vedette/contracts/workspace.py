"""What a Log Analytics workspace has besides the hunting tables: columns of theirs, and tables. Known, not stored."""

import fnmatch
import functools
from collections.abc import Mapping

import msgspec

from vedette.contracts.loader import data_folder, load_document
from vedette.contracts.tables import ColumnType

Columns = tuple[tuple[str, ColumnType], ...]
"""Name and type of each column, in order."""


class WorkspaceContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Groups of columns, the groups of each table or pattern of tables, and aliases by table."""

    source: str
    groups: Mapping[str, Columns]
    tables: Mapping[str, tuple[str, ...]]
    aliases: Mapping[str, Mapping[str, str]]


class WorkspaceTables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tables that only workspaces have, those that hunting queries name most."""

    source: str
    tables: Mapping[str, Columns]


@functools.cache
def _load() -> WorkspaceContract:
    return load_document(data_folder() / "workspace.toml", WorkspaceContract)


@functools.cache
def workspace_tables() -> Mapping[str, Columns]:
    """The tables that only workspaces have, by name."""
    return load_document(data_folder() / "workspace_tables.json", WorkspaceTables).tables


def workspace_columns(table: str) -> Columns:
    """The workspace columns of a hunting table."""
    contract = _load()
    patterns = [each for each in contract.tables if "*" in each and fnmatch.fnmatchcase(table, each)]
    groups = contract.tables.get(table) or contract.tables[max(patterns, key=len)]
    return tuple(column for group in groups for column in contract.groups[group])


def workspace_aliases(table: str) -> Mapping[str, str]:
    """Names that a workspace gives to columns of a hunting table, each with the hunting table's own."""
    return _load().aliases.get(table, {})
