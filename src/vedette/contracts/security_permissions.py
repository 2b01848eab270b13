"""Permissions that custom roles are made of, and the rights they bring."""

import functools
from collections.abc import Iterable, Mapping

import msgspec

from vedette.contracts.loader import data_folder, load_document
from vedette.contracts.user_rights import load_user_rights
from vedette.errors import ContractError


class SecurityPermissionContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One permission."""

    key: str
    group: str
    name: str
    also: str = ""
    """The permission of a role of Defender for Endpoint that it stands for."""
    rights: tuple[str, ...] = ()


class SecurityPermissionsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of permissions."""

    source: str
    permissions: tuple[SecurityPermissionContract, ...]


@functools.cache
def load_security_permissions() -> Mapping[str, SecurityPermissionContract]:
    """All permissions by key, in documented order."""
    document = load_document(data_folder() / "security_permissions.toml", SecurityPermissionsDocument)
    for permission in document.permissions:
        if unknown := set(permission.rights) - set(load_user_rights()):
            raise ContractError(f"security_permissions.toml: {permission.key} has unknown rights {sorted(unknown)}")
    return {permission.key: permission for permission in document.permissions}


def rights_of(permissions: Iterable[str]) -> frozenset[str]:
    """The rights that permissions bring; keys that are no permission any more bring none."""
    known = load_security_permissions()
    return frozenset(right for key in permissions if key in known for right in known[key].rights)
