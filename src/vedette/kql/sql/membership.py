"""Membership: `in` of constants, of arrays and of tables."""

from __future__ import annotations

from sqlglot import exp

from vedette.kql.plan import Call, Expression, Literal
from vedette.kql.sql import tree
from vedette.kql.sql.base import Family, Scalars, SubqueryMember, never_null
from vedette.kql.sql.comparison import comparable
from vedette.kql.sql.literals import dynamic_members
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

family = Family()


def _folded(value: Sql, ignore_case: bool) -> Sql:
    return tree.call("lower", value) if ignore_case else value


def _membership(scalars: Scalars, call: Call, ignore_case: bool) -> Sql:
    """`x IN (…)` for constants and values, with arrays among the members spread or searched."""
    operand, *members = call.arguments
    ignore_case = ignore_case and operand.type is ScalarType.STRING
    value = _folded(comparable(scalars, operand), ignore_case)
    singles: list[Sql] = []
    tests: list[Sql] = []
    for member in members:
        if isinstance(member, Literal) and member.type is ScalarType.DYNAMIC:
            constants = dynamic_members(member, operand.type)
            singles += [_folded(scalars.value(each), ignore_case) for each in constants]
        elif member.type is ScalarType.DYNAMIC and operand.type is not ScalarType.DYNAMIC:
            tests.append(_in_array(scalars, operand, member, value, ignore_case))
        elif not (isinstance(member, Literal) and member.value is None):
            singles.append(_folded(comparable(scalars, member), ignore_case))
    if singles:
        tests.insert(0, tree.any_of(value, singles))
    return tree.either(*tests) if tests else tree.boolean(False)


def _in_array(scalars: Scalars, operand: Expression, member: Expression, value: Sql, ignore_case: bool) -> Sql:
    array = scalars.value(member)
    if operand.type is ScalarType.STRING:
        texts = tree.call("kql_strings_lower" if ignore_case else "kql_strings", array)
        return tree.coalesce(tree.call("list_contains", texts, value), tree.boolean(False))
    texts = tree.call("kql_strings", array)
    as_text = scalars.value(Call(ScalarType.STRING, "tostring", (operand,)))
    return tree.coalesce(tree.call("list_contains", texts, as_text), tree.boolean(False))


@family.condition("in", "in_ci")
def _in_condition(scalars: Scalars, call: Call) -> Sql:
    return _membership(scalars, call, call.function.endswith("_ci"))


@family.rule("in", "in_ci")
def _in(scalars: Scalars, call: Call) -> Sql:
    found = _in_condition(scalars, call)
    return found if never_null(call.arguments[0]) else tree.coalesce(found, tree.boolean(False))


@family.rule("not_in", "not_in_ci")
def _not_in(scalars: Scalars, call: Call) -> Sql:
    return tree.negation(_in(scalars, call))


@family.rule("in subquery", "in_ci subquery")
def _in_subquery(scalars: Scalars, call: Call) -> Sql:
    operand, member = call.arguments
    assert isinstance(member, SubqueryMember)
    found = _subquery_membership(scalars, call)
    return found if never_null(operand) else tree.coalesce(found, tree.boolean(False))


@family.rule("not_in subquery", "not_in_ci subquery")
def _not_in_subquery(scalars: Scalars, call: Call) -> Sql:
    return tree.negation(_in_subquery(scalars, call))


def _subquery_membership(scalars: Scalars, call: Call) -> Sql:
    operand, member = call.arguments
    assert isinstance(member, SubqueryMember)
    ignore_case = "_ci" in call.function and operand.type is ScalarType.STRING
    item: Sql = tree.column("item")
    value = comparable(scalars, operand)
    if member.type is ScalarType.DYNAMIC and operand.type is not ScalarType.DYNAMIC:
        item = tree.call("kql_tostring_dynamic", item)
        value = scalars.value(Call(ScalarType.STRING, "tostring", (operand,)))
    elif operand.type is ScalarType.DYNAMIC:
        item = tree.cast(item, "VARCHAR")
        value = tree.call("kql_tostring_dynamic", scalars.value(operand))
    query = (
        exp.Select(expressions=[_folded(item, ignore_case)])
        .from_(scalars.subqueries.column_subquery(member.plan), copy=False)
        .where(tree.is_not_null(tree.column("item")), copy=False)
    )
    return exp.In(this=tree.operand(_folded(value, ignore_case)), query=exp.Subquery(this=query))
