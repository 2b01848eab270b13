"""Pipelines: a source and the operators behind it, bound one after the other in a loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vedette.kql import syntax
from vedette.kql.binder.context import Binder
from vedette.kql.binder.graph_values import Graph
from vedette.kql.binder.result_tables import ResultTables
from vedette.kql.binder.scopes import Scope, Table
from vedette.kql.plan import Values

Handler = Callable[[Binder, Any, Table, Scope], Table]
SourceHandler = Callable[[Binder, Any, Scope], Table]

OPERATORS: dict[type[syntax.TabularOperator], Handler] = {}
"""How each operator is bound, filled by the modules of the operators' families."""
SOURCES: dict[type[syntax.TabularOperator], SourceHandler] = {}
"""How operators are bound that begin a pipeline."""
_ON_GRAPHS = (
    syntax.GraphMatchOperator,
    syntax.GraphShortestPathsOperator,
    syntax.GraphToTableOperator,
    syntax.GraphMarkComponentsOperator,
    syntax.GraphWhereNodesOperator,
    syntax.GraphWhereEdgesOperator,
)


def operator(*nodes: type[syntax.TabularOperator]) -> Callable[[Handler], Handler]:
    """Register how operators are bound that take piped rows."""

    def register(handler: Handler) -> Handler:
        OPERATORS.update(dict.fromkeys(nodes, handler))
        return handler

    return register


def source(*nodes: type[syntax.TabularOperator]) -> Callable[[SourceHandler], SourceHandler]:
    """Register how operators are bound that begin a pipeline."""

    def register(handler: SourceHandler) -> SourceHandler:
        SOURCES.update(dict.fromkeys(nodes, handler))
        return handler

    return register


def bind_pipe(binder: Binder, expression: syntax.PipeExpression, scope: Scope) -> Table:
    """Bind a pipeline. Names given by `as` are known to the operators behind it."""
    inner = Scope(parent=scope.lexical)
    if isinstance(expression.source, syntax.TabularOperator):
        handler = SOURCES.get(type(expression.source))
        if handler is None:
            name = operator_name(expression.source)
            elsewhere = isinstance(expression.source, syntax.MacroExpandOperator)  # over clusters: there are none
            reason = "unsupported_operator" if elsewhere else "operator_needs_input"
            table = binder.fail_table(reason, expression.source.span, name=name)
        else:
            table = handler(binder, expression.source, inner)
    else:
        table = binder.table(binder, expression.source, inner)
    return bind_operators(binder, expression.operators, table, inner)


def bind_subquery(binder: Binder, expression: syntax.ContextualSubquery, scope: Scope) -> Table:
    """Bind operators over the rows that an enclosing operator hands in."""
    table = binder.subject or Table(Values((), ()), open=True)
    return bind_operators(binder, expression.operators, table, Scope(parent=scope.lexical))


def bind_operators(binder: Binder, operators: tuple[syntax.TabularOperator, ...], table: Table, scope: Scope) -> Table:
    """Bind operators in order."""
    for each in operators:
        handler = OPERATORS.get(type(each))
        if handler is None:
            binder.report("unsupported_operator", each.span, name=operator_name(each))
            table = Table(Values((), ()), open=True, serialized=True)
        elif isinstance(table, ResultTables) and not isinstance(each, syntax.RenderOperator):
            table = binder.fail_table("several_tables", each.span)
        elif isinstance(table, Graph) != isinstance(each, _ON_GRAPHS):
            table = _misplaced(binder, each, table)
        else:
            table = handler(binder, each, table, scope)
    return table


def _misplaced(binder: Binder, written: syntax.TabularOperator, table: Table) -> Table:
    """A table where a graph is needed, or the reverse. What failed to bind before is neither: no second error."""
    if isinstance(table, Graph):
        return binder.fail_table("graph_not_table", written.span, name=operator_name(written))
    if table.open and not table.columns:
        return table
    return binder.fail_table("graph_expected", written.span, name=operator_name(written))


def operator_name(operator_: syntax.TabularOperator) -> str:
    """An operator's name as written, from the name of its node."""
    name = type(operator_).__name__.removesuffix("Operator")
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
