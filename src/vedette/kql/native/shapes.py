"""Lines and polygons on the sphere, built once for texts that come again. Needs the extra `geo`."""

from __future__ import annotations

import dataclasses
import functools
import heapq
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import spherely

from vedette.kql.native import geojson, wkb
from vedette.kql.native.geojson import Coordinate, Path, Rings

_KEPT = 512

_Shape = TypeVar("_Shape")


@dataclasses.dataclass(frozen=True)
class Lines:
    """The lines of a LineString or MultiLineString."""

    paths: tuple[Path, ...]

    @functools.cached_property
    def geography(self) -> Any:
        """All lines as one shape."""
        return spherely.create_multilinestring([list(path) for path in self.paths])

    @functools.cached_property
    def merged(self) -> tuple[Path, ...]:
        """The union of the lines: cut where they cross, without repetition."""
        return self.paths if len(self.paths) == 1 else united_lines([self])


@dataclasses.dataclass(frozen=True)
class Polygons:
    """The polygons of a Polygon or MultiPolygon."""

    rings: tuple[Rings, ...]
    geographies: tuple[Any, ...]

    @functools.cached_property
    def geography(self) -> Any:
        """The union of the polygons as one shape."""
        return united(self.geographies)

    @functools.cached_property
    def prepared(self) -> Any:
        """As `geography`, indexed for many questions."""
        spherely.prepare(self.geography)
        return self.geography


@functools.lru_cache(maxsize=_KEPT)
def lines(text: str) -> Lines | None:
    """The lines that a GeoJSON text describes, None where it is no valid LineString or MultiLineString."""
    paths = geojson.lines_in(text)
    return None if paths is None else Lines(paths)


@functools.lru_cache(maxsize=_KEPT)
def polygons(text: str) -> Polygons | None:
    """The polygons that a GeoJSON text describes, None where it is no valid Polygon or MultiPolygon."""
    rings = geojson.polygons_in(text)
    return None if rings is None else _polygons(rings)


def lines_array(text: str) -> list[Lines] | None:
    """Shapes of a JSON array of lines, None where one of them is invalid or there is none."""
    return _complete(None if (paths := geojson.lines_of(each)) is None else Lines(paths) for each in _array(text))


def polygons_array(text: str) -> list[Polygons] | None:
    """Shapes of a JSON array of polygons, None where one of them is invalid or there is none."""
    return _complete(
        None if (rings := geojson.polygons_of(each)) is None else _polygons(rings) for each in _array(text)
    )


def _complete(items: Iterable[_Shape | None]) -> list[_Shape] | None:
    """All items, None where one is missing or there are none."""
    found: list[_Shape] = []
    for each in items:
        if each is None:
            return None
        found.append(each)
    return found or None


def _array(text: str) -> list[dict[str, Any]]:
    value = geojson.read(f'{{"shapes":{text}}}')
    items = value.get("shapes") if value else None
    return [each if isinstance(each, dict) else {} for each in items] if isinstance(items, list) else []


def _polygons(rings: tuple[Rings, ...]) -> Polygons | None:
    geographies = _complete(_geography(each) for each in rings)
    return None if geographies is None else Polygons(rings, tuple(geographies))


def _geography(rings: Rings) -> Any:
    shell, *holes = (list(ring) for ring in rings)
    try:
        return spherely.create_polygon(shell, holes or None)
    except ValueError:  # crossing or repeated edges: not a valid polygon
        return None


def parts_of(geography: Any) -> wkb.Parts:
    """Points, lines and polygons of a shape with their exact coordinates."""
    return wkb.parts_of(spherely.to_wkb(geography))


def united_polygons(shapes: Iterable[Polygons]) -> tuple[Rings, ...]:
    """The union of polygons."""
    return parts_of(united([each for shape in shapes for each in shape.geographies])).polygons


def united(geographies: Sequence[Any]) -> Any:
    """The union of polygons, the two with the fewest corners first, again and again: the order of S2's union."""
    if len(geographies) == 1:
        return geographies[0]
    queue = [(_corners(each), place, each) for place, each in enumerate(geographies)]
    heapq.heapify(queue)
    place = len(queue)
    while len(queue) > 1:
        union = spherely.union(heapq.heappop(queue)[2], heapq.heappop(queue)[2])
        heapq.heappush(queue, (_corners(union), place, union))
        place += 1
    return _with_area(queue[0][2])


def _with_area(geography: Any) -> Any:
    """A union without the points and lines that polygons next to nothing collapse to."""
    parts = parts_of(geography)
    if not (parts.points or parts.lines):
        return geography
    rings = [_geography(each) for each in parts.polygons]
    kept = [each for each in rings if each is not None]
    return spherely.create_multipolygon(kept) if kept else geography


def _corners(geography: Any) -> int:
    return sum(len(ring) - 1 for rings in parts_of(geography).polygons for ring in rings)


def united_lines(shapes: Sequence[Lines]) -> tuple[Path, ...]:
    """The union of lines: edges that occur twice are kept once, lines that meet end to end become one."""
    united = functools.reduce(spherely.union, (each.geography for each in shapes))
    return chained(parts_of(united).lines)


def chained(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Edges of paths without repetition, joined into paths that pass through every corner of exactly two edges."""
    edges = _distinct_edges(paths)
    starting: dict[Coordinate, list[Coordinate]] = {}
    ending: dict[Coordinate, int] = {}
    for start, end in edges:
        starting.setdefault(start, []).append(end)
        ending[end] = ending.get(end, 0) + 1
    used: set[tuple[Coordinate, Coordinate]] = set()

    def passes(corner: Coordinate) -> bool:
        return ending.get(corner) == 1 and len(starting.get(corner, ())) == 1

    def follow(edge: tuple[Coordinate, Coordinate]) -> Path:
        path = [edge[0], edge[1]]
        used.add(edge)
        while passes(path[-1]) and (onward := (path[-1], starting[path[-1]][0])) not in used:
            used.add(onward)
            path.append(onward[1])
        return tuple(path)

    heads = [follow(edge) for edge in edges if not passes(edge[0]) and edge not in used]
    rings = [follow(edge) for edge in edges if edge not in used]
    return (*heads, *rings)


def _distinct_edges(paths: Sequence[Path]) -> list[tuple[Coordinate, Coordinate]]:
    found: dict[frozenset[Coordinate], tuple[Coordinate, Coordinate]] = {}
    for path in paths:
        for edge in itertools.pairwise(path):
            found.setdefault(frozenset(edge), edge)
    return list(found.values())
