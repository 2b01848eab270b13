"""What rewrites may know besides the plan."""

from __future__ import annotations

import dataclasses

from vedette.kql.catalog import Catalog


@dataclasses.dataclass(slots=True)
class Context:
    """The time of the query in ticks, and the catalog: it knows which column of a table is its time.

    `asked_time` tells afterwards whether the query depends on its time: then what was compiled holds for it alone.
    """

    moment: int
    catalog: Catalog
    asked_time: bool = False

    def now(self) -> int:
        """The time of the query."""
        self.asked_time = True
        return self.moment
