"""geo_polygon_lookup and geo_line_lookup: joins of points with the shapes that hold them or are near to them."""

from __future__ import annotations

import dataclasses

from vedette.kql import plan, syntax
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.names import unique
from vedette.kql.binder.plugin_calls import Invocation, failed, plugin
from vedette.kql.binder.scopes import Table
from vedette.kql.plan import Call, Column, ColumnReference, Expression, Literal
from vedette.kql.types import ScalarType

_T = ScalarType

_OPTIONS = ("radius", "return_unmatched", "lookup_area_radius", "return_lookup_key")
_SHAPES = {"geo_polygon_lookup": "polygon", "geo_line_lookup": "line"}
_REQUIRED = {"geo_polygon_lookup": 4, "geo_line_lookup": 5}


@dataclasses.dataclass(frozen=True, slots=True)
class _Lookup:
    """The lookup table, its column of shapes, and the options by name."""

    table: Table
    key: Expression
    options: dict[str, Expression]

    def is_set(self, option: str) -> bool:
        """Whether a flag is true."""
        value = self.options.get(option)
        return isinstance(value, Literal) and value.value is True

    @property
    def columns(self) -> list[Column]:
        """Its columns in the result: the shapes only if asked for."""
        hidden = self.key.column.id if isinstance(self.key, ColumnReference) else None
        return [each for each in self.table.columns if each.id != hidden or self.is_set("return_lookup_key")]


@plugin(*_SHAPES)
def _geo_lookup(binder: Binder, invocation: Invocation) -> Table:
    """The lookup area, which only tells the real engine how to search, is taken and has no effect."""
    written = invocation.call.arguments
    if len(written) < _REQUIRED[invocation.name]:
        return invocation.wrong_count(binder, f"T, shapes, longitude, latitude, {', '.join(_OPTIONS)}")
    right = binder.table(binder, written[0], invocation.scope.lexical)
    key = convert(binder.scalar(binder, written[1], invocation.scope.over(right)), _T.DYNAMIC)
    options = _options(binder, invocation, written[4:])
    if options is None:
        return failed()
    lookup = _Lookup(right, key, options)
    point = tuple(convert(invocation.over_rows(binder, each), _T.REAL) for each in written[2:4])
    return _joined(binder, invocation, lookup, _condition(invocation.name, point, lookup))


def _options(
    binder: Binder, invocation: Invocation, written: tuple[syntax.Expression, ...]
) -> dict[str, Expression] | None:
    """Optional arguments, by position or by name. Flags decide about columns: they have to be literals."""
    found: dict[str, Expression] = {}
    for place, each in enumerate(written):
        name = each.name.text if isinstance(each, syntax.NamedExpression) else _OPTIONS[min(place, len(_OPTIONS) - 1)]
        if name not in _OPTIONS:
            binder.report("unknown_argument", each.span, name=name, hint=f"it takes ({', '.join(_OPTIONS)})")
            return None
        flag = name.startswith("return_")
        value = invocation.literal(binder, each, "bool") if flag else invocation.constant(binder, each)
        if value is None:
            return None
        found[name] = value
    return found


def _condition(name: str, point: tuple[Expression, ...], lookup: _Lookup) -> Expression:
    """Without a radius polygons have to contain the point: that is not the same as a radius of 0."""
    radius = lookup.options.get("radius")
    if radius is None:
        return Call(_T.BOOL, "geo_point_in_polygon", (*point, lookup.key))
    distance = Call(_T.REAL, f"geo_distance_point_to_{_SHAPES[name]}", (*point, lookup.key))
    return Call(_T.BOOL, "less_or_equal", (distance, convert(radius, _T.REAL)))


def _joined(binder: Binder, invocation: Invocation, lookup: _Lookup, condition: Expression) -> Table:
    left, right = invocation.table, lookup.table
    taken = {*left.names, *right.names}
    columns: list[Column] = [binder.fresh(each) for each in left.columns]
    for column in lookup.columns:
        name = unique(column.name, taken) if column.name in left.names else column.name
        taken.add(name)
        columns.append(binder.fresh(column, name))
    sources = (*left.columns, *lookup.columns)
    kind = "leftouter" if lookup.is_set("return_unmatched") else "inner"
    relation = plan.Join(tuple(columns), left.relation, right.relation, kind, (), sources, condition)
    return Table(relation, open=left.open or right.open)
