"""Several tables as the result of one operator: fork, facet, preview. They can only end a query."""

from __future__ import annotations

import dataclasses

from vedette.kql.binder.scopes import Table


@dataclasses.dataclass(slots=True, eq=False)
class ResultTables(Table):
    """The first table, and further ones with their names (None where they have none)."""

    further: list[tuple[str | None, Table]] = dataclasses.field(default_factory=list)


def results_of(first: Table, further: list[tuple[str | None, Table]]) -> ResultTables:
    """A result of several tables."""
    return ResultTables(first.visible, open=first.open, serialized=True, further=further)
