import pytest

from vedette.kql import syntax
from vedette.kql.errors import KqlError
from vedette.kql.parser import parse, parse_function, parse_tolerant


def statements(text: str) -> tuple[syntax.Statement, ...]:
    return parse(text).statements


def test_let_forms() -> None:
    text = """
        let n = 1;
        let t = T | take 1;
        let f = (a: long, b: string = "x", ['c d']: dynamic = dynamic([])) { T | where x == a };
        let g = (T: (*), U: (x: long, *)) { let y = 1; T };
        let v = view () { T };
        let 3rd = datatable (a: long) [1, 2];
        t
    """
    n, t, f, g, v, third, result = statements(text)
    assert isinstance(n, syntax.LetStatement)
    assert isinstance(n.expression, syntax.Literal)
    assert isinstance(t, syntax.LetStatement)
    assert isinstance(t.expression, syntax.PipeExpression)
    assert isinstance(f, syntax.LetStatement)
    assert isinstance(f.expression, syntax.FunctionDeclaration)
    assert [each.name.text for each in f.expression.parameters] == ["a", "b", "c d"]
    assert isinstance(g, syntax.LetStatement)
    assert isinstance(g.expression, syntax.FunctionDeclaration)
    first, second = (each.type for each in g.expression.parameters)
    assert isinstance(first, syntax.RowSchema)
    assert first.open
    assert not first.columns
    assert isinstance(second, syntax.RowSchema)
    assert [each.name.text for each in second.columns] == ["x"]
    assert len(g.expression.body.statements) == 1
    assert g.expression.body.expression is not None
    assert isinstance(v, syntax.LetStatement)
    assert isinstance(v.expression, syntax.FunctionDeclaration)
    assert v.expression.is_view
    assert isinstance(third, syntax.LetStatement)
    assert third.name.text == "3rd"
    assert isinstance(result, syntax.ExpressionStatement)


def test_other_statements() -> None:
    text = """
        set notruncation;
        set query_limit = 10;
        declare query_parameters (a: long = 1, t: (x: long));
        declare pattern P = (a: string)[b: string] { ("x").["y"] = { T }; };
        restrict access to (T, database("d").*, U*);
        alias database d = cluster("c").database("d");
        T
    """
    kinds = [type(each).__name__ for each in statements(text)]
    assert kinds == [
        "SetStatement",
        "SetStatement",
        "DeclareQueryParametersStatement",
        "DeclarePatternStatement",
        "RestrictStatement",
        "AliasStatement",
        "ExpressionStatement",
    ]


def test_keywords_that_are_names_stay_names() -> None:
    (statement,) = statements("let | where let == alias and count > 1 and range.step == 2")
    assert isinstance(statement, syntax.ExpressionStatement)


def test_a_stored_function_is_a_declaration() -> None:
    declaration = parse_function("(a: long) { T | where x == a }")
    assert [each.name.text for each in declaration.parameters] == ["a"]
    with pytest.raises(KqlError):
        parse_function("(a: long) { T } | take 1")
    with pytest.raises(KqlError):
        parse_function("T")


@pytest.mark.parametrize("text", ["", "  ", "// nothing"])
def test_an_empty_query_is_an_error(text: str) -> None:
    with pytest.raises(KqlError) as caught:
        parse(text)
    assert caught.value.diagnostics[0].code == "VK1001"


def test_a_broken_statement_does_not_hide_the_others() -> None:
    query, diagnostics = parse_tolerant("let x = ; let y = 1; T | where | take 5 | bogus 1; U | extend a = ")
    assert [(each.line, each.column) for each in diagnostics] == [(1, 9), (1, 32), (1, 43), (1, 67)]
    assert [type(each).__name__ for each in query.statements] == [
        "LetStatement",
        "ExpressionStatement",
        "ExpressionStatement",
    ]


def test_huge_queries_parse() -> None:
    pipes = "T" + '\n| where a has "b" or c in ("d", "e")' * 2000
    (statement,) = statements(pipes)
    assert isinstance(statement, syntax.ExpressionStatement)
    assert isinstance(statement.expression, syntax.PipeExpression)
    assert len(statement.expression.operators) == 2000
