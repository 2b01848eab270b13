"""The entry of the binder."""

from __future__ import annotations

from collections.abc import Iterator

from vedette.kql import plan, syntax
from vedette.kql.binder import (  # noqa: F401 - importing a family registers its operators
    branching,
    columns,
    expansion,
    graph_matching,
    graphs,
    joins,
    ordering,
    parsing,
    plugins,
    plugins_geo,
    plugins_patterns,
    plugins_rows,
    plugins_sequences,
    plugins_timeline,
    reducing,
    rows,
    search,
    sequences,
    series,
    sources,
    summaries,
    top_nested,
    unions,
)
from vedette.kql.binder.context import Binder, Bound, QueryParameters
from vedette.kql.binder.discovery import Discoveries
from vedette.kql.binder.expressions import bind_scalar
from vedette.kql.binder.graph_functions import bind_graph_function
from vedette.kql.binder.graph_values import Graph
from vedette.kql.binder.result_tables import ResultTables, results_of
from vedette.kql.binder.scopes import Scope, Table
from vedette.kql.binder.statements import bind_statements
from vedette.kql.binder.tables import bind_anything, bind_table
from vedette.kql.catalog import Catalog
from vedette.kql.errors import Diagnostic, KqlError
from vedette.kql.plan import BoundQuery, Relation


def bind(
    query: syntax.Query,
    text: str,
    catalog: Catalog,
    discoveries: Discoveries | None = None,
    *,
    parameters: QueryParameters | None = None,
) -> BoundQuery:
    """The typed plan of a query. `text` is what it was parsed from, `parameters` what it declares.

    Raises KqlError with every semantic error, and NeedsDiscovery where a schema depends on data that is not in
    `discoveries` yet.
    """
    binder = _binder(text, catalog, discoveries, analysis=False)
    binder.parameters = parameters or {}
    table = _bind_query(binder, query)
    binder.diagnostics.raise_errors()
    assert table is not None
    return BoundQuery(table.visible, binder.render, table.open, tuple(_further(table)))


def _further(table: Table) -> Iterator[tuple[str | None, Relation]]:
    """The results of a query besides the first."""
    if isinstance(table, ResultTables):
        for name, each in table.further:
            yield name, each.visible


def analyze(query: syntax.Query, text: str, catalog: Catalog) -> tuple[BoundQuery, tuple[Diagnostic, ...]]:
    """What can be said about a query without data: its plan as far as it could be bound, and its diagnostics."""
    binder = _binder(text, catalog, None, analysis=True)
    try:
        table = _bind_query(binder, query)
    except KqlError:
        table = None  # why the binder gave up is among its diagnostics
    except RecursionError:
        table = None
        binder.report("chain_too_long", query.span)
    relation: Relation = table.visible if table is not None else plan.Values((), ())
    return BoundQuery(relation, binder.render, table is not None and table.open), binder.diagnostics.found()


def make_binder(text: str, catalog: Catalog) -> Binder:
    """A binder for analysis, to bind pieces of a query with."""
    return _binder(text, catalog, None, analysis=True)


def _binder(text: str, catalog: Catalog, discoveries: Discoveries | None, *, analysis: bool) -> Binder:
    binder = Binder(text, catalog, discoveries, analysis=analysis)
    binder.scalar, binder.table, binder.anything = bind_scalar, bind_table, bind_anything
    binder.in_pattern = bind_graph_function
    return binder


def _bind_query(binder: Binder, query: syntax.Query) -> Table | None:
    """Bind all statements. Every expression gives a result: the first is the query's, the others come with it.

    An analysis speaks of the last one, as Microsoft's analyser does.
    """
    results = bind_statements(binder, query.statements, Scope())
    if not results:
        if not binder.analysis:  # declarations alone are nothing wrong while a query is being written
            binder.report("no_result", query.span)
        return None
    if binder.analysis:
        return _result_table(binder, query, results[-1])
    first, *others = (_result_table(binder, query, each) for each in results)
    if not others:
        return first
    further = list(_results(first))[1:]
    for each in others:
        further += _results(each)
    return results_of(first, further)


def _results(table: Table) -> Iterator[tuple[str | None, Table]]:
    """A table and what comes with it."""
    yield None, table
    if isinstance(table, ResultTables):
        yield from table.further


def _result_table(binder: Binder, query: syntax.Query, result: Bound) -> Table:
    """What the result of one statement is to the caller."""
    if isinstance(result, Graph) and not binder.analysis:
        binder.report("graph_as_result", query.span)
    if isinstance(result, ResultTables):
        return result
    if isinstance(result, Table):
        return Table(result.visible, open=result.open)
    column = binder.column("print_0", result.type)
    return Table(plan.Values((column,), ((result,),)), serialized=True)
