"""mv-expand and mv-apply: arrays and bags to rows."""

from __future__ import annotations

import dataclasses

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import constant_integer, word
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.discovery import NotYetThere
from vedette.kql.binder.names import default_name
from vedette.kql.binder.pipelines import operator
from vedette.kql.binder.scopes import Scope, Table, reference
from vedette.kql.functions.signature import NUMBERS
from vedette.kql.plan import Column, Expression
from vedette.kql.types import ScalarType


@dataclasses.dataclass(frozen=True, slots=True)
class Expansion:
    """What mv-expand and mv-apply have in common.

    `columns` are the expanded rows' columns; `typed` those that `to typeof` converts after the expansion.
    """

    items: tuple[tuple[Column, Expression], ...]
    columns: tuple[Column, ...]
    index: Column | None
    typed: dict[int, Column]
    replaced: frozenset[int]


_TAKEN_AS = (ScalarType.DYNAMIC, ScalarType.STRING)
"""Types of which an element is a value as it stands."""


def _expand(
    binder: Binder,
    written: syntax.MvExpandOperator | syntax.MvApplyOperator,
    table: Table,
    scope: Scope,
) -> Expansion:
    items: list[tuple[Column, Expression]] = []
    typed: dict[int, Column] = {}
    columns = list(table.relation.columns)
    replaced: set[int] = set()
    inner = scope.over(table)
    for each in written.columns:
        name, expression = _named(each.expression)
        bound = binder.scalar(binder, expression, inner)
        if bound.type is not ScalarType.DYNAMIC:
            binder.report("not_dynamic", each.expression.span, found=bound.type)
            bound = convert(bound, ScalarType.DYNAMIC)
        type_ = ScalarType.DYNAMIC if each.to is None else each.to.type
        taken = type_ if type_ in _TAKEN_AS else ScalarType.DYNAMIC
        output = binder.column(name or f"Column{len(items) + 1}", taken)
        items.append((output, bound))
        if type_ is not taken:
            typed[output.id] = binder.column(output.name, type_)
        _place(columns, output, replaced)
    index = None
    with_index = word(written.parameter("with_itemindex"))
    if with_index is not None:
        index = binder.column(with_index, ScalarType.LONG)
        _place(columns, index, replaced)
    return Expansion(tuple(items), tuple(columns), index, typed, frozenset(replaced))


def _named(expression: syntax.Expression) -> tuple[str | None, syntax.Expression]:
    if isinstance(expression, syntax.NamedExpression):
        return expression.name.text, expression.expression
    return default_name(expression), expression


def _place(columns: list[Column], column: Column, replaced: set[int]) -> None:
    for position, each in enumerate(columns):
        if each.name == column.name:
            replaced.add(each.id)
            columns[position] = column
            return
    columns.append(column)


def _convert(relation: plan.Relation, typed: dict[int, Column]) -> plan.Relation:
    """`to typeof(...)`: the expanded values read as that type."""
    if not typed:
        return relation
    columns = tuple(typed.get(each.id, each) for each in relation.columns)
    expressions = tuple(
        _read_as(reference(each), typed[each.id].type) if each.id in typed else reference(each)
        for each in relation.columns
    )
    return plan.Project(columns, relation, expressions)


def _read_as(element: Expression, type_: ScalarType) -> Expression:
    """The element as a value of the type. Texts are not parsed as numbers (mv-expand-operator: cast-only)."""
    return convert(plan.Call(ScalarType.DYNAMIC, "untexted", (element,)) if type_ in NUMBERS else element, type_)


@operator(syntax.MvExpandOperator)
def bind_mv_expand(binder: Binder, written: syntax.MvExpandOperator, table: Table, scope: Scope) -> Table:
    """`mv-expand`."""
    expansion = _expand(binder, written, table, scope)
    kind = word(written.parameter("bagexpansion") or written.parameter("kind")) or "bag"
    limit = None if written.limit is None else constant_integer(binder, written.limit, scope.lexical)
    relation = plan.Unnest(expansion.columns, table.relation, expansion.items, kind.lower(), expansion.index, limit)
    return table.with_relation(_convert(relation, expansion.typed))


@operator(syntax.MvApplyOperator)
def bind_mv_apply(binder: Binder, written: syntax.MvApplyOperator, table: Table, scope: Scope) -> Table:
    """`mv-apply`: the subquery runs over the expanded rows of each record."""
    expansion = _expand(binder, written, table, scope)
    limit = None if written.limit is None else constant_integer(binder, written.limit, scope.lexical)
    number = binder.share()
    leaf = _convert(plan.CorrelatedRows(expansion.columns, number), expansion.typed)
    before, binder.subject = binder.subject, table.with_relation(leaf, serialized=True)
    try:
        body = binder.table(binder, written.subquery, scope.lexical)
    except NotYetThere:
        what = "An operator that needs the data while the query is compiled, within mv-apply,"
        return binder.fail_table("unsupported_expression", written.subquery.span, what=what)
    finally:
        binder.subject = before
    results = {each.name: each for each in body.columns}
    outer = tuple(
        each
        for each in table.columns
        if each.id not in expansion.replaced and (each.name not in results or results[each.name] is each)
    )
    kept = {each.id for each in outer}
    inside = tuple(each for each in body.columns if each.id not in kept)
    relation = body.relation
    if len(inside) < len(body.columns):
        relation = plan.Project(inside, relation, tuple(reference(each) for each in inside))
    apply = plan.Apply(
        (*outer, *inside),
        table.relation,
        number,
        expansion.items,
        expansion.columns,
        outer,
        relation,
        expansion.index,
        limit,
    )
    result = table.with_relation(apply, serialized=False)
    result.open = table.open or body.open
    return result
