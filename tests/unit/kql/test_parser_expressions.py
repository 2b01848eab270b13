import pytest

from vedette.kql import syntax
from vedette.kql.errors import KqlError
from vedette.kql.parser import parse
from vedette.kql.types import ScalarType


def expression(text: str) -> syntax.Expression:
    (statement,) = parse(f"print {text}").statements
    assert isinstance(statement, syntax.ExpressionStatement)
    pipe = statement.expression
    assert isinstance(pipe, syntax.PipeExpression)
    assert isinstance(pipe.source, syntax.PrintOperator)
    return pipe.source.expressions[0]


def show(node: syntax.Expression) -> str:
    """The expression with every grouping written out."""
    match node:
        case syntax.BinaryExpression():
            return f"({show(node.left)} {node.operator} {show(node.right)})"
        case syntax.LogicalExpression():
            return "(" + f" {node.operator} ".join(map(show, node.operands)) + ")"
        case syntax.UnaryExpression():
            return f"({node.operator}{show(node.operand)})"
        case syntax.InExpression():
            return f"({show(node.operand)} {node.operator} [{', '.join(map(show, node.members))}])"
        case syntax.BetweenExpression():
            bounds = f"{show(node.low)}..{show(node.high)}"
            return f"({show(node.operand)} {'not ' if node.negated else ''}between {bounds})"
        case syntax.PathExpression():
            return f"{show(node.source)}.{show(node.selector)}"
        case syntax.ElementExpression():
            return f"{show(node.source)}[{show(node.index)}]"
        case syntax.FunctionCall():
            return f"{node.name.text}({', '.join(map(show, node.arguments))})"
        case syntax.NamedExpression():
            return f"{node.name.text}={show(node.expression)}"
        case syntax.NameReference():
            return node.name
        case syntax.Literal():
            return repr(node.value)
        case syntax.StarExpression():
            return "*"
    raise AssertionError(node)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a or b and c or d", "(a or (b and c) or d)"),
        ("(a or b) or c", "((a or b) or c)"),
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("a - b - c", "((a - b) - c)"),
        ('a + b has "x"', "(a + (b has 'x'))"),
        ('a =~ "x" + "y"', "((a =~ 'x') + 'y')"),
        ("a == b < c", "(a == (b < c))"),
        ("a <> b", "(a != b)"),
        ('- a has "b"', "((-a) has 'b')"),
        ('a matches regex "b"', "(a matches regex 'b')"),
        ("a in (1, 2) and b !in~ (c)", "((a in [1, 2]) and (b !in~ [c]))"),
        ("a has_any (b) or c", "((a has_any [b]) or c)"),
        ("a between (1 .. 2) and b", "((a between 1..2) and b)"),
        ("a !between (1d..2d)", "(a not between 864000000000..1728000000000)"),
        ("a.b['c'][0].d", "a.b['c'][0].d"),
        ("a.['b c'].[0]", "a.b c[0]"),
        ("['a b'].c", "a b.c"),
        ("f(a, *, g = 1)", "f(a, *, g=1)"),
        ("database('d').f(1).b", "database('d').f(1).b"),
        ('* has "x"', "(* has 'x')"),
        ("count + bin", "(count + bin)"),
    ],
)
def test_grouping(text: str, shown: str) -> None:
    assert show(expression(text)) == shown


@pytest.mark.parametrize(
    "text", ["1 == 1 == 1", "a < b < c", 'a has "b" has "c"', "- - 1", "a in b", "a between 1 .. 2", "!a", "a, "]
)
def test_what_does_not_chain(text: str) -> None:
    with pytest.raises(KqlError):
        expression(text)


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("1", ScalarType.LONG, 1),
        ("0x1F", ScalarType.LONG, 31),
        ("-9223372036854775808", ScalarType.LONG, -(2**63)),
        ("int(-1)", ScalarType.INT, -1),
        ("1.5", ScalarType.REAL, 1.5),
        ("1d", ScalarType.TIMESPAN, 864_000_000_000),
        ("True", ScalarType.BOOL, True),
        ("bool(0)", ScalarType.BOOL, False),
        ("datetime(0001-01-02)", ScalarType.DATETIME, 864_000_000_000),
        ("long(null)", ScalarType.LONG, None),
        ("datetime(null)", ScalarType.DATETIME, None),
        ("time('00:00:01')", ScalarType.TIMESPAN, 10_000_000),
        ("guid(74BE27DE-1e4e-49d9-b579-fe0b331d3642)", ScalarType.GUID, "74be27de-1e4e-49d9-b579-fe0b331d3642"),
        (r'"a\tb\u0041\x41\101\\"', ScalarType.STRING, "a\tbAAA\\"),
        (r'"\U0001F600"', ScalarType.STRING, "\U0001f600"),
        (r"@'C:\it''s'", ScalarType.STRING, r"C:\it's"),
        ("```a\n\\b```", ScalarType.STRING, "a\n\\b"),
        ("\"a\" 'b' // c\n @'d'", ScalarType.STRING, "abd"),
    ],
)
def test_literals(text: str, type_: ScalarType, value: object) -> None:
    literal = expression(text)
    assert isinstance(literal, syntax.Literal)
    assert (literal.type, literal.value) == (type_, value)


def test_obfuscation_of_one_part_hides_the_whole_string() -> None:
    literal = expression("\"a\" h'b'")
    assert isinstance(literal, syntax.Literal)
    assert literal.hidden
    assert literal.value == "ab"


@pytest.mark.parametrize("text", ["long(abc)", "int(3000000000)", "datetime(x)", "guid(1)", "9223372036854775808"])
def test_malformed_literals_are_reported_where_they_stand(text: str) -> None:
    with pytest.raises(KqlError) as caught:
        expression(text)
    (found,) = caught.value.diagnostics
    assert (found.code, found.column) == ("KS004", 7)


def test_now_and_today_are_calls_because_they_are_no_constants() -> None:
    assert show(expression("datetime()")) == "now()"
    assert show(expression('datetime("6:00 AM")')) == f"(startofday(now()) + {6 * 36_000_000_000})"


@pytest.mark.parametrize(
    ("text", "json"),
    [
        ("dynamic(null)", None),
        ('dynamic([1, -2.5, "a", null, true, {"k": {}}])', '[1,-2.5,"a",null,true,{"k":{}}]'),
        ("dynamic({'a': \"b\" 'c'})", '{"a":"bc"}'),
        ("dynamic([datetime(2020-01-01), 1d, long(1)])", '["2020-01-01T00:00:00.0000000Z","1.00:00:00",1]'),
        ("dynamic([dynamic([1])])", "[[1]]"),
        ("dynamic(1e5)", "100000.0"),
    ],
)
def test_dynamic_literals(text: str, json: str | None) -> None:
    literal = expression(text)
    assert isinstance(literal, syntax.DynamicLiteral)
    assert literal.json == json


@pytest.mark.parametrize(
    "text", ["dynamic({a: 1})", "dynamic([1,])", "dynamic(x)", "dynamic()", "dynamic([decimal(1)])"]
)
def test_what_is_no_dynamic_literal(text: str) -> None:
    with pytest.raises(KqlError):
        expression(text)


def test_long_chains_cost_no_stack() -> None:
    terms = " or ".join(f'a has "{number}"' for number in range(5000))
    chain = expression(terms)
    assert isinstance(chain, syntax.LogicalExpression)
    assert len(chain.operands) == 5000
    assert isinstance(expression(" + ".join(["a"] * 5000)), syntax.BinaryExpression)


@pytest.mark.parametrize("opener", ["(", "f(", "a[", "-(", "not(", "dynamic([", "1 + (", "toscalar("])
def test_deep_nesting_is_an_error_of_the_query(opener: str) -> None:
    with pytest.raises(KqlError) as caught:
        expression(opener * 5000)
    assert "KS245" in {each.code for each in caught.value.diagnostics}
