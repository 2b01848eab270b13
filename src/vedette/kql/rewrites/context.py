"""What rewrites may know besides the plan."""

from __future__ import annotations

import dataclasses

from vedette.kql.catalog import Catalog


@dataclasses.dataclass(frozen=True, slots=True)
class Context:
    """The catalog: it knows which column of a table is its time."""

    catalog: Catalog
