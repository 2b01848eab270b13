"""Distances, lengths, areas, containment, places on lines: measured on the sphere, in metres. Needs the extra `geo`."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import spherely
from numpy.typing import NDArray

from vedette.kql.native import geojson, shapes, sphere, wkb
from vedette.kql.native.batches import Texts
from vedette.kql.native.geojson import Coordinate, Path

Reals = NDArray[np.float64]


# --- of shapes ------------------------------------------------------------------------------------------------------


def geo_line_length(line: str) -> float | None:
    """Length of the union of the lines."""
    found = shapes.lines(line)
    if found is None:
        return None
    return sum(float(sphere.angles(*_edges(path)).sum()) for path in found.merged) * sphere.EARTH_RADIUS


def geo_line_centroid(line: str) -> str | None:
    """Centroid of the union of the lines."""
    found = shapes.lines(line)
    if found is None:
        return None
    return _point(spherely.centroid(spherely.create_multilinestring([list(path) for path in found.merged])))


def geo_polygon_area(polygon: str) -> float | None:
    """Area of the union of the polygons."""
    found = shapes.polygons(polygon)
    return None if found is None else float(spherely.area(found.geography))


def geo_polygon_perimeter(polygon: str) -> float | None:
    """Length of the boundary of the union of the polygons."""
    found = shapes.polygons(polygon)
    return None if found is None else float(spherely.perimeter(found.geography))


def geo_polygon_centroid(polygon: str) -> str | None:
    """Centroid of the union of the polygons."""
    found = shapes.polygons(polygon)
    return None if found is None else _point(spherely.centroid(found.geography))


def _point(geography: Any) -> str | None:
    points = wkb.parts_of(spherely.to_wkb(geography)).points
    return geojson.write(geojson.point(points[0])) if points else None


def _edges(path: Path) -> tuple[sphere.Vectors, sphere.Vectors]:
    corners = sphere.vectors(path)
    return corners[:-1], corners[1:]


# --- of points and shapes -------------------------------------------------------------------------------------------


def _by_shape(longitudes: Reals, latitudes: Reals, texts: Texts, measure: Callable[[str, Any], Any]) -> list[Any]:
    """One answer a row: `measure(shape text, points)` once a distinct shape, None where the point is not on Earth."""
    answers = np.full(longitudes.size, None, dtype=object)
    valid = (np.abs(longitudes) <= 180) & (np.abs(latitudes) <= 90)
    for text, rows in texts.groups():
        members = rows[valid[rows]]
        if members.size:
            found = measure(text, spherely.points(longitudes[members], latitudes[members]))
            if found is not None:
                answers[members] = found
    answered: list[Any] = answers.tolist()
    return answered


def geo_distance_point_to_line(longitudes: Reals, latitudes: Reals, lines: Texts) -> list[float | None]:
    """Shortest distance of each point to a line."""

    def measure(text: str, points: Any) -> Any:
        found = shapes.lines(text)
        return None if found is None else spherely.distance(found.geography, points)

    return _by_shape(longitudes, latitudes, lines, measure)


def geo_distance_point_to_polygon(longitudes: Reals, latitudes: Reals, polygons: Texts) -> list[float | None]:
    """Shortest distance of each point to a polygon, 0 inside."""

    def measure(text: str, points: Any) -> Any:
        found = shapes.polygons(text)
        return None if found is None else spherely.distance(found.prepared, points)

    return _by_shape(longitudes, latitudes, polygons, measure)


def geo_point_in_polygon(longitudes: Reals, latitudes: Reals, polygons: Texts) -> list[bool | None]:
    """Whether each point is inside a polygon. Of polygons that divide the Earth, exactly one contains a point."""

    def measure(text: str, points: Any) -> Any:
        found = shapes.polygons(text)
        return None if found is None else spherely.intersects(found.prepared, points)

    return _by_shape(longitudes, latitudes, polygons, measure)


def geo_closest_point_on_line(longitude: float, latitude: float, line: str) -> str | None:
    """The point of a line that is closest to a point."""
    found = shapes.lines(line)
    if found is None or not geojson.is_point(longitude, latitude):
        return None
    return geojson.write(geojson.point(_closest(longitude, latitude, found.paths)))


def geo_closest_point_on_polygon(longitude: float, latitude: float, polygon: str) -> str | None:
    """The point of a polygon that is closest to a point: the point itself inside."""
    found = shapes.polygons(polygon)
    if found is None or not geojson.is_point(longitude, latitude):
        return None
    if spherely.intersects(found.prepared, spherely.create_point(longitude, latitude)):
        return geojson.write(geojson.point((longitude, latitude)))
    rings = [ring for rings in found.rings for ring in rings]
    return geojson.write(geojson.point(_closest(longitude, latitude, rings)))


def _closest(longitude: float, latitude: float, paths: Sequence[Path]) -> Coordinate:
    point = sphere.vectors([(longitude, latitude)])[0]
    found = np.concatenate([sphere.closest_on_edges(point, *_edges(path)) for path in paths])
    return sphere.coordinate(found[int(np.argmin(sphere.angles(point, found)))])


# --- places on a line -----------------------------------------------------------------------------------------------


def geo_line_locate_point(line: str, longitude: float, latitude: float, spheroid: bool) -> float | None:
    """How far along a line the point is that is closest to a given one, as a fraction of the line's length."""
    path = _single(line)
    if path is None or not geojson.is_point(longitude, latitude):
        return None
    starts, ends = _edges(path)
    point = sphere.vectors([(longitude, latitude)])[0]
    feet = sphere.closest_on_edges(point, starts, ends)
    edge = int(np.argmin(sphere.angles(point, feet)))
    foot = sphere.coordinate(feet[edge])
    if spheroid:
        lengths = [geo_distance_2points_spheroid(*a, *b) or 0.0 for a, b in itertools.pairwise(path)]
        partial = geo_distance_2points_spheroid(*path[edge], *foot) or 0.0
    else:
        lengths = [float(each) for each in sphere.angles(starts, ends)]
        partial = float(sphere.angles(starts[edge], feet[edge]))
    return min((sum(lengths[:edge]) + partial) / sum(lengths), 1.0)


def geo_line_interpolate_point(line: str, fraction: float) -> str | None:
    """The point at a fraction of a line's length."""
    path = _single(line)
    if path is None or not 0 <= fraction <= 1:
        return None
    starts, ends = _edges(path)
    lengths = sphere.angles(starts, ends)
    left = fraction * float(lengths.sum())
    for start, end, length in zip(starts, ends, lengths, strict=True):
        if left < length:
            found = sphere.interpolated(start, end, left / float(length))
            return geojson.write(geojson.point(sphere.coordinate(found)))
        left -= float(length)
    return geojson.write(geojson.point(path[-1]))


def _single(line: str) -> Path | None:
    found = shapes.lines(line)
    return found.paths[0] if found is not None and len(found.paths) == 1 else None


def geo_distance_2points_spheroid(
    longitude1: float, latitude1: float, longitude2: float, latitude2: float
) -> float | None:
    """Length of the geodesic between two points on the spheroid of WGS 84."""
    if not (geojson.is_point(longitude1, latitude1) and geojson.is_point(longitude2, latitude2)):
        return None
    return float(_spheroid().Inverse(latitude1, longitude1, latitude2, longitude2)["s12"])


@functools.cache
def _spheroid() -> Any:
    from geographiclib.geodesic import Geodesic

    return Geodesic.WGS84
