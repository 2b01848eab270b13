"""Wire enums of the security surfaces: stored under one name, shown and read in each surface's spelling.

The stored name is Microsoft Graph's. Input is matched without regard to case against every spelling that any page
documents.
"""

import functools
from collections.abc import Mapping

import msgspec

from vedette.contracts.loader import load_folder
from vedette.errors import ContractError

UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


class EnumMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One member. `name` is Graph's; the others are empty where the surface has no such member."""

    name: str
    defender: str = ""
    """Spelling of the Defender XDR API."""
    hunting: str = ""
    """Text in the hunting tables AlertInfo and AlertEvidence."""
    alert_prefix: str = ""
    """`serviceSource` only: first letters of the ids of its alerts."""
    accepts: tuple[str, ...] = ()
    """Further spellings taken on input."""
    evolved: bool = False
    """Added later: Graph answers `unknownFutureValue` unless the client asks for such members."""
    hidden: bool = False
    """Only an answer's placeholder, never stored and never taken."""


class EnumContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One enum with its members in order of value."""

    name: str
    source: str
    members: tuple[EnumMember, ...]
    note: str = ""

    @functools.cached_property
    def by_name(self) -> Mapping[str, EnumMember]:
        """Members by stored name."""
        return {member.name: member for member in self.members}

    @functools.cached_property
    def spellings(self) -> Mapping[str, str]:
        """Every accepted spelling in lower case → stored name, names first, in order of value."""
        result: dict[str, str] = {}
        taken = [member for member in self.members if not member.hidden]
        for member in taken:
            for text in (member.name, *member.accepts):
                if result.setdefault(text.lower(), member.name) != member.name:
                    raise ContractError(f"enum {self.name}: {text} is two members")
        for member in taken:  # several members may be shown as one: the text then means the first
            result.setdefault(self.defender(member.name).lower(), member.name)
        return result

    def parse(self, text: str) -> str | None:
        """The stored name of any accepted spelling, or None."""
        return self.spellings.get(text.lower())

    def graph(self, name: str, *, evolved: bool = False) -> str:
        """Graph's text; with `evolved` also members added after the enum was first published."""
        return self.graph_texts(evolved=evolved)[name]

    def graph_texts(self, *, evolved: bool) -> Mapping[str, str]:
        """Graph's texts by stored name."""
        return self._graph_texts[evolved]

    def defender(self, name: str) -> str:
        """The Defender XDR API's text."""
        return self._defender_texts[name]

    def hunting(self, name: str) -> str:
        """The text in hunting tables."""
        return self.by_name[name].hunting or self.defender(name)

    @functools.cached_property
    def _graph_texts(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        known = {member.name: UNKNOWN_FUTURE_VALUE if member.evolved else member.name for member in self.members}
        return known, {member.name: member.name for member in self.members}

    @functools.cached_property
    def _defender_texts(self) -> Mapping[str, str]:
        return {member.name: member.defender or member.name[:1].upper() + member.name[1:] for member in self.members}


class EnumsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of enums."""

    enums: tuple[EnumContract, ...]


@functools.cache
def load_enums() -> Mapping[str, EnumContract]:
    """All enums by name."""
    enums: dict[str, EnumContract] = {}
    for document in load_folder("enums", EnumsDocument):
        for enum in document.enums:
            if enum.name in enums:
                raise ContractError(f"enum {enum.name} is declared twice")
            enums[enum.name] = enum
    return enums
