"""Straight edges of the longitude and latitude plane as chains of great circles."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from vedette.kql.native import geojson, sphere
from vedette.kql.native.geojson import Coordinate, Path

Vector = tuple[float, float, float]

_TOLERANCES = (0.1, 10000.0)
_MAXIMUM_POINTS = 10_485_760

# Where the two curves between a pair of points are furthest apart, near enough, and by how much the real distance can
# exceed the one measured there (S2's edge tessellation).
_FRACTION = 0.31215691082248312
_SCALE = 0.83829992569888509
_LONGEST_EDGE = -1e-14


def geo_line_densify(line: str, tolerance: float, preserve_crossing: bool) -> str | None:
    """Lines with points added until every edge is within `tolerance` metres of the planar edge."""
    paths = geojson.lines_in(line)
    if paths is None or not _TOLERANCES[0] <= tolerance <= _TOLERANCES[1]:
        return None
    densified = [_densified(path, tolerance, preserve_crossing) for path in paths]
    return geojson.write(geojson.lines(densified)) if _fits(densified) else None


def geo_polygon_densify(polygon: str, tolerance: float, preserve_crossing: bool) -> str | None:
    """Polygons with points added until every edge is within `tolerance` metres of the planar edge."""
    polygons = geojson.polygons_in(polygon)
    if polygons is None or not _TOLERANCES[0] <= tolerance <= _TOLERANCES[1]:
        return None
    densified = [[_densified(ring, tolerance, preserve_crossing) for ring in rings] for rings in polygons]
    return geojson.write(geojson.polygons(densified)) if all(map(_fits, densified)) else None


def _fits(paths: Sequence[Path]) -> bool:
    return sum(map(len, paths)) <= _MAXIMUM_POINTS


def _densified(path: Path, tolerance: float, preserve_crossing: bool) -> Path:
    limit = tolerance / sphere.EARTH_RADIUS * _SCALE
    found = [path[0]]
    for start, end in itertools.pairwise(path):
        found.extend(_chain(start, _wrapped(start, end) if preserve_crossing else end, limit))
        found[-1] = end
    return tuple((_normal(longitude), latitude) for longitude, latitude in found)


def _wrapped(start: Coordinate, end: Coordinate) -> Coordinate:
    """The end with its longitude less than half a turn from the start's: the edge that crosses the antimeridian."""
    turns = round((end[0] - start[0]) / 360)
    return end[0] - 360 * turns, end[1]


def _normal(longitude: float) -> float:
    return longitude if -180 <= longitude <= 180 else math.remainder(longitude, 360)


def _chain(start: Coordinate, end: Coordinate, limit: float) -> list[Coordinate]:
    """Points after `start`, up to and with `end`."""
    pending, found = [end], [start]
    while pending:
        if _error(found[-1], pending[-1]) <= limit:
            found.append(pending.pop())
        else:
            pending.append(_between(found[-1], pending[-1], 0.5))
    return found[1:]


def _between(start: Coordinate, end: Coordinate, fraction: float) -> Coordinate:
    return (1 - fraction) * start[0] + fraction * end[0], (1 - fraction) * start[1] + fraction * end[1]


def _error(start: Coordinate, end: Coordinate) -> float:
    """Largest distance between the planar and the great-circle edge, in radians."""
    a, b = _vector(start), _vector(end)
    if _dot(a, b) < _LONGEST_EDGE:
        return math.inf
    angle = _angle(a, b)
    if not angle:
        return 0.0
    return max(
        _angle(_interpolated(a, b, angle, each), _vector(_between(start, end, each)))
        for each in (_FRACTION, 1 - _FRACTION)
    )


# --- vectors one by one: arrays would cost more than they save here --------------------------------------------------


def _vector(place: Coordinate) -> Vector:
    longitude, latitude = math.radians(place[0]), math.radians(place[1])
    across = math.cos(latitude)
    return across * math.cos(longitude), across * math.sin(longitude), math.sin(latitude)


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _angle(a: Vector, b: Vector) -> float:
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return math.atan2(math.hypot(*cross), _dot(a, b))


def _interpolated(a: Vector, b: Vector, angle: float, fraction: float) -> Vector:
    from_a, from_b = math.sin((1 - fraction) * angle), math.sin(fraction * angle)
    whole = math.sin(angle)
    return (
        (from_a * a[0] + from_b * b[0]) / whole,
        (from_a * a[1] + from_b * b[1]) / whole,
        (from_a * a[2] + from_b * b[2]) / whole,
    )
