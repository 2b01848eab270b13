"""JSON text in its canonical form."""

import pytest

from vedette.kql.native.json_text import bag_set_path, dynamic_to_json


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{"b": 1.50, "a": [{"d": 1, "c": null}]}', '{"a":[{"c":null,"d":1}],"b":1.50}'),
        ("not json {", '"not json {"'),
        ("", '""'),
    ],
)
def test_canonical_form(value: str, expected: str) -> None:
    assert dynamic_to_json(value) == expected


def test_a_path_is_made() -> None:
    assert bag_set_path("{}", "$.a.b", "x y") == '{"a":{"b":"x y"}}'
    assert bag_set_path("no bag", "$.a", "1") is None
