"""Large and deep queries compile without recursion, and what cannot be done is refused with a position."""

import pytest

from vedette.kql.errors import KqlError
from vedette.testing import run_kql


def test_hundreds_of_pipes() -> None:
    steps = "".join(f" | extend x{number % 7} = a + {number} | where x{number % 7} >= 0" for number in range(180))
    _, rows = run_kql(f"print a = 1{steps} | project a")
    assert rows == [(1,)]


def test_hundreds_of_terms() -> None:
    terms = " or ".join(f"a == {number}" for number in range(1500))
    assert run_kql(f"print a = 1499 | where {terms} | count")[1] == [(1,)]


def test_a_list_of_thousands() -> None:
    members = ", ".join(f"'needle{number}'" for number in range(3000))
    assert run_kql(f"print a = 'x needle2999 y' | where a has_any ({members}) | count")[1] == [(1,)]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("print extract('(?=a)', 0, 'a')", "lookahead"),
        ("print hash_xxhash64('a')", "hash_xxhash64"),
    ],
)
def test_refused_by_name(query: str, named: str) -> None:
    with pytest.raises(KqlError, match=named) as caught:
        run_kql(query)
    assert caught.value.diagnostics[0].line == 1
