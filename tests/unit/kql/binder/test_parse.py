"""The regular expressions that parse patterns become."""

import re

import pytest
from tests.unit.kql.binder.analysis import bound

from vedette.kql import plan


def captures(query: str, text: str) -> list[str] | None:
    """What the pattern of a `parse` captures from a text, column by column; None without a match."""
    relation = bound(query).relation
    assert isinstance(relation, plan.Project)
    found: list[tuple[str, int]] = []
    pending = list(relation.expressions)
    while pending:
        each = pending.pop(0)
        if isinstance(each, plan.Call) and each.function == "extract":
            regex, group = each.arguments[:2]
            assert isinstance(regex, plan.Literal)
            assert isinstance(group, plan.Literal)
            found.append((str(regex.value), int(str(group.value))))
        elif isinstance(each, plan.Call):
            pending = list(each.arguments) + pending
    match = re.search(found[0][0], text)
    ordered = sorted({group for _, group in found})
    return None if match is None else [match[group] for group in ordered]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ('with "a=" x ", b=" y', "a=1, b=2, b=3", ["1", "2, b=3"]),
        ('with * "b=" y:long *', "a=1, b=27x", ["27"]),
        ('with "a=" x', "no a=1", None),
        ('with "a=" x:long " end"', "a=12 end", ["12"]),
        ('with "(" x ")"', "(1)", ["1"]),
        ('kind=regex with x "[0-9]+" y', "abc123def", ["abc12", "def"]),
        ('kind=regex with * "(k|l)=" x:long "(,|;)" y', "k=1;rest", ["1", "rest"]),
        ('kind=regex with "[(]" x "\\\\)"', "(1)", ["1"]),
        ('kind=relaxed with * "n=" x:long * "m=" y:long', "n=none m=5", ["", "5"]),
    ],
)
def test_captures(pattern: str, text: str, expected: list[str] | None) -> None:
    kind, separator, rest = pattern.rpartition("with ")
    assert captures(f"T | parse {kind} b {separator}{rest}", text) == expected
