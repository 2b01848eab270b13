"""Window functions over serialized rows. Rows are numbered once; every function then refers to that number."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.plan import Call, Column, Expression, Literal, Relation, WindowCall
from vedette.kql.sql import decimals, tree
from vedette.kql.sql.base import Scalars, UnsupportedError
from vedette.kql.sql.blocks import Block, OrderKey, unique_names
from vedette.kql.sql.literals import default
from vedette.kql.sql.relations import Relations, step
from vedette.kql.sql.tree import Sql
from vedette.kql.traversal import children_of, map_children
from vedette.kql.types import ScalarType


@step(plan.Window)
def _window(emitter: Relations, block: Block, node: Relation) -> Block:
    assert isinstance(node, plan.Window)
    current = _Numbered(emitter, block, node.input.columns)
    expressions = [current.computed(each) for each in node.expressions]
    result = current.block
    scalars = emitter.scalars(result)
    values = {column.id: scalars.value(each) for column, each in zip(node.columns, expressions, strict=True)}
    result.bindings = values
    return result


class _Numbered:
    """Rows with their number, growing a column for each window function that is computed over them."""

    def __init__(self, emitter: Relations, block: Block, columns: Sequence[Column]) -> None:
        self.emitter = emitter
        self.columns = list(columns)
        if block.limit is not None:
            block = emitter.closed(block, columns)
        number = tree.over(tree.call("row_number"), order=[key.ordered() for key in block.order])
        self.block = self._extended(block, [("_place", number)])
        self._fresh = 0

    def computed(self, expression: Expression) -> Expression:
        """The expression with every window call replaced by a column that has its value."""
        if not isinstance(expression, WindowCall):
            return map_children(expression, self.computed) if children_of(expression) else expression
        arguments = tuple(self.computed(each) for each in expression.arguments)
        return self._value(WindowCall(expression.type, expression.function, arguments))

    def _value(self, call: WindowCall) -> Expression:
        scalars = self.emitter.scalars(self.block)
        rule = _RULES.get(call.function)
        if rule is None:
            raise UnsupportedError(call.function, "not built")
        if call.function in {"prev", "next"}:
            return self._added(call.type, rule(scalars, call, self._place(), []))
        partition: list[Sql] = []
        restart = call.arguments[-1]
        if not (isinstance(restart, Literal) and restart.value is not True):
            part = self._added(ScalarType.LONG, _running(scalars.condition(restart), self._place()))
            scalars = self.emitter.scalars(self.block)
            partition = [scalars.value(part)]
        if call.function.startswith("row_rank"):
            return self._rank(call, partition)
        return self._added(call.type, rule(scalars, call, self._place(), partition))

    def _rank(self, call: WindowCall, partition: list[Sql]) -> Expression:
        """Ranks count the places where the term differs from the one before."""
        scalars = self.emitter.scalars(self.block)
        term = scalars.value(call.arguments[0])
        order = [tree.ordered(self._place(), False, False)]
        before = tree.over(tree.call("lag", term), partition, order)
        first = tree.equal(tree.over(tree.call("row_number"), partition, order), tree.number(1))
        changed = self._added(ScalarType.BOOL, tree.either(first, tree.different(term, before)))
        partition = [tree.used_once(each) for each in partition]
        scalars = self.emitter.scalars(self.block)
        start = scalars.value(changed)
        order = [tree.ordered(self._place(), False, False)]
        if call.function == "row_rank_dense":
            counted = tree.when([(start, tree.number(1))], tree.number(0))
            return self._added(
                call.type,
                tree.cast(tree.over(tree.call("sum", counted), self._rebound(partition), order, "rows"), "BIGINT"),
            )
        number = self._added(ScalarType.LONG, tree.over(tree.call("row_number"), self._rebound(partition), order))
        scalars = self.emitter.scalars(self.block)
        own = tree.when([(scalars.value(changed), scalars.value(number))])
        order = [tree.ordered(self._place(), False, False)]
        return self._added(
            call.type, tree.cast(tree.over(tree.call("max", own), self._rebound(partition), order, "rows"), "BIGINT")
        )

    def _rebound(self, partition: Sequence[Sql]) -> list[Sql]:
        """The partition's column under the name of the current relation."""
        alias = _alias(self.block)
        return [tree.column(each.name, alias) for each in partition]

    def _place(self) -> Sql:
        return tree.column("_place", _alias(self.block))

    def _added(self, type_: ScalarType, value: Sql) -> Expression:
        self._fresh += 1
        column = Column(self.emitter.fresh_column(), f"_window{self._fresh}", type_)
        self.block.bindings[column.id] = value
        self.columns.append(column)
        self.block = self._extended(self.block, [("_place", self._place())])
        return plan.ColumnReference(type_, column)

    def _extended(self, block: Block, extra: Sequence[tuple[str, Sql]]) -> Block:
        names = unique_names(self.columns)
        items = [tree.aliased(block.bindings[c.id], name) for c, name in zip(self.columns, names, strict=True)]
        items += [tree.aliased(value, name) for name, value in extra]
        result = self.emitter.relation(block.select(items, ordered=False), self.columns, names)
        result.order = (OrderKey(tree.column("_place", _alias(result)), False, False),)
        return result


def _alias(block: Block) -> str:
    assert block.source is not None
    return str(block.source.alias_or_name)


def _running(predicate: Sql, place: Sql) -> Sql:
    """How many rows up to here fulfil the predicate."""
    counted = tree.when([(predicate, tree.number(1))], tree.number(0))
    return tree.over(tree.call("sum", counted), (), [tree.ordered(place, False, False)], "rows")


def _shifted(scalars: Scalars, call: WindowCall, place: Sql, partition: list[Sql]) -> Sql:
    value, offset, fallback = call.arguments
    name = "lag" if call.function == "prev" else "lead"
    order = [tree.ordered(place, False, False)]
    filler = scalars.value(fallback) if not isinstance(fallback, Call) else default(value.type)
    return tree.over(tree.call(name, scalars.value(value), scalars.value(offset), filler), partition, order)


def _row_number(scalars: Scalars, call: WindowCall, place: Sql, partition: list[Sql]) -> Sql:
    number = tree.over(tree.call("row_number"), partition, [tree.ordered(place, False, False)])
    start = scalars.value(call.arguments[0])
    return tree.binary(exp.Add, number, tree.binary(exp.Sub, start, tree.number(1)))


def _row_cumsum(scalars: Scalars, call: WindowCall, place: Sql, partition: list[Sql]) -> Sql:
    term = call.arguments[0]
    if term.type is ScalarType.DECIMAL:
        so_far = tree.over(
            tree.call("list", scalars.value(term)), partition, [tree.ordered(place, False, False)], "rows"
        )
        return decimals.compute("sum", tree.cast(tree.call("to_json", so_far), "VARCHAR"))
    total = tree.over(tree.call("sum", scalars.value(term)), partition, [tree.ordered(place, False, False)], "rows")
    if term.type is ScalarType.REAL:
        return tree.coalesce(total, tree.number(0))
    return tree.coalesce(tree.call("kql_wrap", total), tree.number(0))


def _row_window_session(scalars: Scalars, call: WindowCall, place: Sql, partition: list[Sql]) -> Sql:
    """Each row folds the times before it in its part: exact, but quadratic in the length of a part."""
    times, longest, gap = scalars.values(call.arguments[:3])
    so_far = tree.over(tree.call("list", times), partition, [tree.ordered(place, False, False)], "rows")
    return tree.call("kql_session_start", so_far, longest, gap)


def _ranked(_scalars: Scalars, call: WindowCall, _place: Sql, _partition: list[Sql]) -> Sql:
    raise UnsupportedError(call.function, "ranks are computed in several steps")


_RULES = {
    "prev": _shifted, "next": _shifted, "row_number": _row_number, "row_cumsum": _row_cumsum,
    "row_rank_dense": _ranked, "row_rank_min": _ranked,
    "row_window_session": _row_window_session,
}  # fmt: skip
