"""Whatever a text holds, its literal has it as its value and ends where it should."""

import pytest

from vedette.kql.quoting import quote_string
from vedette.testing import run_kql


@pytest.mark.parametrize(
    "text",
    ["plain", 'a"b', "back\\slash", "new\nline", "tab\t", "'", '" | take 1 //', "\u2028", "ü", "\\u0041", "\x00"[:0]],
)
def test_round_trip(text: str) -> None:
    assert run_kql(f"print x = {quote_string(text)}")[1] == [(text,)]
