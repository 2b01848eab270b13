"""Scalar functions over the sketches that `hll` and `tdigest` make."""

from __future__ import annotations

from vedette.kql.plan import Call, Expression
from vedette.kql.sql import tree
from vedette.kql.sql.base import Family, Scalars
from vedette.kql.sql.conversions import converted
from vedette.kql.sql.dynamic import embed
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

family = Family()

_TICKS = frozenset({ScalarType.DATETIME, ScalarType.TIMESPAN})


@family.rule("hll_merge")
def _hll_merge(scalars: Scalars, call: Call) -> Sql:
    return tree.call("kql_hll_merged", tree.array(scalars.values(call.arguments)))


@family.rule("tdigest_merge")
def _tdigest_merge(scalars: Scalars, call: Call) -> Sql:
    return tree.call("kql_digest_merged", tree.array(scalars.values(call.arguments)))


@family.rule("rank_tdigest", "percentrank_tdigest")
def _rank(scalars: Scalars, call: Call) -> Sql:
    digest, value = call.arguments
    return tree.call(f"kql_{call.function}", scalars.value(digest), _measure(scalars, value))


def _measure(scalars: Scalars, value: Expression) -> Sql:
    return (
        converted(scalars.value(value), value.type, ScalarType.REAL)
        if value.type not in _TICKS
        else tree.cast(scalars.value(value), "DOUBLE")
    )


@family.rule("percentile_tdigest")
def _percentile(scalars: Scalars, call: Call) -> Sql:
    digest, rank = call.arguments[:2]
    found = tree.call("kql_digest_at", scalars.value(digest), scalars.value(rank))
    if call.type is ScalarType.DYNAMIC:
        return embed(found, ScalarType.REAL)
    return tree.cast(found, "BIGINT") if call.type in _TICKS else converted(found, ScalarType.REAL, call.type)


@family.rule("percentiles_array_tdigest")
def _percentiles(scalars: Scalars, call: Call) -> Sql:
    digest, *ranks = call.arguments
    if len(ranks) == 1 and ranks[0].type is ScalarType.DYNAMIC:
        wanted = tree.call("kql_reals", scalars.value(ranks[0]))
    else:
        wanted = tree.array([tree.cast(each, "DOUBLE") for each in scalars.values(ranks)])
    return tree.call("kql_digest_at_each", scalars.value(digest), wanted)


@family.rule("hll_common_count")
def _hll_common_count(scalars: Scalars, call: Call) -> Sql:
    return tree.call("kql_hll_common_count", tree.array(scalars.values(call.arguments)))
