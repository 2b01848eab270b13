"""What calls of the older Defender APIs become in Microsoft Graph: endpoints, permissions, fields, values, ends."""

import functools
from collections.abc import Mapping

import msgspec

from vedette.contracts.enums import EnumMember, load_enums
from vedette.contracts.loader import data_folder, load_document

Rename = tuple[str, str]


class EntityMigration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the shape of an entity changes: fields that are called otherwise, enums that are spelled otherwise."""

    fields: tuple[Rename, ...]
    enums: tuple[str, ...]

    @property
    def values(self) -> Mapping[str, tuple[Rename, ...]]:
        """By enum: spellings of the older API, and Graph's."""
        return {
            name: tuple((m.defender, m.name) for m in load_enums()[name].members if _is_renamed(m))
            for name in self.enums
        }


class CallMigration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One call. `path` is below `/api`; `retires` is empty where no end is published."""

    id: str
    method: str
    path: str
    replacement: str
    application: tuple[str, ...]
    delegated: tuple[str, ...]
    source: str
    changes: tuple[str, ...]
    retires: str = ""
    entity: str = ""
    fields: tuple[Rename, ...] = ()


class TokenMigration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What tokens are asked for instead."""

    resource: str
    scope: str


class Migration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    hosts: tuple[str, ...]
    """Patterns of the older APIs' host names and resources."""
    token: TokenMigration
    permissions: Mapping[str, str]
    calls: tuple[CallMigration, ...]
    entities: Mapping[str, EntityMigration]
    common_names: tuple[str, ...]
    """Names of fields that mean nothing by themselves."""
    hunting_source: str
    incident_source: str

    def source_of(self, call: CallMigration) -> str:
        """Where the facts about a call come from."""
        return str(getattr(self, call.source)) if call.source in self.__struct_fields__ else call.source

    def fields_of(self, call: CallMigration) -> tuple[Rename, ...]:
        """Fields of a call's answer or body that are called otherwise."""
        return call.fields + (self.entities[call.entity].fields if call.entity else ())


def _is_renamed(member: EnumMember) -> bool:
    return bool(member.defender) and member.defender != member.name and not member.evolved


@functools.cache
def load_migration() -> Migration:
    """The facts."""
    return load_document(data_folder() / "migration.toml", Migration)
