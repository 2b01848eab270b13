"""`summarize`: groups, and expressions over their aggregates."""

from __future__ import annotations

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.plan import Column, Expression, Relation
from vedette.kql.sql import tree
from vedette.kql.sql.aggregates import Group
from vedette.kql.sql.blocks import Block, unique_names
from vedette.kql.sql.relations import Relations, step
from vedette.kql.traversal import map_children


@step(plan.Summarize)
def _summarize(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Summarize)
    if block.limit is not None:
        block = emitter.closed(block, node.input.columns)
    block = emitter.prepared(block, node.input.columns, [*node.keys, *node.aggregates])
    keys = emitter.scalars(block).values(node.keys)
    bindings = dict(block.bindings)
    bindings.update({column.id: key for column, key in zip(node.columns, keys, strict=False)})
    picks = sum(1 for each in node.aggregates if isinstance(each, plan.Aggregate) and each.function == "take_any")
    group = Group(emitter.dialect, bindings, emitter, [key.ordered() for key in block.order], picks)
    plain = all(isinstance(each, (plan.Aggregate, plan.ColumnReference)) for each in node.aggregates)
    if not plain:
        return _summarized_in_two_steps(emitter, block, node)
    values = keys + group.values(node.aggregates)
    names = unique_names(node.columns)
    items = [tree.aliased(value, name) for value, name in zip(values, names, strict=True)]
    query = block.select(items, ordered=False)
    if keys:
        query.set("group", exp.Group(expressions=[tree.number(position + 1) for position in range(len(keys))]))
    return emitter.relation(query, node.columns, names)


def _summarized_in_two_steps(emitter: Relations, block: Block, node: plan.Summarize) -> Block:
    """Expressions over aggregates: the aggregates as columns of their own first, the expressions over those."""
    made: list[tuple[Column, plan.Aggregate]] = []

    def separated(expression: Expression) -> Expression:
        if isinstance(expression, plan.Aggregate):
            column = Column(emitter.fresh_column(), f"_aggregate{len(made)}", expression.type)
            made.append((column, expression))
            return plan.ColumnReference(expression.type, column)
        return map_children(expression, separated)

    keys = node.columns[: len(node.keys)]
    outputs = tuple(separated(each) for each in node.aggregates)
    inner = plan.Summarize(keys + tuple(c for c, _ in made), node.input, node.keys, tuple(each for _, each in made))
    result = _summarize(emitter, block, inner)
    scalars = emitter.scalars(result)
    values = dict(zip((column.id for column in node.columns[len(keys) :]), scalars.values(outputs), strict=True))
    result.bindings = {**{column.id: result.bindings[column.id] for column in keys}, **values}
    return result
