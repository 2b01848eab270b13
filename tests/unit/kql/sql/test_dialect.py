"""The DuckDB dialect is complete: every function of the registry is lowered or refused by name."""

import duckdb
import pytest

from vedette.kql.functions.registry import functions
from vedette.kql.sql import aggregates
from vedette.kql.sql.base import RESOLVED_BY_BINDER
from vedette.kql.sql.duckdb import DUCKDB
from vedette.kql.sql.macros import macros, macros_in, session_statements, statements_for


@pytest.mark.parametrize("kind", ["scalar", "operator"])
def test_every_function_is_lowered_or_refused(kind: str) -> None:
    for function in functions(kind).values():  # type: ignore[arg-type]
        name = function.canonical
        places = [name in DUCKDB.lowerings, name in DUCKDB.unsupported, name in RESOLVED_BY_BINDER]
        assert sum(places[:2]) <= 1, name
        assert any(places), name


def test_every_aggregate_is_lowered_or_refused() -> None:
    aggregates.check()
    assert not aggregates.RULES.keys() & aggregates.UNSUPPORTED.keys()


def test_each_reason_says_something() -> None:
    assert all(reason.strip() for reason in DUCKDB.unsupported.values())


def test_every_macro_can_be_created_in_an_empty_session() -> None:
    with duckdb.connect() as connection:
        for statement in session_statements():
            connection.execute(statement)


def test_each_macro_comes_with_all_it_needs() -> None:
    for name in macros():
        with duckdb.connect() as connection:
            for statement in statements_for([name]):
                connection.execute(statement)


def test_macros_are_found_in_sql() -> None:
    assert macros_in("SELECT kql_has(a, b), kql_unheard_of(c)") == {"kql_has"}
