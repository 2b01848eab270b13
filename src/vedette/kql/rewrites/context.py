"""What rewrites may know besides the plan."""

from __future__ import annotations

import dataclasses

from vedette.kql.catalog import Catalog


@dataclasses.dataclass(frozen=True, slots=True)
class Context:
    """The time of the query in ticks, and the catalog: it knows which column of a table is its time."""

    now: int
    catalog: Catalog
