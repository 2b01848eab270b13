"""Old names of advanced-hunting tables and columns, which published queries still use."""

import functools

import msgspec

from vedette.contracts.loader import data_folder, load_document


class TableRename(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table's old name. Where a table of the old name still exists, that one is meant."""

    old: str
    new: str
    since: str


class ColumnRename(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column's old name in some tables."""

    tables: tuple[str, ...]
    old: str
    new: str
    since: str


class Renames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All renames known."""

    source: str
    tables: tuple[TableRename, ...]
    columns: tuple[ColumnRename, ...]


@functools.cache
def load_renames() -> Renames:
    """The renames, parsed once."""
    return load_document(data_folder() / "renames.toml", Renames)
