"""Shapes as regions of the S2 library: buffers around them, coverings. Needs the extra `geo`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import s2geometry as s2

from vedette.kql.native import shapes
from vedette.kql.native.geojson import Coordinate, Path, Rings
from vedette.kql.native.sphere import EARTH_RADIUS

_SMALLEST_ERROR = 1e-6
"""The least part of a radius that a buffer may be told to deviate by."""
_LARGEST_ERROR = 0.99
_DEFAULT_TOLERANCE = 10.0


def coordinate(point: Any) -> Coordinate:
    """Longitude and latitude of a point of the library."""
    place = s2.S2LatLng(point)
    return place.lng().degrees(), place.lat().degrees()


def point(place: Coordinate) -> Any:
    """The point of the library at a longitude and latitude."""
    return s2.S2LatLng.FromDegrees(place[1], place[0]).ToPoint()


def polygon(rings: Rings) -> Any:
    """One polygon with holes."""
    loops = []
    for ring in rings:
        loop = s2.S2Loop()
        loop.Init([point(each) for each in ring[:-1]])
        loop.Normalize()
        loops.append(loop)
    found = s2.S2Polygon()
    found.InitNested(loops)
    return found


def polyline(path: Path) -> Any:
    """One line."""
    found = s2.S2Polyline()
    found.InitFromS2LatLngs([s2.S2LatLng.FromDegrees(latitude, longitude) for longitude, latitude in path])
    return found


def polygons(text: str, radius: float) -> list[Any] | None:
    """The regions of a GeoJSON text of polygons, enlarged by a radius. None where one of them is invalid."""
    found = shapes.polygons(text)
    if found is None or not 0 <= radius < math.inf:
        return None
    inputs = [polygon(rings) for rings in found.rings]
    return [buffered(polygons=inputs, radius=radius)] if radius else inputs


def lines(text: str, radius: float) -> list[Any] | None:
    """As `polygons`, of lines."""
    found = shapes.lines(text)
    if found is None or not 0 <= radius < math.inf:
        return None
    if radius:
        return [buffered(polygons=slivers(found.paths), radius=radius)]
    return [polyline(path) for path in found.paths]


def enlarged_rings(text: str, radius: float) -> Sequence[Sequence[Path]] | None:
    """Coordinates of polygons enlarged by a radius."""
    found = shapes.polygons(text)
    if found is None or not 0 <= radius < math.inf:
        return None
    if not radius:
        return found.rings
    return rings_of(buffered(polygons=[polygon(rings) for rings in found.rings], radius=radius))


def slivers(paths: Sequence[Path]) -> list[Any]:
    """Each edge of lines as a polygon without width, which is what the library can buffer."""
    found = []
    for path in paths:
        for start, end in itertools.pairwise(path):
            a, b = point(start), point(end)
            loop = s2.S2Loop()
            loop.Init([a, b, s2.Interpolate(a, b, 0.5)])
            loop.Normalize()
            sliver = s2.S2Polygon()
            sliver.InitNested([loop])
            found.append(sliver)
    return found


def buffered(
    *,
    points: Sequence[Any] = (),
    polygons: Sequence[Any] = (),
    radius: float,
    tolerance: float = _DEFAULT_TOLERANCE,
) -> Any:
    """The polygon of all points within `radius` metres of the inputs, its edge off by `tolerance` metres at most."""
    result = s2.S2Polygon()
    options = s2.S2BufferOperationOptions()
    options.set_buffer_radius(s2.S1Angle.Radians(radius / EARTH_RADIUS))
    options.set_error_fraction(min(max(tolerance / radius, _SMALLEST_ERROR), _LARGEST_ERROR))
    operation = s2.S2BufferOperation(s2.S2PolygonLayer(result), options)
    for each in points:
        operation.AddPoint(each)
    for each in polygons:
        operation.AddPolygon(each)
    operation.Build()
    return result


def rings_of(found: Any) -> list[list[Path]]:
    """Coordinates of a polygon of the library: the polygons it consists of, each with its holes."""
    separate: list[list[Path]] = []
    for index in range(found.num_loops()):
        loop = found.loop(index)
        corners = [coordinate(loop.vertex(place)) for place in range(loop.num_vertices())]
        if loop.is_hole():
            corners.reverse()
            separate[-1].append((*corners, corners[0]))
        else:
            separate.append([(*corners, corners[0])])
    return separate


def area(*, shape_rings: Sequence[Sequence[Path]]) -> float:
    """Area of polygons in square metres."""
    return sum(float(polygon(tuple(rings)).GetArea()) for rings in shape_rings) * EARTH_RADIUS**2
