"""The resource applications every tenant has, with their app roles, permission scopes and audience aliases."""

import functools
from collections.abc import Mapping
from typing import Literal

import msgspec

from vedette.contracts.loader import data_folder, load_document, load_folder
from vedette.errors import ContractError

IdSource = Literal["public", "single", "vedette"]
"""Where a permission's id comes from: published, one unconfirmed script, or derived by Vedette (UUIDv5)."""


class AppRoleContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One application permission."""

    id: str
    value: str
    display: str
    id_source: IdSource
    source: str


class PermissionScopeContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One delegated permission."""

    id: str
    value: str
    display: str
    id_source: IdSource
    source: str
    admin_only: bool = True


class ResourceContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One resource application: an API that tokens are issued for."""

    key: str
    """Vedette's short name of it, as in `Principal.audience`."""
    display_name: str
    app_id: str
    owner_tenant_id: str
    token_version: Literal[1, 2]
    optional_claims: tuple[str, ...]
    audiences: tuple[str, ...]
    """Every name by which it may be asked for, its own first; a trailing slash and case make no difference."""
    own_hosts: bool
    """Whether the server's own host names are aliases of it (SDKs ask for `https://{host}/.default`)."""
    source: str
    app_roles: tuple[AppRoleContract, ...]
    scopes: tuple[PermissionScopeContract, ...]


class DirectoryRoleContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One built-in directory role. `id` is its template id, the same in every tenant."""

    id: str
    display_name: str
    source: str
    description: str = ""
    rights: tuple[str, ...] = ()
    """What people with this role may do through an application (keys of `user_rights.toml`)."""
    sees_every_device: bool = False
    """Whether no device group limits these people (MicrosoftDocs/defender-docs defender-endpoint/rbac.md)."""


class DirectoryRolesDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of directory roles."""

    roles: tuple[DirectoryRoleContract, ...]


def canonical_audience(name: str) -> str:
    """The form in which names of resources are compared."""
    return name.rstrip("/").casefold()


@functools.cache
def load_resources() -> Mapping[str, ResourceContract]:
    """All resource applications by key."""
    resources = {resource.key: resource for resource in load_folder("permissions", ResourceContract)}
    for resource in resources.values():
        for permissions in (resource.app_roles, resource.scopes):
            if len({permission.value for permission in permissions}) != len(permissions):
                raise ContractError(f"{resource.key}: a permission is named twice")
            if len({permission.id for permission in permissions}) != len(permissions):
                raise ContractError(f"{resource.key}: a permission id is used twice")
    return resources


@functools.cache
def resources_by_audience() -> Mapping[str, ResourceContract]:
    """Resource applications by every canonical audience."""
    aliases: dict[str, ResourceContract] = {}
    for resource in load_resources().values():
        for name in resource.audiences:
            if aliases.setdefault(canonical_audience(name), resource) is not resource:
                raise ContractError(f"audience {name} belongs to two resource applications")
    return aliases


def resource_for_app_id(app_id: str) -> ResourceContract | None:
    """The resource application of this application id, if it is one of ours."""
    return next((resource for resource in load_resources().values() if resource.app_id == app_id), None)


@functools.cache
def load_directory_roles() -> Mapping[str, DirectoryRoleContract]:
    """Built-in directory roles by display name."""
    document = load_document(data_folder() / "directory_roles.toml", DirectoryRolesDocument)
    return {role.display_name: role for role in document.roles}


def directory_role(template_id: str) -> DirectoryRoleContract | None:
    """The built-in directory role of this template id."""
    return next((role for role in load_directory_roles().values() if role.id == template_id.lower()), None)
