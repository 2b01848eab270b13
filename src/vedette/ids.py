"""Makers of identifiers. Injected where tests need known values."""

import uuid
from typing import Protocol

# Ids that we have to invent for things Microsoft has an unpublished id for are derived from this namespace, so that
# they are the same in every installation and recognisable as ours.
VEDETTE_NAMESPACE = uuid.UUID("6f0c1b1e-5f4b-5d0c-9a63-7d0a3d1e5b52")


class Ids(Protocol):
    """Where new identifiers come from."""

    def guid(self) -> str:
        """A new random GUID in lower case with hyphens."""
        ...


class RandomIds:
    """Version 4 GUIDs from the operating system."""

    def guid(self) -> str:
        return str(uuid.uuid4())


def derived_guid(*parts: str) -> str:
    """The version 5 GUID of `parts` in Vedette's namespace: same parts, same id, everywhere."""
    return str(uuid.uuid5(VEDETTE_NAMESPACE, "/".join(parts)))


def is_guid(text: str) -> bool:
    """Whether `text` is a GUID in its 36-character form, in any case."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
