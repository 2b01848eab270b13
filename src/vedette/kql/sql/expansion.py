"""mv-expand and mv-apply: one row per element. Expansion of several columns zips them to the longest."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.plan import Column, ColumnReference, Expression, Relation
from vedette.kql.sql import tree
from vedette.kql.sql.base import UnsupportedError
from vedette.kql.sql.blocks import Block, OrderKey, unique_names
from vedette.kql.sql.dynamic import convert_dynamic
from vedette.kql.sql.partitions import keyed
from vedette.kql.sql.relations import Relations, step
from vedette.kql.sql.tree import Sql
from vedette.kql.traversal import relations
from vedette.kql.types import ScalarType

Items = tuple[tuple[Column, Expression], ...]


def _texts(value: Sql) -> Sql | None:
    """The list of text that `split` makes an array of: it is expanded without a detour through JSON."""
    if not isinstance(value, exp.Anonymous) or value.name != "kql_split" or len(value.expressions) != 2:
        return None
    delimiter = value.expressions[1]
    certain = isinstance(delimiter, exp.Literal) and delimiter.name
    return tree.call("string_split" if certain else "kql_split_texts", *value.expressions)


def _list(emitter: Relations, block: Block, expression: Expression, kind: str, limit: int | None) -> tuple[Sql, bool]:
    """The elements, and whether they are text rather than JSON."""
    value = emitter.scalars(block).value(expression)
    texts = _texts(value)
    elements = tree.call("kql_expanded", value, tree.text(kind)) if texts is None else texts
    if limit is not None:
        elements = tree.call("list_slice", elements, tree.number(1), tree.number(limit))
    return elements, texts is not None


def _converted(element: Sql, type_: ScalarType, *, is_text: bool) -> Sql:
    """An element as a value of the column's type. Beside a longer list, one of text has nulls at its end."""
    if not is_text:
        return convert_dynamic(element, type_)
    if type_ is ScalarType.STRING:
        return tree.coalesce(element, tree.text(""))
    return convert_dynamic(tree.call("to_json", element), type_)


def _positions(lists: Sequence[Sql]) -> Sql:
    """The numbers from 0 of the elements of the longest list."""
    lengths = [tree.call("len", each) for each in lists]
    longest = lengths[0] if len(lengths) == 1 else tree.call("greatest", *lengths)
    return tree.call("range", longest)


def _expanded(
    emitter: Relations, block: Block, columns: Sequence[Column], items: Items, index: Column | None, *,
    kind: str, limit: int | None, extra: Sequence[tuple[str, Sql]] = (),
) -> Block:  # fmt: skip
    """The rows of the block, one per element, as a relation. Above it, elements become values of their types."""
    by_column = {column.id: _list(emitter, block, expression, kind, limit) for column, expression in items}
    names = unique_names(columns)
    selected: list[Sql] = []
    for column, name in zip(columns, names, strict=True):
        if column.id in by_column:
            value = tree.call("unnest", by_column[column.id][0])
        elif index is not None and column.id == index.id:
            value = tree.call("unnest", _positions([each for each, _ in by_column.values()]))
        else:
            value = block.bindings[column.id]
        selected.append(tree.aliased(value, name))
    selected += [tree.aliased(value, name) for name, value in extra]
    result = emitter.relation(block.select(selected, ordered=False), columns, names)
    for column in columns:
        if column.id in by_column:
            is_text = by_column[column.id][1]
            result.bindings[column.id] = _converted(result.bindings[column.id], column.type, is_text=is_text)
    return result


def _carried(block: Block) -> list[tuple[str, Sql]]:
    return [(f"_order{position}", key.sql) for position, key in enumerate(block.order)]


def _alias(block: Block) -> str:
    assert block.source is not None
    return str(block.source.alias_or_name)


@step(plan.Unnest)
def _unnest(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Unnest)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block = emitter.prepared(block, node.input.columns, [expression for _, expression in node.items])
    result = _expanded(
        emitter, block, node.columns, node.items, node.index, kind=node.kind, limit=node.limit, extra=_carried(block)
    )
    alias = _alias(result)
    result.order = tuple(
        OrderKey(tree.column(f"_order{position}", alias), key.descending, key.nulls_first)
        for position, key in enumerate(block.order)
    )
    return result


@step(plan.Apply)
def _apply(emitter: Relations, block: Block, node: Relation) -> Block:
    """Rows get a number; the body runs in a lateral subquery over the elements of the row with the same number."""
    assert isinstance(node, plan.Apply)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    numbered = _numbered(emitter, block, node.input.columns)
    if any(isinstance(each, plan.ScanSteps) for each in relations(node.body)):
        return _all_at_once(emitter, node, numbered)
    outer = _alias(numbered) if emitter.nested else emitter.alias()
    emitter.scopes[node.scope] = _of_row(emitter, node, numbered, outer)
    emitter.nested += 1
    body = emitter.block(node.body)
    names = unique_names(node.body.columns)
    items = [tree.aliased(body.bindings[c.id], name) for c, name in zip(node.body.columns, names, strict=True)]
    if body.order:
        place = tree.over(tree.call("row_number"), order=[key.ordered() for key in body.order])
        items.append(tree.aliased(place, "_place"))
    query = body.select(items, ordered=body.limit is not None)
    emitter.nested -= 1
    inner = emitter.alias()
    lateral = exp.Lateral(this=exp.Subquery(this=query), alias=exp.TableAlias(this=exp.Identifier(this=inner)))
    source = numbered.source if emitter.nested else _named(_alias(numbered), outer)
    outside = unique_names(node.input.columns)
    names_outside = {column.id: name for column, name in zip(node.input.columns, outside, strict=True)}
    bindings: dict[int, Sql] = {}
    kept = [tree.column(names_outside[column.id], outer) for column in node.outer]
    given = [tree.column(name, inner) for name in names]
    for column, value in zip(node.columns, [*kept, *given], strict=True):
        bindings[column.id] = value
    join = exp.Join(this=lateral, kind="CROSS")
    result = Block(source, bindings, joins=[join])
    places = [tree.column("_row", outer), *([tree.column("_place", inner)] if body.order else [])]
    result.order = tuple(OrderKey(each, False, False) for each in places)
    return result


def _named(name: str, alias: str) -> Sql:
    return exp.Table(this=exp.Identifier(this=name), alias=exp.TableAlias(this=exp.Identifier(this=alias)))


def _of_row(emitter: Relations, node: plan.Apply, numbered: Block, outer: str) -> Block:
    """The elements of the row that `outer` stands at. Inside another lateral subquery rows have no name to be read
    by again, so they are expanded right there; elsewhere all are expanded at once, which is faster.
    """
    if emitter.nested:
        once = exp.Subquery(this=exp.Select(expressions=[tree.aliased(tree.number(1), "_once")]))
        once.set("alias", exp.TableAlias(this=exp.Identifier(this=emitter.alias())))
        row, extra = Block(once, numbered.bindings), []
    else:
        row, extra = numbered, [("_row", tree.column("_row", _alias(numbered)))]
    lists = [_list(emitter, row, expression, "bag", node.limit)[0] for _, expression in node.items]
    extra.append(("_index", tree.call("unnest", _positions(lists))))
    expanded = _expanded(emitter, row, node.expanded, node.items, node.index, kind="bag", limit=node.limit, extra=extra)
    within = _alias(expanded)
    same_row = [tree.equal(tree.column("_row", within), tree.column("_row", outer))] if not emitter.nested else []
    order = (OrderKey(tree.column("_index", within), False, False),)
    return Block(expanded.source, expanded.bindings, where=same_row, order=order)


def _all_at_once(emitter: Relations, node: plan.Apply, numbered: Block) -> Block:
    """scan keeps a state of its own for each row, so it runs over the elements of all rows, told apart by number."""
    if emitter.nested:
        raise UnsupportedError("scan", "it cannot run for each record of an mv-apply within another subquery")
    number = Column(emitter.fresh_column(), "_number", ScalarType.LONG)
    numbered.bindings[number.id] = tree.column("_row", _alias(numbered))
    emitter.scopes[number.id] = numbered
    rows = plan.CorrelatedRows((*node.input.columns, number), number.id)
    of_number = ColumnReference(number.type, number)
    elements = _in_order(
        emitter, plan.Unnest((*node.expanded, number), rows, node.items, "bag", node.index, node.limit)
    )
    key = Column(emitter.fresh_column(), "_key", ScalarType.LONG)
    parts = plan.Partition(node.body.columns, elements, node.scope, of_number, node.body)
    found = keyed(parts, key, emitter)
    if found is None:
        raise UnsupportedError("scan", "it cannot run for each record of mv-apply beside these operators")
    names = {each.id for each in node.outer}
    bodies = [each for each in node.columns if each.id not in names]
    both = (*node.outer, *bodies)
    join = plan.Join(both, rows, found, "inner", ((of_number, ColumnReference(key.type, key)),), both)
    return emitter.block(join)


def _in_order(emitter: Relations, node: plan.Unnest) -> Relation:
    """The elements of each row in their order, which is what a state machine over them goes by."""
    index = node.index or Column(emitter.fresh_column(), "_index", ScalarType.LONG)
    columns = node.columns if node.index is not None else (*node.columns, index)
    elements = dataclasses.replace(node, columns=columns, index=index)
    return plan.Sort(columns, elements, (plan.SortKey(ColumnReference(index.type, index), False, False),))


def _numbered(emitter: Relations, block: Block, columns: Sequence[Column]) -> Block:
    """The rows as a relation with their number in `_row`, in order where they have one."""
    names = unique_names(columns)
    items = [tree.aliased(block.bindings[c.id], name) for c, name in zip(columns, names, strict=True)]
    number = tree.over(tree.call("row_number"), order=[key.ordered() for key in block.order])
    query = block.select([*items, tree.aliased(number, "_row")], ordered=False)
    if emitter.nested:
        return emitter.relation(query, columns, names)
    alias = emitter.materialized(query)  # read twice, it has to number the rows alike
    bindings: dict[int, Sql] = {c.id: tree.column(name, alias) for c, name in zip(columns, names, strict=True)}
    return Block(exp.Table(this=exp.Identifier(this=alias)), bindings)
