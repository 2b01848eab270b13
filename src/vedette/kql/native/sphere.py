"""Vectors on the unit sphere: distances, points along great circles. All KQL measures are taken on this sphere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vedette.kql.native.geojson import Coordinate

Vectors = NDArray[np.float64]

EARTH_RADIUS = 6371010.0
"""Metres: the mean radius that the sphere library uses, and that KQL's documented distances have."""


def vectors(coordinates: Sequence[Coordinate]) -> Vectors:
    """Unit vectors of coordinates in degrees, one a row."""
    radians = np.radians(np.asarray(coordinates, dtype=np.float64).reshape(-1, 2))
    longitude, latitude = radians[:, 0], radians[:, 1]
    across = np.cos(latitude)
    return np.stack([across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)], axis=-1)


def coordinate(vector: Vectors) -> Coordinate:
    """The coordinates of a vector."""
    x, y, z = (float(each) for each in vector)
    return float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arctan2(z, np.hypot(x, y))))


def angles(a: Vectors, b: Vectors) -> Vectors:
    """Angles between vectors, exact for small ones too."""
    return np.asarray(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1)))


def normalized(a: Vectors) -> Vectors:
    """The unit vectors of the same directions."""
    length = np.linalg.norm(a, axis=-1, keepdims=True)
    return np.asarray(a / np.where(length == 0, 1.0, length))


def interpolated(a: Vectors, b: Vectors, fraction: float) -> Vectors:
    """The point at a fraction of the way from `a` to `b`."""
    angle = float(angles(a, b))
    tangent = normalized(b - a * float(np.dot(a, b)))
    return normalized(a * np.cos(fraction * angle) + tangent * np.sin(fraction * angle))


def closest_on_edges(point: Vectors, starts: Vectors, ends: Vectors) -> Vectors:
    """For each edge the point of it that is closest to `point`."""
    normals = normalized(np.cross(starts, ends))
    feet = normalized(point - normals * (normals @ point)[:, None])
    inside = (np.sum(np.cross(starts, feet) * normals, axis=-1) >= 0) & (
        np.sum(np.cross(feet, ends) * normals, axis=-1) >= 0
    )
    nearer_start = angles(point, starts) <= angles(point, ends)
    corners = np.where(nearer_start[:, None], starts, ends)
    return np.where(inside[:, None], feet, corners)
