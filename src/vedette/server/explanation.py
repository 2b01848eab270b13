"""An explanation for people: a title, and sections of sentences and commands. The CLI lays it out."""

import msgspec


class Section(msgspec.Struct, frozen=True):
    """One part. Commands are to be copied and never broken."""

    heading: str
    sentences: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


class Explanation(msgspec.Struct, frozen=True):
    """What something means."""

    title: str
    sections: tuple[Section, ...]
    document: dict[str, object] | None = None
    """A token's header and claims."""
