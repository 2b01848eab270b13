"""Well-known text to GeoJSON."""

from __future__ import annotations

import math
import re
from typing import Any

from vedette.kql.native import geojson

_TOKEN = re.compile(r"\s*([A-Za-z]+|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[(),])")
_DEEPEST = 20
_COORDINATES = (2, 3)

_NESTING = {"POINT": 0, "LINESTRING": 1, "MULTIPOINT": 1, "POLYGON": 2, "MULTILINESTRING": 2, "MULTIPOLYGON": 3}
_NAMES = {
    "POINT": "Point", "LINESTRING": "LineString", "MULTIPOINT": "MultiPoint", "POLYGON": "Polygon",
    "MULTILINESTRING": "MultiLineString", "MULTIPOLYGON": "MultiPolygon",
}  # fmt: skip


class _InvalidError(Exception):
    """Not well-known text of a supported shape."""


def geo_from_wkt(text: str) -> str | None:
    """The shape that a well-known text describes, None where it describes none."""
    try:
        reader = _Reader(text)
        shape = reader.shape(0)
        reader.end()
    except _InvalidError:
        return None
    return geojson.write(shape)


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise _InvalidError
            self._tokens.append(found[1])
            at = found.end()
        self._tokens.reverse()

    def end(self) -> None:
        """Nothing may follow."""
        if self._tokens:
            raise _InvalidError

    def shape(self, depth: int) -> dict[str, Any]:
        """A shape with its name."""
        kind = self._next().upper()
        if kind == "GEOMETRYCOLLECTION" and depth < _DEEPEST:
            return {"type": "GeometryCollection", "geometries": self._several(lambda: self.shape(depth + 1))}
        if kind not in _NESTING:
            raise _InvalidError
        if kind == "POINT":
            value: Any = self._single()
        elif kind == "MULTIPOINT":
            value = self._several(self._member)
        else:
            value = self._nested(_NESTING[kind])
        return {"type": _NAMES[kind], "coordinates": value}

    def _nested(self, depth: int) -> Any:
        return self._several(self._coordinate if depth == 1 else lambda: self._nested(depth - 1))

    def _member(self) -> Any:
        """A point of a MultiPoint, in parentheses of its own or not."""
        if self._tokens and self._tokens[-1] == "(":
            return self._single()
        return self._coordinate()

    def _single(self) -> tuple[float, ...]:
        """One coordinate in parentheses."""
        self._expect("(")
        found = self._coordinate()
        self._expect(")")
        return found

    def _several(self, item: Any) -> list[Any]:
        self._expect("(")
        found = [item()]
        while self._tokens and self._tokens[-1] == ",":
            self._next()
            found.append(item())
        self._expect(")")
        return found

    def _coordinate(self) -> tuple[float, ...]:
        numbers: list[float] = []
        while self._tokens and self._tokens[-1] not in "(),":
            try:
                numbers.append(float(self._next()))
            except ValueError as error:
                raise _InvalidError from error
        if (
            len(numbers) not in _COORDINATES
            or not all(map(math.isfinite, numbers))
            or not geojson.is_point(*numbers[:2])
        ):
            raise _InvalidError
        return tuple(numbers)

    def _next(self) -> str:
        if not self._tokens:
            raise _InvalidError
        return self._tokens.pop()

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise _InvalidError
