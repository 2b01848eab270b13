"""Everything within a radius of a point, a line or a polygon. Needs the extra `geo`."""

from __future__ import annotations

import math

from vedette.kql.native import geojson, regions, shapes

_LEAST_TOLERANCE = 1e-6


def _are_valid(radius: float, tolerance: float) -> bool:
    """Tolerance is at least 0.0001 % of the radius."""
    return 0 < radius < math.inf and _LEAST_TOLERANCE * radius <= tolerance < math.inf


def geo_point_buffer(longitude: float, latitude: float, radius: float, tolerance: float) -> str | None:
    """Polygon around a point."""
    if not geojson.is_point(longitude, latitude) or not _are_valid(radius, tolerance):
        return None
    point = regions.point((longitude, latitude))
    return _written(regions.buffered(points=[point], radius=radius, tolerance=tolerance))


def geo_line_buffer(line: str, radius: float, tolerance: float) -> str | None:
    """Polygons around lines, round at their ends."""
    found = shapes.lines(line)
    if found is None or not _are_valid(radius, tolerance):
        return None
    slivers = regions.slivers(found.paths)
    return _written(regions.buffered(polygons=slivers, radius=radius, tolerance=tolerance))


def geo_polygon_buffer(polygon: str, radius: float, tolerance: float) -> str | None:
    """Polygons around polygons."""
    found = shapes.polygons(polygon)
    if found is None or not _are_valid(radius, tolerance):
        return None
    inputs = [regions.polygon(rings) for rings in found.rings]
    return _written(regions.buffered(polygons=inputs, radius=radius, tolerance=tolerance))


def _written(found: object) -> str | None:
    rings = regions.rings_of(found)
    return geojson.write(geojson.polygons(rings)) if rings else None
