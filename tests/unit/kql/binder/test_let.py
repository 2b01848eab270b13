"""let in its forms, functions of the query and stored ones."""

from tests.unit.kql.binder.analysis import bound, errors, schema

from vedette.kql import plan


def literals(query: str) -> list[object]:
    """Constants of a print query's values, calls left out."""
    relation = bound(query).relation
    assert isinstance(relation, plan.Values)
    return [each.value for each in relation.rows[0] if isinstance(each, plan.Literal)]


def test_scalars_stand_for_their_expression() -> None:
    assert literals("let x = 5; let y = x; print y") == [5]


def test_named_and_default_arguments_go_by_name() -> None:
    query = "let f = (a: long, b: long = 7, c: long = 9) { c }; print f(c = 1, a = 2), f(3), f(1, 2, 3)"
    assert literals(query) == [1, 9, 3]


def test_a_function_keeps_what_its_names_meant() -> None:
    assert literals("let x = 1; let f = () { x }; print f()") == [1]


def test_arguments_hide_outer_names() -> None:
    assert literals("let x = 1; let f = (x: long) { x }; print f(2)") == [2]


def test_tabular_parameters_and_views() -> None:
    assert schema("let f = (rows: (a: long)) { rows | project a, b }; f(T)") == "a:long, b:string"
    assert schema("let v = view () { T | project a }; union v, v") == "a:long"
    assert schema("let f = (rows: (*)) { rows | count }; T | invoke f()") == "Count:long"


def test_every_reference_to_a_table_has_columns_of_its_own() -> None:
    relation = bound("let X = T | project a; X | join X on a").relation
    assert isinstance(relation, plan.Join)
    left, right = relation.left, relation.right
    assert isinstance(left, plan.Shared)
    assert isinstance(right, plan.Shared)
    assert left.id == right.id
    assert not {each.id for each in left.columns} & {each.id for each in right.columns}


def test_bare_column_name_as_text_argument_of_invoke() -> None:
    assert schema("T | project a, b | invoke Tagged(b)") == "a:long, b:string, tag:string"
    assert schema('T | project a, b | invoke Tagged("a")') == "a:long, b:string, tag:long"


def test_errors_of_a_stored_function_stand_at_its_call() -> None:
    (error,) = errors("T | take 1 | union Broken")
    assert (error.line, error.column) == (1, 20)
    assert "nothing" in error.message


def test_recursion_through_stored_functions_ends() -> None:
    (error,) = errors("Loop")
    assert error.code == "VK2002"


def test_missing_arguments_name_the_parameters() -> None:
    (error,) = errors("let f = (a: long, b: long) { a }; print f(1)")
    assert (error.code, error.hint) == ("KS119", "it takes (a, b)")
