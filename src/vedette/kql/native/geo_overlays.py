"""Intersections and unions of lines and polygons on the sphere. Needs the extra `geo`.

Boundaries belong to polygons here, as KQL's pages say of these functions: where two polygons only touch, the
intersection is a point or a line.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import spherely

from vedette.kql.native import geojson, shapes
from vedette.kql.native.geojson import Coordinate, Path, Rings

_TOUCHING = 1e-8
"""Metres within which a point counts as lying on a boundary: well above rounding, far below any data."""


def geo_intersects_2lines(line1: str, line2: str) -> bool | None:
    """Whether two lines have a point in common."""
    first, second = shapes.lines(line1), shapes.lines(line2)
    if first is None or second is None:
        return None
    return bool(spherely.intersects(first.geography, second.geography))


def geo_intersects_line_with_polygon(line: str, polygon: str) -> bool | None:
    """Whether a line has a point in common with a polygon."""
    first, second = shapes.lines(line), shapes.polygons(polygon)
    if first is None or second is None:
        return None
    return bool(spherely.intersects(first.geography, second.prepared))


def geo_intersects_2polygons(polygon1: str, polygon2: str) -> bool | None:
    """Whether two polygons have a point in common."""
    first, second = shapes.polygons(polygon1), shapes.polygons(polygon2)
    if first is None or second is None:
        return None
    if spherely.intersects(first.geography, second.geography):
        return True
    return bool(spherely.intersects(_boundary(first), _boundary(second)))


def geo_intersection_2lines(line1: str, line2: str) -> str | None:
    """The points and lines that two lines have in common."""
    first, second = shapes.lines(line1), shapes.lines(line2)
    if first is None or second is None:
        return None
    found = shapes.parts_of(spherely.intersection(first.geography, second.geography))
    return _written(found.points, shapes.chained(found.lines), ())


def geo_intersection_line_with_polygon(line: str, polygon: str) -> str | None:
    """The part of a line that is inside a polygon or on its boundary."""
    first, second = shapes.lines(line), shapes.polygons(polygon)
    if first is None or second is None:
        return None
    inside = spherely.intersection(first.geography, second.geography)
    found = shapes.parts_of(inside)
    points, lines = _touching(first.geography, _boundary(second), inside)
    return _written((*found.points, *points), (*found.lines, *lines), ())


def geo_intersection_2polygons(polygon1: str, polygon2: str) -> str | None:
    """The polygons that two polygons have in common, and the points and lines where they only touch."""
    first, second = shapes.polygons(polygon1), shapes.polygons(polygon2)
    if first is None or second is None:
        return None
    common = spherely.intersection(first.geography, second.geography)
    points, lines = _touching(_boundary(first), _boundary(second), common)
    return _written(points, lines, shapes.parts_of(common).polygons)


def _boundary(polygons: shapes.Polygons) -> Any:
    rings = [list(ring) for rings in shapes.parts_of(polygons.geography).polygons for ring in rings]
    return spherely.create_multilinestring(rings)


def _touching(one: Any, other: Any, covered: Any) -> tuple[Sequence[Coordinate], Sequence[Path]]:
    """What two sets of lines have in common outside of what is `covered` already."""
    found = shapes.parts_of(spherely.intersection(one, other))
    if spherely.is_empty(covered):
        return found.points, shapes.chained(found.lines)
    points = [each for each in found.points if spherely.distance(covered, spherely.create_point(*each)) > _TOUCHING]
    lines = [each for each in shapes.chained(found.lines) if _apart(each, covered)]
    return points, lines


def _apart(path: Path, covered: Any) -> bool:
    """Whether a path leaves what is covered: one of its edges has its middle outside."""
    edges = itertools.pairwise(path)
    middles = (spherely.centroid(spherely.create_linestring(list(edge))) for edge in edges)
    return any(spherely.distance(covered, each) > _TOUCHING for each in middles)


def _written(points: Sequence[Coordinate], lines: Sequence[Path], polygons: Sequence[Rings]) -> str:
    found = [geojson.point(each) for each in points]
    if lines:
        found.append(geojson.lines(lines))
    if polygons:
        found.append(geojson.polygons(polygons))
    return geojson.write(geojson.collection(found))


def geo_union_lines_array(lines: str) -> str | None:
    """The union of an array of lines."""
    found = shapes.lines_array(lines)
    return None if found is None else geojson.write(geojson.lines(shapes.united_lines(found)))


def geo_union_polygons_array(polygons: str) -> str | None:
    """The union of an array of polygons."""
    found = shapes.polygons_array(polygons)
    return None if found is None else geojson.write(geojson.polygons(shapes.united_polygons(found)))
