"""Each rewrite as a pair: the plan before and after, as text."""

import textwrap

import pytest

from vedette.kql.binder import bind
from vedette.kql.catalog import TableColumn, TableSchema
from vedette.kql.explain import explain
from vedette.kql.parser import parse
from vedette.kql.rewrites.context import Context
from vedette.kql.rewrites.folding import fold
from vedette.kql.rewrites.pruning import prune
from vedette.kql.rewrites.rules import RULES, Rewrite, rewrite
from vedette.kql.rewrites.time_ranges import narrow_time_ranges
from vedette.kql.types import ScalarType


class OneTable:
    """A catalog with the table T(Timestamp, A, B), time in Timestamp."""

    version = "one table"

    def table(self, name: str) -> TableSchema | None:
        columns = (
            TableColumn("Timestamp", ScalarType.DATETIME, "Timestamp"),
            TableColumn("A", ScalarType.STRING, "A"),
            TableColumn("B", ScalarType.LONG, "B"),
        )
        return TableSchema("T", columns, "Timestamp") if name == "T" else None

    def table_names(self) -> tuple[str, ...]:
        return ("T",)

    def function(self, name: str) -> str | None:
        return None

    def function_names(self) -> tuple[str, ...]:
        return ()


CONTEXT = Context(OneTable())


def plan_of(query: str, rule: Rewrite | None = None) -> str:
    relation = bind(parse(query), query, OneTable()).relation
    return explain(relation if rule is None else rule(relation, CONTEXT))


PAIRS = [
    (
        fold,
        "T | where Timestamp > ago(10tick)",
        """
        Filter [Timestamp#1, A#2, B#3] predicate=greater(Timestamp#1, subtract(now(), 10))
          Scan [Timestamp#1, A#2, B#3] table='T' physical=('Timestamp', 'A', 'B')
        """,
        """
        Filter [Timestamp#1, A#2, B#3] predicate=greater(Timestamp#1, now-10)
          Scan [Timestamp#1, A#2, B#3] table='T' physical=('Timestamp', 'A', 'B')
        """,
    ),
    (
        prune,
        "T | extend C = B + 1, D = A | project C",
        """
        Project [C#4] expressions=(C#4)
          Project [Timestamp#1, A#2, B#3, C#4, D#5] expressions=(Timestamp#1, A#2, B#3, add(B#3, 1), A#2)
            Scan [Timestamp#1, A#2, B#3] table='T' physical=('Timestamp', 'A', 'B')
        """,
        """
        Project [C#4] expressions=(C#4)
          Project [B#3, C#4] expressions=(B#3, add(B#3, 1))
            Scan [B#3] table='T' physical=('B')
        """,
    ),
    (
        narrow_time_ranges,
        "T | where Timestamp between (datetime(0001-01-01) .. datetime(0001-01-02)) and A == 'x' | project Timestamp, A",  # noqa: E501
        """
        Project [Timestamp#1, A#2] expressions=(Timestamp#1, A#2)
          Filter [Timestamp#1, A#2, B#3] predicate=and(between(Timestamp#1, 0, 864000000000), equal(A#2, 'x'))
            Scan [Timestamp#1, A#2, B#3] table='T' physical=('Timestamp', 'A', 'B')
        """,
        """
        Project [Timestamp#1, A#2] expressions=(Timestamp#1, A#2)
          Filter [Timestamp#1, A#2, B#3] predicate=and(between(Timestamp#1, 0, 864000000000), equal(A#2, 'x'))
            Scan [Timestamp#1, A#2, B#3] table='T' physical=('Timestamp', 'A', 'B') time_range=(0, 864000000001)
        """,
    ),
]


@pytest.mark.parametrize(("rule", "query", "before", "after"), PAIRS, ids=[rule.__name__ for rule, *_ in PAIRS])
def test_pair(rule: Rewrite, query: str, before: str, after: str) -> None:
    assert plan_of(query) == textwrap.dedent(before).strip()
    assert plan_of(query, rule) == textwrap.dedent(after).strip()


def test_every_rule_has_a_pair() -> None:
    assert {rule for rule, *_ in PAIRS} == set(RULES)


@pytest.mark.parametrize(
    ("query", "ranges"),
    [
        ("T | where Timestamp >= datetime(0001-01-01) | where Timestamp < ago(1tick)", ["(0, now-1)"]),
        ("T | extend X = Timestamp | where X > ago(1tick)", ["(now-1+1, None)"]),
        ("T | where ago(1tick) <= Timestamp | summarize count() by A", ["(now-1, None)"]),
        ("T | take 5 | where Timestamp > ago(1tick)", ["(None, None)"]),
        ("T | where Timestamp > ago(1tick) or A == 'x'", ["(None, None)"]),
        ("union T, (T | where Timestamp < now()) | where Timestamp > ago(1tick)",
         ["(now-1+1, None)", "(now-1+1, now)"]),
        ("T | join kind=leftouter T on A | where Timestamp > ago(1tick) and Timestamp1 > ago(2tick)",
         ["(now-1+1, None)", "(None, None)"]),
        ("T | join kind=inner T on A | where Timestamp > ago(1tick) and Timestamp1 > ago(2tick)",
         ["(now-1+1, None)", "(now-2+1, None)"]),
        ("let S = T | where Timestamp > ago(1tick); S | where Timestamp < now() | join kind=inner S on A",
         ["(now-1+1, None)", "(now-1+1, None)"]),
        ("T | where A in ((T | where Timestamp == now() | project A))", ["(None, None)"]),
    ],
)  # fmt: skip
def test_time_ranges(query: str, ranges: list[str]) -> None:
    found = [
        line.partition("time_range=")[2] or "(None, None)"
        for line in plan_of(query, rewrite).splitlines()
        if line.strip().startswith("Scan")
    ]
    assert found == ranges
