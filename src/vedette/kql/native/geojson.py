"""GeoJSON in and out: coordinates of lines and polygons, checked as KQL's pages define them, and text of results.

What is no valid shape is None. Coordinates are (longitude, latitude) in degrees.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

Coordinate = tuple[float, float]
Path = tuple[Coordinate, ...]
Rings = tuple[Path, ...]

_PAIR = 2
_RING = 4


def is_point(longitude: float, latitude: float) -> bool:
    """Whether these are coordinates on Earth."""
    return -180 <= longitude <= 180 and -90 <= latitude <= 90


def is_number(value: object) -> bool:
    """Whether a JSON value is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def read(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is, else None."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return value if isinstance(value, dict) else None


def lines_in(text: str) -> tuple[Path, ...] | None:
    """Paths of a LineString or MultiLineString."""
    shape = read(text)
    return None if shape is None else lines_of(shape)


def lines_of(shape: dict[str, Any]) -> tuple[Path, ...] | None:
    """As `lines_in`, of a decoded shape."""
    written = {"LineString": lambda value: [value], "MultiLineString": lambda value: value}
    paths = _several(shape, written)
    return None if paths is None else _all(_line(path) for path in paths)


def polygons_in(text: str) -> tuple[Rings, ...] | None:
    """Rings of each polygon of a Polygon or MultiPolygon, the shell first, every ring closed."""
    shape = read(text)
    return None if shape is None else polygons_of(shape)


def polygons_of(shape: dict[str, Any]) -> tuple[Rings, ...] | None:
    """As `polygons_in`, of a decoded shape."""
    written = {"Polygon": lambda value: [value], "MultiPolygon": lambda value: value}
    polygons = _several(shape, written)
    return None if polygons is None else _all(_polygon(rings) for rings in polygons)


def _several(shape: dict[str, Any], written: dict[str, Any]) -> list[Any] | None:
    kind, coordinates = shape.get("type"), shape.get("coordinates")
    if kind not in written or not isinstance(coordinates, list) or not coordinates:
        return None
    several = written[kind](coordinates)
    return several if several else None


def _all(items: Iterable[Any]) -> tuple[Any, ...] | None:
    found = []
    for each in items:
        if each is None:
            return None
        found.append(each)
    return tuple(found)


def _path(value: object) -> Path | None:
    return _all(_coordinate(each) for each in value) if isinstance(value, list) else None


def _coordinate(value: object) -> Coordinate | None:
    if not isinstance(value, list) or len(value) < _PAIR or not (is_number(value[0]) and is_number(value[1])):
        return None
    longitude, latitude = float(value[0]), float(value[1])
    return (longitude, latitude) if is_point(longitude, latitude) else None


def _line(value: object) -> Path | None:
    path = _path(value)
    if path is None or len(path) < _PAIR or any(a == b for a, b in itertools.pairwise(path)):
        return None
    return path


def _polygon(value: object) -> Rings | None:
    return _all(_ring(ring) for ring in value) if isinstance(value, list) and value else None


def _ring(value: object) -> Path | None:
    path = _path(value)
    if path is None or len(path) < _RING or path[0] != path[-1] or len(set(path)) != len(path) - 1:
        return None
    return path


# --- output ---------------------------------------------------------------------------------------------------------


def write(shape: dict[str, Any]) -> str:
    """GeoJSON text as the real engine writes it: numbers with 15 significant digits, or 17 where those are needed."""
    inside = ",".join(
        f'"{key}":[{",".join(write(each) for each in value)}]' if key == "geometries" else f'"{key}":{_value(value)}'
        for key, value in shape.items()
    )
    return f"{{{inside}}}"


def _value(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return number(value)
    assert isinstance(value, Sequence)
    return f"[{','.join(_value(each) for each in value)}]"


def number(value: float) -> str:
    """A number as text that reads back as the same number."""
    if value == 0 or not math.isfinite(value):
        return "0"
    short = f"{value:.15g}"
    return short if float(short) == value else f"{value:.17g}"


def point(coordinate: Sequence[float]) -> dict[str, Any]:
    """A Point."""
    return {"type": "Point", "coordinates": tuple(map(float, coordinate))}


def lines(paths: Sequence[Sequence[Coordinate]]) -> dict[str, Any]:
    """A LineString, or a MultiLineString of several."""
    if len(paths) == 1:
        return {"type": "LineString", "coordinates": paths[0]}
    return {"type": "MultiLineString", "coordinates": paths}


def polygons(rings: Sequence[Sequence[Sequence[Coordinate]]]) -> dict[str, Any]:
    """A Polygon, or a MultiPolygon of several."""
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}


def collection(shapes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The only shape, or a GeometryCollection of several or none."""
    return shapes[0] if len(shapes) == 1 else {"type": "GeometryCollection", "geometries": list(shapes)}
