"""What is in the plan: conversions, long chains, subqueries, discovery."""

import pytest
from tests.unit.kql.binder.analysis import bound

from vedette.kql import plan
from vedette.kql.binder import NeedsDiscovery
from vedette.kql.types import ScalarType


def predicate(query: str) -> plan.Expression:
    relation = bound(query).relation
    assert isinstance(relation, plan.Filter)
    return relation.predicate


def test_conversions_are_explicit() -> None:
    call = predicate("T | where f > e")
    assert isinstance(call, plan.Call)
    assert [each.type for each in call.arguments] == [ScalarType.REAL, ScalarType.REAL]
    assert isinstance(call.arguments[0], plan.Call)
    assert call.arguments[0].function == "todouble"


def test_literals_are_converted_in_place() -> None:
    call = predicate("T | where e > 1")
    assert isinstance(call, plan.Call)
    assert isinstance(call.arguments[1], plan.Literal)
    assert call.arguments[1].value == 1.0


def test_a_dynamic_value_is_compared_as_the_other_sides_type() -> None:
    call = predicate('T | where c.x == "y"')
    assert isinstance(call, plan.Call)
    assert [each.type for each in call.arguments] == [ScalarType.STRING, ScalarType.STRING]


def test_upper_bound_relative_to_the_lower() -> None:
    call = predicate("T | where d between (ago(2d) .. 1d)")
    assert isinstance(call, plan.Call)
    assert call.function == "between"
    assert call.arguments[2].type is ScalarType.DATETIME


def test_time_of_the_query_stays_a_call() -> None:
    call = predicate("T | where d > ago(1d)")
    assert isinstance(call, plan.Call)
    moment = call.arguments[1]
    assert isinstance(moment, plan.Call)
    assert moment.function == "subtract"
    assert isinstance(moment.arguments[0], plan.Call)
    assert moment.arguments[0].function == "now"


def test_membership_in_a_table() -> None:
    found = predicate("let S = Other | project z; T | where a in (S)")
    assert isinstance(found, plan.InSubquery)
    assert (found.function, found.plan.columns[0].name) == ("in", "z")


def test_chains_are_flat() -> None:
    call = predicate("T | where " + " or ".join(f"a == {number}" for number in range(2000)))
    assert isinstance(call, plan.Call)
    assert len(call.arguments) == 2000


def test_long_arithmetic_and_long_pipelines_bind() -> None:
    assert bound("T | extend x = " + " + ".join(["a"] * 3000))
    assert bound("T" + "".join(f"\n| where a != {number}" for number in range(600)))


def test_window_functions_make_a_window() -> None:
    assert isinstance(bound("T | serialize x = row_number()").relation, plan.Window)


def test_sort_defaults() -> None:
    relation = bound("T | sort by a, b asc, e desc nulls first").relation
    assert isinstance(relation, plan.Sort)
    assert [(key.descending, key.nulls_first) for key in relation.keys] == [(True, False), (False, True), (True, True)]


def test_conditions_that_are_no_equality_narrow_a_join() -> None:
    relation = bound("T | join kind=inner Other on $left.b == $right.b, $left.a > $right.z").relation
    assert isinstance(relation, plan.Join)
    assert len(relation.on) == 1
    assert relation.residual is not None


def test_unpacking_asks_the_data_first() -> None:
    query = "T | project a, c | evaluate bag_unpack(c)"
    with pytest.raises(NeedsDiscovery) as asked:
        bound(query)
    assert [each.name for each in asked.value.plan.columns] == ["name", "type"]
    rows: list[tuple[object, ...]] = [("x", "long"), ("y", "string"), ("y", "null"), ("z", "long"), ("z", "string")]
    relation = bound(query, {asked.value.key: rows}).relation
    assert [(each.name, each.type.value) for each in relation.columns] == [
        ("a", "long"),
        ("x", "long"),
        ("y", "string"),
        ("z", "dynamic"),
    ]


def test_pivot_makes_an_aggregate_per_value() -> None:
    query = "T | project b, e, f | evaluate pivot(b, sum(e))"
    with pytest.raises(NeedsDiscovery) as asked:
        bound(query)
    relation = bound(query, {asked.value.key: [("two",), ("one",)]}).relation
    assert [each.name for each in relation.columns] == ["f", "one", "two"]
    assert isinstance(relation, plan.Summarize)
    assert isinstance(relation.aggregates[0], plan.Aggregate)
    assert relation.aggregates[0].function == "sumif"


def test_render_goes_to_the_caller() -> None:
    assert bound("T | render timechart with (title='x', ycolumns=a, e)").render == {
        "visualization": "timechart",
        "title": "x",
        "ycolumns": "a, e",
    }


def test_time_of_ingestion_is_read_but_no_column_of_the_answer() -> None:
    relation = bound("T | where ingestion_time() > ago(1h) | extend late = ingestion_time() - d").relation
    names = [each.name for each in relation.columns]
    assert names[-1] == "late"
    assert "$IngestionTime" not in names
    while not isinstance(relation, plan.Scan):
        assert isinstance(relation, plan.Project | plan.Filter)
        relation = relation.input
    assert relation.physical[-1] == "_stored_at"


def test_queries_that_do_not_ask_do_not_read_it() -> None:
    relation = bound("T").relation
    assert isinstance(relation, plan.Scan)
    assert "_stored_at" not in relation.physical
