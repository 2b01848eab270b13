"""Tabular expressions that are no operator: table names, datatable, externaldata, materialize, pipelines' sources."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from typing import Any

from vedette.kql import plan, syntax
from vedette.kql.binder.calls import bind_call
from vedette.kql.binder.constants import constant_text, word
from vedette.kql.binder.context import Binder, Bound, similar
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.expressions import bind_scalar, is_scalar_node
from vedette.kql.binder.functions import call_function, stored_function
from vedette.kql.binder.graph_values import Graph
from vedette.kql.binder.patterns_declared import bind_pattern_call
from vedette.kql.binder.pipelines import bind_pipe, bind_subquery
from vedette.kql.binder.result_tables import ResultTables
from vedette.kql.binder.scopes import (
    INGESTION_TIME,
    TABLE_NAME,
    FunctionVariable,
    PatternVariable,
    ScalarVariable,
    Scope,
    Table,
    TableVariable,
    reference,
)
from vedette.kql.catalog import TableSchema
from vedette.kql.plan import Column, Literal
from vedette.kql.types import ScalarType

_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Where the words of a node's name meet, which the language writes with lines between: `inline_external_table`."""


def bind_anything(binder: Binder, expression: syntax.Expression, scope: Scope) -> Bound:
    """Bind an expression that may be scalar or tabular."""
    handler = _HANDLERS.get(type(expression))
    if handler is not None:
        return handler(binder, expression, scope)
    if is_scalar_node(expression):
        return bind_scalar(binder, expression, scope)
    what = _CAPITAL.sub("_", type(expression).__name__).lower()
    return binder.fail_table("unsupported_expression", expression.span, what=what)


def bind_table(binder: Binder, expression: syntax.Expression, scope: Scope) -> Table:
    """Bind an expression that has to be tabular."""
    bound = bind_anything(binder, expression, scope)
    if isinstance(bound, ResultTables):
        return binder.fail_table("several_tables", expression.span)
    if isinstance(bound, Table):
        return bound
    if isinstance(bound, plan.Literal) and bound.type is ScalarType.DYNAMIC and bound.value is None:
        return Table(plan.Values((), ()), open=True, serialized=True)  # reported where it failed
    return binder.fail_table("table_expected", expression.span)


def _name(  # noqa: PLR0911 - one line a kind of name
    binder: Binder, expression: syntax.NameReference, scope: Scope
) -> Bound:
    """A name where a table may stand: columns in reach first, then variables, tables, functions without arguments."""
    name = expression.name
    if scope.left is not None or (scope.table is not None and scope.table.find(name) is not None):
        return bind_scalar(binder, expression, scope)
    variable = scope.variable(name)
    if isinstance(variable, ScalarVariable):
        return bind_scalar(binder, expression, scope)
    if isinstance(variable, TableVariable):
        return reference_table(binder, variable)
    schema = binder.catalog.table(name) if variable is None else None
    if schema is not None:
        return scan(binder, schema)
    function = variable or stored_function(binder, name)
    if isinstance(function, FunctionVariable):
        call = syntax.FunctionCall(expression.span, syntax.Name(expression.span, name), ())
        return call_function(binder, function, call, scope)
    if scope.table is not None:
        return bind_scalar(binder, expression, scope)
    hint = similar(name, [*binder.catalog.table_names(), *scope.variable_names()])
    return binder.fail_table("unknown_table", expression.span, name=name, hint=hint)


def reference_table(binder: Binder, variable: TableVariable) -> Table:
    """A reference to rows with a name: fresh columns over the shared rows."""
    source = variable.table
    if isinstance(source, Graph):
        return source  # graphs hand out fresh columns wherever they are read
    renewed = {each.id: binder.fresh(each) for each in source.relation.columns}
    relation = plan.Shared(tuple(renewed.values()), variable.shared, source.relation)
    aliases = {name: renewed[column.id] for name, column in source.aliases.items() if column.id in renewed}
    hidden = tuple(renewed[each.id] for each in source.hidden)
    return Table(relation, aliases, source.open, source.serialized, hidden=hidden)


def scan(binder: Binder, schema: TableSchema) -> Table:
    """All rows of a catalog table."""
    columns = tuple(binder.column(each.name, each.type) for each in schema.columns)
    physical = tuple(each.physical for each in schema.columns)
    by_name = {each.name: each for each in columns}
    aliases = {alias: by_name[name] for alias, name in schema.aliases if name in by_name}
    hidden: list[Column] = []
    if binder.asks_ingestion_time and schema.ingestion_column is not None:
        hidden.append(binder.column(INGESTION_TIME, ScalarType.DATETIME))
        columns, physical = (*columns, hidden[0]), (*physical, schema.ingestion_column)
    relation: plan.Relation = plan.Scan(columns, schema.name, physical)
    if schema.name_column is not None and schema.name_column not in by_name and binder.asks_for(schema.name_column):
        own = binder.column(TABLE_NAME, ScalarType.STRING)
        aliases[schema.name_column] = own
        hidden.append(own)
        values = (*(reference(each) for each in columns), Literal(ScalarType.STRING, schema.name))
        relation = plan.Project((*columns, own), relation, values)
    return Table(relation, aliases, hidden=tuple(hidden))


def matching_tables(binder: Binder, pattern: str) -> Iterable[str]:
    """Names of the catalog's tables that fit a pattern with `*`."""
    return (name for name in binder.catalog.table_names() if fnmatch.fnmatchcase(name, pattern))


def _datatable(binder: Binder, expression: syntax.DataTable, scope: Scope) -> Table:
    columns = tuple(binder.column(each.name.text, each.type.type) for each in expression.schema.columns)
    if not columns or len(expression.values) % len(columns):
        return binder.fail_table("datatable_shape", expression.span, columns=len(columns), count=len(expression.values))
    width = len(columns)
    values = [
        convert(bind_scalar(binder, each, scope.lexical), columns[index % width].type)
        for index, each in enumerate(expression.values)
    ]
    rows = tuple(tuple(values[start : start + width]) for start in range(0, len(values), width))
    return Table(plan.Values(columns, rows), serialized=True)


def _externaldata(binder: Binder, expression: syntax.ExternalData, scope: Scope) -> Table:
    columns = tuple(binder.column(each.name.text, each.type.type) for each in expression.schema.columns)
    uris = [constant_text(binder, each, scope.lexical) for each in expression.uris]
    properties = {each.name.text: word(each.value) or "" for each in expression.properties}
    written = tuple(each for each in uris if each is not None)
    format_ = (properties.pop("format", "") or _format_of(written)).lower()
    return Table(plan.ExternalData(columns, written, format_, properties))


def _format_of(uris: tuple[str, ...]) -> str:
    """Format by the extension of the first address; csv where it tells nothing, as documented."""
    path = uris[0].split("?")[0].split(";")[0] if uris else ""
    for packed in (".gz", ".zip"):
        path = path.removesuffix(packed)
    known = ("csv", "tsv", "psv", "scsv", "sohsv", "txt", "raw", "json", "multijson", "parquet", "avro", "orc")
    return next((each for each in known if path.lower().endswith(f".{each}")), "csv")


def _materialize(binder: Binder, expression: syntax.Materialize, scope: Scope) -> Bound:
    bound = bind_anything(binder, expression.query, scope.lexical)
    if not isinstance(bound, Table):
        return bound
    return reference_table(binder, TableVariable(bound, binder.share()))


def _to_table(binder: Binder, expression: syntax.ToTable, scope: Scope) -> Table:
    return bind_table(binder, expression.query, scope.lexical)


def _call(binder: Binder, expression: syntax.FunctionCall, scope: Scope) -> Bound:
    name = expression.name.text
    if name == "table" and expression.arguments:
        text = constant_text(binder, expression.arguments[0], scope)
        if text is None:
            return binder.fail_table("table_expected", expression.span)
        return _name(binder, syntax.NameReference(expression.span, text), scope.lexical)
    if name in {"database", "cluster", "workspace", "app"}:
        return binder.fail_table("unsupported_scope", expression.span, name=name)
    return bind_call(binder, expression, scope)


def _path(binder: Binder, expression: syntax.PathExpression, scope: Scope) -> Bound:
    """`database('x').T`: other databases and clusters are out of reach."""
    pattern = _pattern(expression, scope)
    if pattern is not None and isinstance(expression.source, syntax.FunctionCall):
        path = expression.selector if isinstance(expression.selector, syntax.NameReference) else None
        return bind_pattern_call(binder, pattern, expression.source, scope, path)
    root: syntax.Expression = expression
    while isinstance(root, syntax.PathExpression):
        root = root.source
    if isinstance(root, syntax.FunctionCall) and root.name.text in {"database", "cluster", "workspace", "app"}:
        return binder.fail_table("unsupported_scope", expression.span, name=root.name.text)
    if not isinstance(expression.selector, syntax.NameReference):
        return binder.fail("unexpected_selector", expression.selector.span)
    return bind_scalar(binder, expression, scope)


def _pattern(expression: syntax.PathExpression, scope: Scope) -> PatternVariable | None:
    source = expression.source
    variable = scope.variable(source.name.text) if isinstance(source, syntax.FunctionCall) else None
    return variable if isinstance(variable, PatternVariable) else None


def _wildcard(binder: Binder, expression: syntax.WildcardName, scope: Scope) -> Table:
    return binder.fail_table("table_expected", expression.span)


_HANDLERS: dict[type[syntax.Expression], Callable[[Binder, Any, Scope], Bound]] = {
    syntax.NameReference: _name,
    syntax.FunctionCall: _call,
    syntax.PathExpression: _path,
    syntax.DataTable: _datatable,
    syntax.ExternalData: _externaldata,
    syntax.Materialize: _materialize,
    syntax.ToTable: _to_table,
    syntax.PipeExpression: bind_pipe,
    syntax.ContextualSubquery: bind_subquery,
    syntax.WildcardName: _wildcard,
}
