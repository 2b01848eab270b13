"""Operators that choose, compute, rename and reorder columns: extend, project and relatives, distinct, getschema."""

from __future__ import annotations

import fnmatch
import json
import re

from vedette.kql import plan, syntax
from vedette.kql.binder.assignments import bind_assignments, extend, project
from vedette.kql.binder.constants import constant, word
from vedette.kql.binder.context import Binder, similar
from vedette.kql.binder.keys import check_key
from vedette.kql.binder.names import OutputNames
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.scopes import Scope, Table, carry_aliases, reference
from vedette.kql.plan import Column, Expression, Literal
from vedette.kql.types import ScalarType


@operator(syntax.ExtendOperator, syntax.SerializeOperator)
def bind_extend(
    binder: Binder, written: syntax.ExtendOperator | syntax.SerializeOperator, table: Table, scope: Scope
) -> Table:
    """`extend`, and `serialize`, which also declares the order of its rows."""
    serialize = isinstance(written, syntax.SerializeOperator)
    if serialize:
        table = table.with_relation(table.relation, serialized=True)
    assignments = bind_assignments(binder, written.expressions, scope.over(table))
    added: dict[str, tuple[Column, Expression]] = {}
    number = 0
    for each in assignments:
        name = each.name
        if name is None:
            number += 1
            while f"Column{number}" in table.names:
                number += 1
            name = f"Column{number}"
        if name in added:
            if each.explicit:
                binder.report("column_declared_twice", each.syntax.span, name=name)
            continue
        added[name] = (binder.column(name, each.expression.type), each.expression)
    return _replacing_aliases(table, table.with_relation(extend(table.relation, list(added.values()))))


def _replacing_aliases(before: Table, after: Table) -> Table:
    """A computed column hides an alias of its name."""
    for name in [each for each in after.aliases if each in after.names and each not in before.names]:
        del after.aliases[name]
    return after


@operator(syntax.ProjectOperator)
def bind_project(binder: Binder, written: syntax.ProjectOperator, table: Table, scope: Scope) -> Table:
    """`project`: exactly the columns listed."""
    names = OutputNames(table.names)
    columns: list[Column] = []
    expressions: list[Expression] = []
    for each in bind_assignments(binder, written.expressions, scope.over(table)):
        name = each.name
        if each.explicit and name is not None:
            given = names.explicit(name)
            if given is None:
                binder.report("column_declared_twice", each.syntax.span, name=name)
                continue
            name = given
        else:
            name = names.automatic(name)
        columns.append(_output(binder, name, each.expression))
        expressions.append(each.expression)
    relation = project(tuple(columns), table.relation, tuple(expressions))
    result = Table(relation, serialized=table.serialized)
    return carry_aliases(table, result, zip(columns, expressions, strict=True))


def _output(binder: Binder, name: str, expression: Expression) -> Column:
    """The column of a projected expression: the very same one where it is handed through under its name."""
    if isinstance(expression, plan.ColumnReference) and expression.column.name == name:
        return expression.column
    return binder.column(name, expression.type)


def keep(table: Table, columns: list[Column]) -> Table:
    """A table of some of its own columns, in the order given."""
    carried = [*columns, *(each for each in table.hidden if each not in columns)]
    relation = plan.Project(tuple(carried), table.relation, tuple(reference(each) for each in carried))
    return table.with_relation(relation)


def matching(binder: Binder, table: Table, written: syntax.Expression) -> list[Column]:
    """Columns that a name or a pattern with `*` refers to."""
    if isinstance(written, syntax.StarExpression):
        return list(table.columns)
    if isinstance(written, syntax.WildcardName):
        return [each for each in table.columns if fnmatch.fnmatchcase(each.name, written.pattern)]
    if isinstance(written, syntax.NameReference):
        column = table.find(written.name)
        if column is not None:
            return [column]
        if table.open:
            return [binder.guessed(table, written.name)]
        hint = similar(written.name, table.names)
        binder.report("unknown_name", written.span, name=written.name, hint=hint)
        return []
    binder.report("column_expected", written.span)
    return []


@operator(syntax.ProjectAwayOperator)
def bind_project_away(binder: Binder, written: syntax.ProjectAwayOperator, table: Table, scope: Scope) -> Table:
    """`project-away`: all columns but these."""
    away = {column.id for each in written.columns for column in matching(binder, table, each)}
    return keep(table, [each for each in table.columns if each.id not in away])


@operator(syntax.ProjectKeepOperator)
def bind_project_keep(binder: Binder, written: syntax.ProjectKeepOperator, table: Table, scope: Scope) -> Table:
    """`project-keep`: these columns, in the input's order."""
    kept = {column.id for each in written.columns for column in matching(binder, table, each)}
    return keep(table, [each for each in table.columns if each.id in kept])


@operator(syntax.ProjectRenameOperator)
def bind_project_rename(binder: Binder, written: syntax.ProjectRenameOperator, table: Table, scope: Scope) -> Table:
    """`project-rename`: columns keep their place."""
    renamed: dict[int, Column] = {}
    for each in written.expressions:
        if not isinstance(each, syntax.NamedExpression):
            binder.report("column_expected", each.span)
            continue
        for old in matching(binder, table, each.expression):
            renamed[old.id] = binder.fresh(old, each.name.text)
    columns = tuple(renamed.get(each.id, each) for each in table.columns)
    if len({each.name for each in columns}) < len(columns):
        binder.report("column_declared_twice", written.span, name=_first_duplicate(columns))
    relation = plan.Project(columns, table.relation, tuple(reference(each) for each in table.columns))
    return _replacing_aliases(table, table.with_relation(relation))


def _first_duplicate(columns: tuple[Column, ...]) -> str:
    seen: set[str] = set()
    for each in columns:
        if each.name in seen:
            return each.name
        seen.add(each.name)
    return ""


@operator(syntax.ProjectReorderOperator)
def bind_project_reorder(binder: Binder, written: syntax.ProjectReorderOperator, table: Table, scope: Scope) -> Table:
    """`project-reorder`: the columns listed first, the others behind them in their order."""
    ordered: dict[int, Column] = {}
    for each in written.columns:
        inner, direction = each, None
        if isinstance(each, syntax.OrderedExpression):
            inner, direction = each.expression, each.direction
        found = matching(binder, table, inner)
        if direction is not None:
            natural = direction.startswith("granny")
            found.sort(key=lambda column: _sort_key(column.name, natural=natural), reverse=direction.endswith("desc"))
        for column in found:
            ordered.setdefault(column.id, column)
    for column in table.columns:
        ordered.setdefault(column.id, column)
    return keep(table, list(ordered.values()))


def _sort_key(name: str, *, natural: bool) -> tuple[tuple[int, int | str], ...]:
    """`granny` order compares numbers in names by value: a20 comes before a100."""
    if not natural:
        return ((1, name),)
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name) if part)


@operator(syntax.ProjectByNamesOperator)
def bind_project_by_names(binder: Binder, written: syntax.ProjectByNamesOperator, table: Table, scope: Scope) -> Table:
    """`project-by-names`: columns whose names, or patterns of names, are constants. Unknown ones are passed over."""
    chosen: dict[int, Column] = {}
    for each in written.columns:
        found = constant(binder.scalar(binder, each, scope.lexical))
        if found is None or not isinstance(found.value, str):
            binder.report("constant_expected", each.span, expected="string or dynamic")
            continue
        names = json.loads(found.value) if found.type is ScalarType.DYNAMIC else [found.value]
        for name in names if isinstance(names, list) else [names]:
            for column in table.columns:
                if fnmatch.fnmatchcase(column.name, str(name)):
                    chosen.setdefault(column.id, column)
    return keep(table, list(chosen.values()))


@operator(syntax.DistinctOperator)
def bind_distinct(binder: Binder, written: syntax.DistinctOperator, table: Table, scope: Scope) -> Table:
    """`distinct`: names as in project."""
    if len(written.columns) == 1 and isinstance(written.columns[0], syntax.StarExpression):
        visible = keep(Table(table.relation), list(table.columns)) if table.hidden else table
        for column in table.columns:
            check_key(binder, reference(column), written.columns[0], table)
        relation: plan.Relation = plan.Distinct(table.columns, visible.relation)
        return table.with_relation(relation, serialized=False)
    names = OutputNames(table.names)
    columns: list[Column] = []
    expressions: list[Expression] = []
    for each in bind_assignments(binder, written.columns, scope.over(table)):
        written_name = each.name if each.explicit else None
        name = names.automatic(each.name) if written_name is None else names.explicit(written_name)
        if name is None:
            continue
        check_key(binder, each.expression, each.syntax, table)
        columns.append(_output(binder, name, each.expression))
        expressions.append(each.expression)
    relation = plan.Project(tuple(columns), table.relation, tuple(expressions))
    distinct = plan.Distinct(tuple(columns), relation)
    return carry_aliases(table, Table(distinct), zip(columns, expressions, strict=True))


_CLR_NAMES = {
    ScalarType.BOOL: "System.SByte",
    ScalarType.INT: "System.Int32",
    ScalarType.LONG: "System.Int64",
    ScalarType.REAL: "System.Double",
    ScalarType.DECIMAL: "System.Data.SqlTypes.SqlDecimal",
    ScalarType.STRING: "System.String",
    ScalarType.DATETIME: "System.DateTime",
    ScalarType.TIMESPAN: "System.TimeSpan",
    ScalarType.GUID: "System.Guid",
    ScalarType.DYNAMIC: "System.Object",
}


@operator(syntax.GetSchemaOperator)
def bind_getschema(binder: Binder, written: syntax.GetSchemaOperator, table: Table, scope: Scope) -> Table:
    """`getschema`: a row per column, or with `kind=csl` one text. It asks nothing of the data."""
    if word(written.parameter("kind")) == "csl":
        text = ",".join(f"{each.name}:{each.type.value}" for each in table.columns)
        row = (Literal(ScalarType.STRING, text),)
        return Table(plan.Values((binder.column("Schema", ScalarType.STRING),), (row,)), serialized=True)
    names = ("ColumnName", "ColumnOrdinal", "DataType", "ColumnType")
    types = (ScalarType.STRING, ScalarType.LONG, ScalarType.STRING, ScalarType.STRING)
    columns = tuple(binder.column(name, type_) for name, type_ in zip(names, types, strict=True))
    rows = tuple(
        (
            Literal(ScalarType.STRING, each.name),
            Literal(ScalarType.LONG, ordinal),
            Literal(ScalarType.STRING, _CLR_NAMES[each.type]),
            Literal(ScalarType.STRING, each.type.value),
        )
        for ordinal, each in enumerate(table.columns)
    )
    return Table(plan.Values(columns, rows), serialized=True)
