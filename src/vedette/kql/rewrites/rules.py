"""The rewrites in the order in which they run. Each takes a plan and gives an equivalent one."""

from __future__ import annotations

from collections.abc import Callable

from vedette.kql.plan import Relation
from vedette.kql.rewrites.folding import fold

Rewrite = Callable[[Relation, int], Relation]
"""A rewrite of a plan; `now` in ticks is the time of the query."""

RULES: tuple[Rewrite, ...] = (fold,)


def rewrite(relation: Relation, now: int) -> Relation:
    """The plan after all rewrites."""
    for rule in RULES:
        relation = rule(relation, now)
    return relation
