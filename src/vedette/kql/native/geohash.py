"""Geohashes read back: centre, rectangle, neighbours. (Points are hashed in SQL.)"""

from __future__ import annotations

import itertools

from vedette.kql.native import geojson

_ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"
_LONGEST = 18

_NEIGHBORS = ((-1, -1), (-1, 1), (1, -1), (0, 1), (-1, 0), (1, 1), (1, 0), (0, -1))
"""East and north of each neighbour, in the order of the page's example."""


def _place(geohash: str) -> tuple[int, int, int, int] | None:
    """Column and row of the cell, and how many bits each has."""
    digits = [_ALPHABET.find(each) for each in geohash.lower()]
    if not 0 < len(digits) <= _LONGEST or -1 in digits:
        return None
    bits = "".join(f"{each:05b}" for each in digits)
    return int(bits[::2], 2), int(bits[1::2], 2), len(bits[::2]), len(bits[1::2])


def _geohash(column: int, row: int, column_bits: int, row_bits: int) -> str:
    across, up = f"{column:0{column_bits}b}", f"{row:0{row_bits}b}"
    bits = "".join(a + b for a, b in itertools.zip_longest(across, up, fillvalue=""))
    return "".join(_ALPHABET[int(bits[at : at + 5], 2)] for at in range(0, len(bits), 5))


def geo_geohash_to_central_point(geohash: str) -> str | None:
    """Centre of a geohash's rectangle."""
    place = _place(geohash)
    if place is None:
        return None
    column, row, column_bits, row_bits = place
    longitude = (column + 0.5) / 2**column_bits * 360 - 180
    latitude = (row + 0.5) / 2**row_bits * 180 - 90
    return geojson.write(geojson.point((longitude, latitude)))


def geo_geohash_to_polygon(geohash: str) -> str | None:
    """A geohash's rectangle."""
    place = _place(geohash)
    if place is None:
        return None
    column, row, column_bits, row_bits = place
    west, east = (each / 2**column_bits * 360 - 180 for each in (column, column + 1))
    south, north = (each / 2**row_bits * 180 - 90 for each in (row, row + 1))
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return geojson.write(geojson.polygons([[ring]]))


def geo_geohash_neighbors(geohash: str) -> str | None:
    """The geohashes around one, fewer at the poles."""
    place = _place(geohash)
    if place is None:
        return None
    column, row, column_bits, row_bits = place
    found = [
        _geohash((column + east) % 2**column_bits, row + north, column_bits, row_bits)
        for east, north in _NEIGHBORS
        if 0 <= row + north < 2**row_bits
    ]
    return "[" + ",".join(f'"{each}"' for each in found) + "]"
