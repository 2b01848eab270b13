"""Lines and polygons with fewer corners, no two of them nearer than a tolerance. Needs the extra `geo`.

After S2's builder: corners move to sites that are at least the tolerance apart, then chains of edges become single
edges as long as these stay within the tolerance of every corner they replace. Corners where three or more edges meet
stay, so that borders which polygons share are simplified alike.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np
import s2geometry as s2

from vedette.kql.native import geojson, regions, shapes, sphere
from vedette.kql.native.geojson import Coordinate, Path, Rings

_LARGEST_TOLERANCE = 7_800_000.0
_ATTEMPTS = 12
_RING = 3
_OVERLAP = 1e-3
"""Square metres that polygons may seem to overlap by rounding."""


def geo_line_simplify(line: str, tolerance: float) -> str | None:
    """The union of lines, simplified. None where nothing is left."""
    found = shapes.lines(line)
    if found is None or not _is_valid(tolerance):
        return None
    net = _Net([found.merged], tolerance, closed=False)
    paths = [path for path in (net.simplified(each) for each in found.merged) if len(path) > 1]
    return geojson.write(geojson.lines(paths)) if paths else None


def geo_polygon_simplify(polygon: str, tolerance: float) -> str | None:
    """The union of polygons, simplified. None where nothing is left."""
    found = shapes.polygons(polygon)
    if found is None or not _is_valid(tolerance):
        return None
    return _written(found.rings if len(found.rings) == 1 else shapes.united_polygons([found]), tolerance)


def geo_simplify_polygons_array(polygons: str, tolerance: float) -> str | None:
    """An array of polygons, simplified together. None where nothing is left."""
    found = shapes.polygons_array(polygons)
    if found is None or not _is_valid(tolerance):
        return None
    separate = [rings for each in found for rings in each.rings]
    united = shapes.united_polygons(found)
    overlap = regions.area(shape_rings=separate) - regions.area(shape_rings=united) > _OVERLAP
    return _written(united if overlap else separate, tolerance)


def _is_valid(tolerance: float) -> bool:
    return 0 <= tolerance <= _LARGEST_TOLERANCE


def _written(polygons: Sequence[Rings], tolerance: float) -> str | None:
    """Where simplified rings cross each other, which moving corners alone cannot rule out, less is simplified."""
    for _ in range(_ATTEMPTS):
        net = _Net(polygons, tolerance, closed=True)
        simplified = [_kept([net.simplified(ring) for ring in rings]) for rings in polygons]
        kept = [each for each in simplified if each]
        if not kept:
            return None
        text = geojson.write(geojson.polygons(kept))
        if shapes.polygons(text) is not None:
            return text
        tolerance /= 2
    return geojson.write(geojson.polygons(polygons))


def _kept(rings: Sequence[Path]) -> list[Path]:
    """What is left of a polygon: nothing without its shell."""
    return [ring for ring in rings if ring] if rings[0] else []


class _Net:
    """The corners of all paths that are simplified together, and the sites that they move to."""

    def __init__(self, groups: Iterable[Sequence[Path]], tolerance: float, *, closed: bool) -> None:
        paths = [path for group in groups for path in group]
        self._closed = closed
        self._radius = tolerance / sphere.EARTH_RADIUS
        self._corners = list(dict.fromkeys(corner for path in paths for corner in path))
        self._vectors = sphere.vectors(self._corners)
        self._rank = {site: rank for rank, site in enumerate(self._chosen_sites())}
        self._site_of = self._nearest_sites()
        self._moved_to: dict[int, list[int]] = {}
        for at, corner in enumerate(self._corners):
            self._moved_to.setdefault(self._site_of[corner], []).append(at)
        self._junctions = self._found_junctions(paths)

    def simplified(self, path: Path) -> Path:
        """The path through fewer corners. Empty where it vanishes; rings are closed."""
        chain = self._moved(path)
        if len(chain) < (_RING if self._closed else 2):
            return ()
        shortened = self._shortened_ring(chain) if self._closed else self._shortened(chain)
        found = tuple(self._corners[site] for site in shortened)
        return (*found, found[0]) if self._closed else found

    def _chosen_sites(self) -> list[int]:
        """Corners that are at least the tolerance apart, chosen along the curve that numbers the library's cells."""
        order = sorted(range(len(self._corners)), key=lambda at: s2.S2CellId(regions.point(self._corners[at])).id())
        if not self._radius:
            return order
        self._grid: dict[tuple[int, ...], list[int]] = {}
        chosen: list[int] = []
        for at in order:
            near = self._sites_near(at)
            if not near or float(sphere.angles(self._vectors[at], self._vectors[near]).min()) >= self._radius:
                chosen.append(at)
                self._grid.setdefault(self._cell(at), []).append(at)
        return chosen

    def _cell(self, at: int) -> tuple[int, ...]:
        """The cube of a grid as wide as the tolerance that a corner is in."""
        return tuple(np.floor(self._vectors[at] / self._radius).astype(np.int64).tolist())

    def _sites_near(self, at: int) -> list[int]:
        cell = self._cell(at)
        around = (tuple(map(sum, zip(cell, step, strict=True))) for step in itertools.product((-1, 0, 1), repeat=3))
        return [site for each in around for site in self._grid.get(each, ())]

    def _nearest_sites(self) -> dict[Coordinate, int]:
        if not self._radius:
            return {corner: at for at, corner in enumerate(self._corners)}
        found: dict[Coordinate, int] = {}
        for at, corner in enumerate(self._corners):
            near = self._sites_near(at)
            found[corner] = near[int(np.argmin(sphere.angles(self._vectors[at], self._vectors[near])))]
        return found

    def _moved(self, path: Path) -> list[int]:
        """The sites a path runs through, without repetition and without ways there and back."""
        chain: list[int] = []
        for corner in path:
            site = self._site_of[corner]
            if len(chain) > 1 and chain[-2] == site and self._closed:
                chain.pop()
            elif not chain or chain[-1] != site:
                chain.append(site)
        return chain[:-1] if self._closed and len(chain) > 1 and chain[0] == chain[-1] else chain

    def _found_junctions(self, paths: Sequence[Path]) -> set[int]:
        neighbors: dict[int, set[int]] = {}
        for path in paths:
            chain = self._moved(path)
            edges = zip(chain, [*chain[1:], chain[0]] if self._closed else chain[1:], strict=False)
            for start, end in edges:
                neighbors.setdefault(start, set()).add(end)
                neighbors.setdefault(end, set()).add(start)
        return {site for site, around in neighbors.items() if len(around) != 2}

    def _shortened_ring(self, chain: list[int]) -> Sequence[int]:
        fixed = [place for place, site in enumerate(chain) if site in self._junctions]
        start = fixed[0] if fixed else min(range(len(chain)), key=lambda place: self._rank[chain[place]])
        turned = [*chain[start:], *chain[:start], chain[start]]
        ring = self._shortened(turned)[:-1]
        if len(ring) < _RING:
            return chain
        places = {site: place for place, site in reversed(list(enumerate(chain)))}
        first = min(range(len(ring)), key=lambda place: places[ring[place]])
        return [*ring[first:], *ring[:first]]

    def _shortened(self, chain: Sequence[int]) -> list[int]:
        """A chain cut at junctions, each piece shortened in a direction that does not depend on the path's."""
        cuts = [0, *(at for at in range(1, len(chain) - 1) if chain[at] in self._junctions), len(chain) - 1]
        found = [chain[0]]
        for start, end in itertools.pairwise(cuts):
            piece = chain[start : end + 1]
            backwards = piece[-1] < piece[0]
            kept = self._greedy(piece[::-1] if backwards else piece)
            found.extend((kept[::-1] if backwards else kept)[1:])
        return found

    def _greedy(self, chain: Sequence[int]) -> list[int]:
        """Each edge reaches as far as it stays near all the corners it replaces."""
        found, start = [chain[0]], 0
        while start < len(chain) - 1:
            window = _Window(self._vectors[chain[start]], self._radius)
            end = start + 1
            while end < len(chain) - 1 and chain[end + 1] != chain[start]:
                window.narrow(self._vectors[self._moved_to[chain[end]]])
                if not window.allows(self._vectors[chain[end + 1]]):
                    break
                end += 1
            found.append(chain[end])
            start = end
        return found


class _Window:
    """The directions in which an edge from a corner passes all discs that it has to pass, and how far it has to go."""

    def __init__(self, source: sphere.Vectors, radius: float) -> None:
        self._source = source
        self._radius = radius
        axis = np.eye(3)[int(np.argmin(np.abs(source)))]
        self._east = sphere.normalized(np.cross(source, axis))
        self._north = np.cross(source, self._east)
        self._middle, self._half = 0.0, math.pi
        self._reach = 0.0

    def _direction(self, point: sphere.Vectors) -> float:
        return math.atan2(float(point @ self._north), float(point @ self._east))

    def narrow(self, centers: sphere.Vectors) -> None:
        """The edge has to pass within the radius of these points."""
        for center in centers:
            distance = float(sphere.angles(self._source, center))
            if distance <= self._radius:
                continue
            self._reach = max(self._reach, distance - self._radius)
            if distance >= math.pi / 2:
                self._half = -1.0
                return
            half = math.asin(min(math.sin(self._radius) / math.sin(distance), 1.0))
            offset = math.remainder(self._direction(center) - self._middle, 2 * math.pi)
            low, high = max(-self._half, offset - half), min(self._half, offset + half)
            self._middle += (low + high) / 2
            self._half = (high - low) / 2

    def allows(self, end: sphere.Vectors) -> bool:
        """Whether an edge to this point passes everything."""
        distance = float(sphere.angles(self._source, end))
        off = abs(math.remainder(self._direction(end) - self._middle, 2 * math.pi))
        return self._reach <= distance < math.pi / 2 and off <= self._half
