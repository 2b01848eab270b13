"""What a person's directory roles let applications do on their behalf: rights, and which operations need which."""

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, TypeVar

import msgspec

from vedette.context import EVERYTHING, DataScope, Principal, RoleGrant
from vedette.contracts.data_sources import load_data_sources
from vedette.contracts.loader import data_folder, load_document
from vedette.contracts.operations import OperationContract
from vedette.contracts.permissions import load_directory_roles
from vedette.errors import ContractError

Family = Literal["graph", "defender"]
"""Whose names of delegated permissions: Graph's, or those of the two Defender APIs."""

EVERY_RIGHT = "*"

T = TypeVar("T", int, str)


class UserRightContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One right, with the delegated permissions that are worth nothing without it."""

    key: str
    name: str
    everyone: bool = False
    """Whether every account of a tenant has it."""
    graph: tuple[str, ...] = ()
    defender: tuple[str, ...] = ()


class UserLimitContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A further limit on people, and whether it is built."""

    name: str
    status: Literal["implemented", "partial", "planned"]
    note: str


class UserRightsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of rights."""

    source: str
    rights: tuple[UserRightContract, ...]
    limits: tuple[UserLimitContract, ...] = ()


@functools.cache
def load_user_limits() -> tuple[UserLimitContract, ...]:
    """What bounds people besides rights."""
    return load_document(data_folder() / "user_rights.toml", UserRightsDocument).limits


@functools.cache
def load_user_rights() -> Mapping[str, UserRightContract]:
    """All rights by key."""
    document = load_document(data_folder() / "user_rights.toml", UserRightsDocument)
    rights = {right.key: right for right in document.rights}
    for role in load_directory_roles().values():
        if unknown := set(role.rights) - set(rights) - {EVERY_RIGHT}:
            raise ContractError(f"directory_roles.toml: {role.display_name} has unknown rights {sorted(unknown)}")
    return rights


@functools.cache
def rights_by_scope(family: Family) -> Mapping[str, UserRightContract]:
    """The right behind each delegated permission."""
    found: dict[str, UserRightContract] = {}
    for right in load_user_rights().values():
        for scope in right.graph if family == "graph" else right.defender:
            if found.setdefault(scope, right) is not right:
                raise ContractError(f"user_rights.toml: {scope} is in two rights")
    return found


def needed_right(operation: OperationContract, family: Family) -> UserRightContract | None:
    """The right that an operation needs of a person; None if the data names none, which nobody has by a role."""
    return rights_by_scope(family).get(operation.delegated[0]) if operation.delegated else None


def has_right(role_ids: Collection[str], right: UserRightContract | None) -> bool:
    """Whether somebody with these directory roles (template ids) has a right."""
    if right is not None and right.everyone:
        return True
    return any(role_id in roles_with(right) for role_id in role_ids)


def may(principal: Principal, right: UserRightContract | None) -> bool:
    """Whether a person has a right, by a directory role or by a custom one."""
    return has_right(principal.directory_roles, right) or bool(_grants_of(principal, right))


def user_scope(principal: Principal, right: UserRightContract | None) -> DataScope:
    """Over which data a person has a right. A right that everybody has opens no security data by itself.

    Several roles add up; the user access of device groups narrows all of them, except for who sees every device.
    """
    hidden = frozenset() if _sees_every_device(principal.directory_roles) else principal.hidden_device_groups
    if any(role_id in roles_with(right) for role_id in principal.directory_roles):
        return DataScope(hidden_device_groups=hidden) if hidden else EVERYTHING
    grants = _grants_of(principal, right)
    with_devices = load_data_sources().with_devices()
    about_devices = [each for each in grants if each.sources is None or each.sources & with_devices]
    return DataScope(
        device_groups=_union([each.device_groups for each in about_devices]),
        hidden_device_groups=hidden,
        sources=_union([each.sources for each in grants]),
    )


def _grants_of(principal: Principal, right: UserRightContract | None) -> list[RoleGrant]:
    return [] if right is None else [grant for grant in principal.role_grants if right.key in grant.rights]


def _union(limits: Sequence[frozenset[T] | None]) -> frozenset[T] | None:
    """Everything if one of them is not limited, nothing if there are none."""
    named = [limit for limit in limits if limit is not None]
    return None if len(named) < len(limits) else frozenset[T]().union(*named)


def _sees_every_device(role_ids: Collection[str]) -> bool:
    return any(role.id in role_ids for role in load_directory_roles().values() if role.sees_every_device)


@functools.cache
def roles_with(right: UserRightContract | None) -> Mapping[str, str]:
    """Names of the directory roles that bring a right, by template id."""
    wanted = {EVERY_RIGHT} if right is None else {EVERY_RIGHT, right.key}
    return {
        role.id: role.display_name for role in load_directory_roles().values() if not wanted.isdisjoint(role.rights)
    }
