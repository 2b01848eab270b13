import pytest

from vedette.ingest.errors import RuleError
from vedette.ingest.expressions import Call, Field, Null, Number, Text, fields_of, parse_expression


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Image", Field("Image")),
        ("'a b'", Text("a b")),
        ('"a\'b"', Text("a'b")),
        ("12", Number(12)),
        ("None", Null()),
        (r"'\\Device\Pipe\\'", Text("\\Device\\Pipe\\")),
        ("lower(Image)", Call("lower", (Field("Image"),))),
        ("json(A=B, C='x')", Call("json", (), (("A", Field("B")), ("C", Text("x"))))),
        (
            "a or b and not c",
            Call("or", (Field("a"), Call("and", (Field("b"), Call("not", (Field("c"),)))))),
        ),
        ("(a or b) and c", Call("and", (Call("or", (Field("a"), Field("b"))), Field("c")))),
    ],
)
def test_parse(source: str, expected: object) -> None:
    assert parse_expression(source, "here") == expected


@pytest.mark.parametrize("source", ["", "lower(", "lower(a", "a b", "'open", "a,", "and", "json(A=)", "f(a b)"])
def test_malformed_expressions_say_where(source: str) -> None:
    with pytest.raises(RuleError, match=r"rule\.column"):
        parse_expression(source, "rule.column")


def test_fields_are_those_read_and_named() -> None:
    expression = parse_expression("json(A=lower(X), B=field('Threat Name'), C=coalesce(Y,'z'))", "here")
    assert fields_of(expression) == {"X", "Y", "Threat Name"}
