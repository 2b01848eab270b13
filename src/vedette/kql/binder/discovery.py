"""Schemas that only the data knows: what the host has to find out before a query can be compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vedette.errors import VedetteError
from vedette.kql.plan import Relation

Discoveries = Mapping[str, Sequence[tuple[object, ...]]]
"""Rows of the discovery queries that have been run, by key."""


class NeedsDiscovery(VedetteError):
    """Binding cannot go on before `plan` has been run; bind again with its rows under `key` in `discoveries`.

    `key` is the same whenever the same query text is bound against the same catalog.
    """

    def __init__(self, key: str, plan: Relation) -> None:
        self.key = key
        self.plan = plan
        super().__init__(key)


class NotYetThere(VedetteError):
    """A discovery would read the rows that an enclosing operator hands to its subquery one part at a time."""
