"""Well-known binary, as far as shapes on the sphere come out in it: exact coordinates, no copy through text."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Sequence

from vedette.kql.native.geojson import Coordinate, Path, Rings

_POINT, _LINE, _POLYGON = 1, 2, 3
_KIND = 0xFF


@dataclasses.dataclass(frozen=True, slots=True)
class Parts:
    """A shape taken apart by dimension."""

    points: tuple[Coordinate, ...] = ()
    lines: tuple[Path, ...] = ()
    polygons: tuple[Rings, ...] = ()


def parts_of(data: bytes) -> Parts:
    """The points, lines and polygons of a geometry or collection."""
    found: tuple[list[Coordinate], list[Path], list[Rings]] = ([], [], [])
    _read(data, 0, found)
    return Parts(*(tuple(each) for each in found))  # type: ignore[arg-type]


def _read(data: bytes, at: int, found: tuple[list[Coordinate], list[Path], list[Rings]]) -> int:
    order = "<" if data[at] else ">"
    (kind,) = struct.unpack_from(f"{order}I", data, at + 1)
    kind &= _KIND
    at += 5
    if kind == _POINT:
        (coordinate,) = _coordinates(data, at, order, 1)
        if coordinate[0] == coordinate[0]:  # an empty point is NaN
            found[0].append(coordinate)
        return at + 16
    if kind == _LINE:
        path, at = _path(data, at, order)
        if path:
            found[1].append(path)
        return at
    (count,) = struct.unpack_from(f"{order}I", data, at)
    at += 4
    if kind == _POLYGON:
        rings = []
        for _ in range(count):
            ring, at = _path(data, at, order)
            rings.append(ring)
        if rings:
            found[2].append(tuple(rings))
        return at
    for _ in range(count):
        at = _read(data, at, found)
    return at


def _path(data: bytes, at: int, order: str) -> tuple[Path, int]:
    (count,) = struct.unpack_from(f"{order}I", data, at)
    return tuple(_coordinates(data, at + 4, order, count)), at + 4 + 16 * count


def _coordinates(data: bytes, at: int, order: str, count: int) -> Sequence[Coordinate]:
    numbers = struct.unpack_from(f"{order}{2 * count}d", data, at)
    return list(zip(numbers[::2], numbers[1::2], strict=True))
