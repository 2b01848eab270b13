"""The plan as a whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from vedette.kql.plan.nodes import Relation


@dataclasses.dataclass(frozen=True, slots=True)
class BoundQuery:
    """What the binder hands on: the plan of the query's result and what `render` asks of the caller.

    `open` is true when the result has columns that only the data knows (analysis only: compilation discovers them).
    `further` are results besides the first, with their names: those of fork, facet and of earlier statements.
    """

    relation: Relation
    render: Mapping[str, str] | None = None
    open: bool = False
    further: tuple[tuple[str | None, Relation], ...] = ()
