"""What macros come to when they are written out, and the binding of calls within them."""

import sqlglot

from vedette.kql.sql.macros import macros
from vedette.kql.sql.macros.uses import uses
from vedette.kql.sql.nesting import bind_nested


def _bound(sql: str) -> str:
    root = sqlglot.parse_one(sql, read="duckdb")
    bind_nested(root)
    return root.sql(dialect="duckdb", normalize_functions=False)


def test_uses_of_arguments() -> None:
    assert uses("kql_sqrt", 1).parameters == (2,)
    assert uses("kql_endofday", 1).parameters == (2,)  # the formulation without an offset
    assert uses("kql_endofday", 2).parameters[0] > 2
    assert uses("kql_has", 2).parameters[0] >= 3  # those of the macros that it calls are among them
    assert uses("kql_tolong_dynamic", 1).parameters == (1,)  # bound by a lambda
    assert uses("kql_gettype_dynamic", 1).parameters == (7,)  # an operand is compared in every branch


def test_every_macro_is_measured() -> None:
    assert all(uses(name, 1).size for name in macros())


def test_few_repetitions_stay_as_they_are() -> None:
    sql = "SELECT kql_sqrt(kql_sqrt(x)) FROM t"
    assert _bound(sql) == sql


def test_many_repetitions_are_computed_once() -> None:
    bound = _bound("SELECT kql_erf(kql_erf(x)) FROM t")
    assert bound == (
        "SELECT list_extract(list_transform([struct_pack(v0 := kql_erf(x))], "
        "LAMBDA operands : kql_erf(struct_extract(operands, 'v0'))), 1) FROM t"
    )


def test_constants_stay_arguments() -> None:
    bound = _bound("SELECT kql_bag_zip(kql_bag_zip(x, '[1]'), CAST('[2]' AS JSON)) FROM t")
    assert bound.count("CAST('[2]' AS JSON)") == 1
    assert "struct_extract(operands, 'v0'), CAST('[2]' AS JSON))" in bound
