"""Logic: `and`, `or` and `not`, as values and as conditions."""

from __future__ import annotations

from vedette.kql.plan import Call
from vedette.kql.sql import tree
from vedette.kql.sql.base import Family, Scalars
from vedette.kql.sql.matching import gathered
from vedette.kql.sql.tree import Sql

family = Family()


@family.rule("and")
def _and(scalars: Scalars, call: Call) -> Sql:
    return tree.both(*scalars.values(call.arguments))


@family.rule("or")
def _or(scalars: Scalars, call: Call) -> Sql:
    return tree.either(*scalars.values(gathered(call.arguments)))


@family.condition("and")
def _and_condition(scalars: Scalars, call: Call) -> Sql:
    return tree.both(*(scalars.condition(each) for each in call.arguments))


@family.condition("or")
def _or_condition(scalars: Scalars, call: Call) -> Sql:
    return tree.either(*(scalars.condition(each) for each in gathered(call.arguments)))


@family.rule("not")
def _not(scalars: Scalars, call: Call) -> Sql:
    return tree.negation(scalars.value(call.arguments[0]))
