"""Changes of the directory by the names under which the audit tells of them."""

import functools
from collections.abc import Mapping
from typing import Literal

import msgspec

from vedette.contracts.loader import data_folder, load_document
from vedette.errors import ContractError

TargetKind = Literal["Application", "ServicePrincipal", "User", "Group", "Role", "DeviceGroup", "Tenant"]


class DirectoryChangeContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of change."""

    key: str
    """Vedette's own name of it, which code uses."""
    action: str
    """`ActionType` of its row."""
    target: TargetKind
    operations: tuple[str, ...] = ()
    """Operations of the management API that make it."""
    confidence: Literal["documented", "inferred"] = "documented"


class DirectoryChangesDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of changes."""

    source: str
    changes: tuple[DirectoryChangeContract, ...]


@functools.cache
def load_directory_changes() -> Mapping[str, DirectoryChangeContract]:
    """All changes by key."""
    document = load_document(data_folder() / "directory_changes.toml", DirectoryChangesDocument)
    changes = {change.key: change for change in document.changes}
    if len(changes) != len(document.changes):
        raise ContractError("directory_changes.toml: a key is declared twice")
    return changes
