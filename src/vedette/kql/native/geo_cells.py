"""Cells of the S2 and H3 grids: of points, back to shapes, relatives, coverings of shapes. Needs the extra `geo`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import h3
import numpy as np
import s2geometry as s2
from numpy.typing import NDArray

from vedette.kql.native import geojson, regions

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]

S2_LEVELS = range(31)
H3_RESOLUTIONS = range(16)
_H3_DISTANCES = range(143)
_H3_DESCENT = 5
_S2_TOKEN = 16
_S2_CELLS = 65536
_H3_CELLS = 61680

NEXT = -(2**31)
"""The resolution that stands for the next one, where a query gives none."""


def _json(tokens: Iterable[str]) -> str:
    return "[" + ",".join(f'"{each}"' for each in tokens) + "]"


# --- S2 -------------------------------------------------------------------------------------------------------------

_S2_NEIGHBORS = (7, 0, 1, 2, 3, 5, 4, 6)
"""The eight neighbours in the order of the page's example, as places in the order of the library."""


def geo_point_to_s2cell(longitudes: Reals, latitudes: Reals, levels: Integers) -> list[str | None]:
    """Token of the cell of a level around each point."""
    return [
        _s2_token(longitude, latitude, level)
        for longitude, latitude, level in zip(longitudes.tolist(), latitudes.tolist(), levels.tolist(), strict=True)
    ]


def _s2_token(longitude: float, latitude: float, level: int) -> str | None:
    if level not in S2_LEVELS or not geojson.is_point(longitude, latitude):
        return None
    cell = s2.S2CellId(s2.S2LatLng.FromDegrees(latitude, longitude))
    return str(cell.parent(level).ToToken())


def _s2_cell(token: str) -> Any:
    if not 0 < len(token) <= _S2_TOKEN or not all(each in "0123456789abcdefABCDEF" for each in token):
        return None
    cell = s2.S2CellId.FromToken(token.lower())
    return cell if cell.is_valid() else None


def geo_s2cell_to_central_point(token: str) -> str | None:
    """Centre of a cell."""
    cell = _s2_cell(token)
    return None if cell is None else geojson.write(geojson.point(regions.coordinate(cell.ToPoint())))


def geo_s2cell_to_polygon(token: str) -> str | None:
    """Outline of a cell."""
    cell = _s2_cell(token)
    if cell is None:
        return None
    square = s2.S2Cell(cell)
    ring = [regions.coordinate(square.GetVertex(corner)) for corner in range(4)]
    return geojson.write(geojson.polygons([[[*ring, ring[0]]]]))


def geo_s2cell_neighbors(token: str) -> str | None:
    """Cells of the same level that share an edge or a corner."""
    cell = _s2_cell(token)
    if cell is None:
        return None
    found = [each.ToToken() for each in cell.GetAllNeighbors(cell.level())]
    ordered = [found[place] for place in _S2_NEIGHBORS] if len(found) == len(_S2_NEIGHBORS) else found
    return _json(dict.fromkeys(ordered))


def geo_polygon_to_s2cells(polygon: str, level: int, radius: float) -> str | None:
    """Cells of one level that cover a polygon and what is within `radius` metres of it."""
    return _s2_covering(regions.polygons(polygon, radius), level)


def geo_line_to_s2cells(line: str, level: int, radius: float) -> str | None:
    """Cells of one level that cover a line and what is within `radius` metres of it."""
    return _s2_covering(regions.lines(line, radius), level)


def _s2_covering(covered: Sequence[Any] | None, level: int) -> str | None:
    if covered is None or level not in S2_LEVELS:
        return None
    tokens: dict[str, None] = {}
    for region in covered:
        if _is_too_large(region, level):
            return None
        coverer = s2.S2RegionCoverer()
        coverer.set_fixed_level(level)
        tokens.update((cell.ToToken(), None) for cell in coverer.GetCovering(region))
    return _json(tokens) if len(tokens) <= _S2_CELLS else None


def _is_too_large(region: Any, level: int) -> bool:
    """Whether covering the region takes many more cells of a level than are allowed.

    A covering by cells of any size tells: where those alone hold more cells of the level than their coarseness
    explains, the covering by cells of the level, which has no bound of its own, is not tried.
    """
    coverer = s2.S2RegionCoverer()
    coverer.set_max_level(level)
    coverer.set_max_cells(_S2_CELLS)
    return sum(int(4 ** (level - cell.level())) for cell in coverer.GetCovering(region)) > 4 * _S2_CELLS


# --- H3 -------------------------------------------------------------------------------------------------------------


def geo_point_to_h3cell(longitudes: Reals, latitudes: Reals, resolutions: Integers) -> list[str | None]:
    """Token of the cell of a resolution around each point."""
    return [
        h3.latlng_to_cell(latitude, longitude, resolution)
        if resolution in H3_RESOLUTIONS and geojson.is_point(longitude, latitude)
        else None
        for longitude, latitude, resolution in zip(
            longitudes.tolist(), latitudes.tolist(), resolutions.tolist(), strict=True
        )
    ]


def _is_h3(token: str) -> bool:
    return token.isalnum() and bool(h3.is_valid_cell(token))


def geo_h3cell_to_central_point(token: str) -> str | None:
    """Centre of a cell."""
    if not _is_h3(token):
        return None
    latitude, longitude = h3.cell_to_latlng(token)
    return geojson.write(geojson.point((longitude, latitude)))


def geo_h3cell_to_polygon(token: str) -> str | None:
    """Outline of a cell: a hexagon, in rare cases a pentagon."""
    if not _is_h3(token):
        return None
    ring = [(longitude, latitude) for latitude, longitude in h3.cell_to_boundary(token)]
    return geojson.write(geojson.polygons([[[*ring, ring[0]]]]))


def geo_h3cell_level(token: str) -> int | None:
    """Resolution of a cell."""
    return int(h3.get_resolution(token)) if _is_h3(token) else None


def geo_h3cell_neighbors(token: str) -> str | None:
    """Cells that share an edge."""
    return _json(_h3_ring(token, 1)) if _is_h3(token) else None


def geo_h3cell_rings(token: str, distance: int) -> str | None:
    """The rings around a cell up to a distance, the cell itself first."""
    if not _is_h3(token) or distance not in _H3_DISTANCES:
        return None
    return "[" + ",".join(_json(_h3_ring(token, each)) for each in range(distance + 1)) + "]"


def _h3_ring(token: str, distance: int) -> list[str]:
    """A ring in the order of the pages' examples: it begins one step later than the library's."""
    ring = list(h3.grid_ring(token, distance))
    return [*ring[1:], *ring[:1]]


def geo_h3cell_children(token: str, resolution: int) -> str | None:
    """Cells of a finer resolution inside a cell, by default of the next one."""
    if not _is_h3(token):
        return None
    own = h3.get_resolution(token)
    wanted = own + 1 if resolution == NEXT else resolution
    if wanted not in H3_RESOLUTIONS or not own < wanted <= own + _H3_DESCENT:
        return None
    return _json(h3.cell_to_children(token, wanted))


def geo_h3cell_parent(token: str, resolution: int) -> str | None:
    """The cell of a coarser resolution around a cell, by default of the next one."""
    if not _is_h3(token):
        return None
    own = h3.get_resolution(token)
    wanted = own - 1 if resolution == NEXT else resolution
    return str(h3.cell_to_parent(token, wanted)) if 0 <= wanted < own else None


def geo_polygon_to_h3cells(polygon: str, resolution: int, radius: float) -> str | None:
    """Cells of one resolution whose centres are inside a polygon, enlarged by `radius` metres. Edges are straight."""
    rings = regions.enlarged_rings(polygon, radius)
    if rings is None or resolution not in H3_RESOLUTIONS:
        return None
    tokens: dict[str, None] = {}
    for shell, *holes in rings:
        if regions.area(shape_rings=[[shell, *holes]]) > 2 * _H3_CELLS * h3.average_hexagon_area(
            resolution, unit="m^2"
        ):
            return None
        try:
            shape = h3.LatLngPoly(_turned(shell), *(_turned(hole) for hole in holes))
            tokens.update(dict.fromkeys(h3.polygon_to_cells(shape, resolution)))
        except (h3.H3BaseException, ValueError):  # no inside that the planar grid could tell, such as over a pole
            return None
    return _json(tokens) if len(tokens) <= _H3_CELLS else None


def _turned(ring: Sequence[geojson.Coordinate]) -> list[tuple[float, float]]:
    return [(latitude, longitude) for longitude, latitude in ring]
