"""The rewrites in the order in which they run. Each takes a plan and gives an equivalent one."""

from __future__ import annotations

from collections.abc import Callable

from vedette.kql.plan import Relation
from vedette.kql.rewrites.context import Context
from vedette.kql.rewrites.folding import fold
from vedette.kql.rewrites.pruning import prune
from vedette.kql.rewrites.time_ranges import narrow_time_ranges

Rewrite = Callable[[Relation, Context], Relation]

RULES: tuple[Rewrite, ...] = (fold, narrow_time_ranges, prune)


def rewrite(relation: Relation, context: Context) -> Relation:
    """The plan after all rewrites."""
    for rule in RULES:
        relation = rule(relation, context)
    return relation
