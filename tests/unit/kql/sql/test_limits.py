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
    "query",
    [
        "print unicode_codepoints_to_string(99999999)",
        "datatable(s:string)['[', '('] | where s matches regex strcat('(', s)",
        "print base64_decode_tostring('%%%'), base64_decode_tostring('/w==')",
        "print d = parse_json('{\"a\": ') | project d.a, tolong(d.a), tostring(d)",
        "print make_datetime(2020, 13, 45), todatetime('2020-99-99'), totimespan('x'), toguid('x')",
        "print sqrt(-1), log(0), log(-1), acos(2), pow(0, -1), 5 % 0, 5 / 0, bin(5, 0)",
        "datatable(x:long)[9223372036854775807] | summarize sum(x * x), avg(x), make_list(x + x)",
        "print substring('abc', 1, -5), strrep('a', -1), split('', ''), indexof('a', 'b', 9)",
    ],
)
def test_no_value_raises(query: str) -> None:
    _, rows = run_kql(query)
    assert len(rows) <= 1


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("print extract('(?=a)', 0, 'a')", "lookahead"),
        ("print hash_combine(1, 2)", "hash_combine"),
        ("print datetime_utc_to_local(datetime(2020-01-01), 'Nowhere/City')", "Nowhere/City"),
        ("print s = '[' | where s matches regex strcat('(', s)", "matches regex"),
    ],
)
def test_refused_by_name(query: str, named: str) -> None:
    with pytest.raises(KqlError, match=named) as caught:
        run_kql(query)
    assert caught.value.diagnostics[0].line == 1


def test_calls_that_come_to_too_much_are_refused() -> None:
    texts = ", ".join(f"tostring(r + {number})" for number in range(600))
    with pytest.raises(KqlError, match="tostring is not available: the calls of functions") as caught:
        run_kql(f"print r = 0.5 | extend z = array_length(pack_array({texts}))")
    assert caught.value.diagnostics[0].column > 1
