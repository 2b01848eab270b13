"""Time ranges: bounds on a table's time column are carried down to its Scan, so that only segments that can hold
matching rows are opened. Filters themselves stay where they are: the engine pushes them down on its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from vedette.kql import plan
from vedette.kql.moments import ALWAYS, Bound, TimeRange, shifted, time_range
from vedette.kql.plan import Call, Column, ColumnReference, Expression, Literal, QueryTime, Relation
from vedette.kql.rewrites.context import Context
from vedette.kql.traversal import inputs_of, map_expressions, map_inputs, map_plans, relations
from vedette.kql.types import ScalarType

Ranges = dict[int, TimeRange]


def narrow_time_ranges(root: Relation, context: Context) -> Relation:
    """The plan whose Scans know the time range that the filters above leave."""
    return _Narrowing(root, context).down(root, {})


class _Narrowing:
    """One walk from the top; rows that several places read are reached with the hull of what they ask for."""

    def __init__(self, root: Relation, context: Context) -> None:
        self._context = context
        self._uses: dict[int, int] = {}
        for node in relations(root):
            if isinstance(node, plan.Shared):
                self._uses[node.id] = self._uses.get(node.id, 0) + 1
        self._shared: dict[int, Relation] = {}

    def down(self, node: Relation, ranges: Ranges) -> Relation:
        """The relation where rows outside `ranges` (by column id) do not matter. Pipelines are walked in a loop."""
        pipeline: list[Relation] = []
        while True:
            node = map_expressions(node, lambda each: map_plans(each, lambda inner: self.down(inner, {})))
            ranges = _below(node, ranges)
            inputs = inputs_of(node)
            if len(inputs) != 1 or isinstance(node, plan.Shared):
                break
            pipeline.append(node)
            (node,) = inputs
        result = self._leaf(node, ranges)
        for above in reversed(pipeline):
            renewed = result
            result = map_inputs(above, lambda _, below=renewed: below)  # type: ignore[misc]
        return result

    def _leaf(self, node: Relation, ranges: Ranges) -> Relation:
        if isinstance(node, plan.Scan):
            return self._scan(node, ranges)
        if isinstance(node, plan.Shared):
            return self._shared_rows(node, ranges)
        return map_inputs(node, lambda each: self.down(each, _for_input(node, each, ranges)))

    def _scan(self, node: plan.Scan, ranges: Ranges) -> Relation:
        schema = self._context.catalog.table(node.table)
        if schema is None or schema.time_column is None:
            return node
        stored = next((each.physical for each in schema.columns if each.name == schema.time_column), None)
        for column, physical in zip(node.columns, node.physical, strict=True):
            if physical == stored and ranges.get(column.id, ALWAYS) != ALWAYS:
                return dataclasses.replace(node, time_range=node.time_range.within(ranges[column.id]))
        return node

    def _shared_rows(self, node: plan.Shared, ranges: Ranges) -> Relation:
        if self._uses.get(node.id, 0) > 1:
            if node.id not in self._shared:
                self._shared[node.id] = self.down(node.input, {})
            return dataclasses.replace(node, input=self._shared[node.id])
        inner = {
            below.id: ranges[above.id]
            for above, below in zip(node.columns, node.input.columns, strict=True)
            if above.id in ranges
        }
        return dataclasses.replace(node, input=self.down(node.input, inner))


# --- what a node lets through ---------------------------------------------------------------------------------------


def _below(  # noqa: PLR0911 - one line a kind of node
    node: Relation, ranges: Ranges
) -> Ranges:
    """Ranges that rows of the (single) input must lie in to matter."""
    if isinstance(node, plan.Filter):
        return _narrowed(ranges, _conjuncts(node.predicate))
    if not ranges:
        return ranges
    if isinstance(node, plan.Project):
        pairs = zip(node.columns, node.expressions, strict=True)
        return _narrowed_all(
            (each.column.id, ranges[column.id])
            for column, each in pairs
            if isinstance(each, ColumnReference) and column.id in ranges
        )
    if isinstance(node, plan.Summarize):
        pairs = zip(node.columns, node.keys, strict=False)
        return _narrowed_all(
            (each.column.id, ranges[column.id])
            for column, each in pairs
            if isinstance(each, ColumnReference) and column.id in ranges
        )
    if isinstance(node, plan.Sort) and node.limit is None:
        return ranges
    if isinstance(node, (plan.Distinct, plan.Unnest, plan.Scan, plan.Shared, plan.Join, plan.Union)):
        return ranges
    return {}


def _for_input(node: Relation, below: Relation, ranges: Ranges) -> Ranges:
    """Ranges for one of several inputs."""
    if isinstance(node, plan.Union):
        position = next(index for index, each in enumerate(node.inputs) if each is below)
        legs = zip(node.columns, node.sources[position], strict=True)
        return {own.id: ranges[column.id] for column, own in legs if own is not None and column.id in ranges}
    if isinstance(node, plan.Join) and _may_narrow(node, below):
        side = {column.id for column in below.columns}
        pairs = zip(node.columns, node.sources, strict=True)
        return {source.id: ranges[column.id] for column, source in pairs if source.id in side and column.id in ranges}
    return {}


def _may_narrow(node: plan.Join, below: Relation) -> bool:
    """Rows of a side may be left out if they could only make rows that are filtered out."""
    if node.kind == "inner":
        return True
    if node.kind == "innerunique":
        return below is node.right and below is not node.left
    kept = node.left if node.kind.startswith("left") else node.right
    return node.kind != "fullouter" and below is kept


# --- ranges ---------------------------------------------------------------------------------------------------------


def _conjuncts(predicate: Expression) -> Iterator[tuple[int, TimeRange]]:
    stack = [predicate]
    while stack:
        each = stack.pop()
        if not isinstance(each, Call):
            continue
        if each.function == "and":
            stack.extend(each.arguments)
        else:
            yield from _bound(each)


_MIRRORED = {
    "less": "greater",
    "less_or_equal": "greater_or_equal",
    "greater": "less",
    "greater_or_equal": "less_or_equal",
}


def _bound(call: Call) -> Iterator[tuple[int, TimeRange]]:
    """The half-open range that a comparison of a column with constants leaves."""
    if call.function == "between":
        value, low, high = call.arguments
        if (column := _moment(value)) and (least := _ticks(low)) is not None and (most := _ticks(high)) is not None:
            if high.type is ScalarType.TIMESPAN and isinstance(most, int):
                most = shifted(least, most)
            yield column.id, time_range(least, shifted(most, 1))
        return
    if call.function not in {*_MIRRORED, "equal"}:
        return
    left, right = call.arguments
    function = call.function
    if _moment(right) is not None:
        left, right, function = right, left, _MIRRORED.get(function, function)
    column, ticks = _moment(left), _ticks(right)
    if column is None or ticks is None:
        return
    yield (
        column.id,
        {
            "less": time_range(None, ticks),
            "less_or_equal": time_range(None, shifted(ticks, 1)),
            "greater": time_range(shifted(ticks, 1), None),
            "greater_or_equal": time_range(ticks, None),
            "equal": time_range(ticks, shifted(ticks, 1)),
        }[function],
    )


def _moment(expression: Expression) -> Column | None:
    is_column = isinstance(expression, ColumnReference) and expression.type is ScalarType.DATETIME
    return expression.column if is_column else None  # type: ignore[attr-defined]


def _ticks(expression: Expression) -> Bound | None:
    if isinstance(expression, QueryTime):
        return expression.moment
    if isinstance(expression, Literal) and isinstance(expression.value, int):
        return expression.value
    return None


def _narrowed(ranges: Ranges, found: Iterable[tuple[int, TimeRange]]) -> Ranges:
    result = dict(ranges)
    for column, bounds in found:
        result[column] = result.get(column, ALWAYS).within(bounds)
    return result


def _narrowed_all(found: Iterable[tuple[int, TimeRange]]) -> Ranges:
    return _narrowed({}, found)
