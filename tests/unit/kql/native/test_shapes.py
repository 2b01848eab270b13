"""GeoJSON and well-known text: what is a shape and what is none."""

import json

import pytest

from vedette.kql.native import geojson, shapes
from vedette.kql.native.wkt import geo_from_wkt

SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]


def shape(kind: str, coordinates: object) -> str:
    return json.dumps({"type": kind, "coordinates": coordinates})


@pytest.mark.parametrize(
    "text",
    [
        "", "no json", "[]", "null", '{"type":"LineString"}',
        shape("LineString", []), shape("LineString", [[1, 1]]), shape("LineString", [[1, 1], [1, 1]]),
        shape("LineString", [[1, 1], [300, 2]]), shape("LineString", [[1, 1], [2, 91]]),
        shape("LineString", [[1, 1], [2]]), shape("LineString", [[1, 1], ["2", 2]]),
        shape("LineString", [[1, 1], True]),
        shape("LineString", [[[0, 0], [1, 1]]]), shape("MultiLineString", [[[0, 0], [1, 1]], [[2, 2]]]),
        shape("Polygon", [SQUARE]), shape("Point", [1, 1]),
    ],
)  # fmt: skip
def test_invalid_lines(text: str) -> None:
    assert shapes.lines(text) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"Polygon"}', shape("Polygon", []), shape("Polygon", [[]]), shape("Polygon", [[[0, 0], [1, 1]]]),
        shape("Polygon", [[[0, 0], [10, 10], [10, 10], [0, 0]]]),
        shape("Polygon", [SQUARE[:-1]]),
        shape("Polygon", [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]),
        shape("Polygon", [[[0, 900], [1, 0], [1, 1], [0, 900]]]),
        shape("MultiPolygon", [SQUARE]), shape("MultiPolygon", [[SQUARE], [[[0, 0]]]]), shape("LineString", SQUARE),
    ],
)  # fmt: skip
def test_invalid_polygons(text: str) -> None:
    assert shapes.polygons(text) is None


def test_arrays_need_every_member_to_be_valid() -> None:
    assert shapes.polygons_array(f"[{shape('Polygon', [SQUARE])},{shape('Polygon', [])}]") is None
    assert shapes.polygons_array("[]") is None
    assert shapes.polygons_array("[1]") is None
    assert shapes.lines_array("no json") is None
    valid = shapes.polygons_array(f"[{shape('Polygon', [SQUARE])}]")
    assert valid is not None
    assert len(valid) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (50.0, "50"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (40.783989289772165, "40.783989289772165"),
        (1 / 3, "0.33333333333333331"),
    ],
)
def test_numbers_have_as_many_digits_as_they_need(value: float, text: str) -> None:
    assert geojson.number(value) == text


@pytest.mark.parametrize(
    ("text", "kind", "coordinates"),
    [
        ("POINT (1 2)", "Point", [1, 2]),
        ("point(1 2 3)", "Point", [1, 2, 3]),
        ("LINESTRING (1 2, 3 4)", "LineString", [[1, 2], [3, 4]]),
        ("POLYGON ((0 0, 2 0, 2 2, 0 0))", "Polygon", [[[0, 0], [2, 0], [2, 2], [0, 0]]]),
        ("MULTIPOINT (1 1, 2 2)", "MultiPoint", [[1, 1], [2, 2]]),
        ("MULTIPOINT ((1 1), (2 2))", "MultiPoint", [[1, 1], [2, 2]]),
        ("MULTILINESTRING ((1 1, 2 2), (4.5 4, -5e0 5))", "MultiLineString", [[[1, 1], [2, 2]], [[4.5, 4], [-5, 5]]]),
        ("MULTIPOLYGON (((0 0, 2 0, 2 2, 0 0)))", "MultiPolygon", [[[[0, 0], [2, 0], [2, 2], [0, 0]]]]),
    ],
)
def test_well_known_text(text: str, kind: str, coordinates: object) -> None:
    found = geo_from_wkt(text)
    assert found is not None
    assert json.loads(found) == {"type": kind, "coordinates": coordinates}


def test_a_collection_in_well_known_text() -> None:
    found = geo_from_wkt("GEOMETRYCOLLECTION (POINT (1 1),LINESTRING (2 2, 3 3))")
    assert found is not None
    assert [each["type"] for each in json.loads(found)["geometries"]] == ["Point", "LineString"]


@pytest.mark.parametrize(
    "text",
    ["", "LINESTRING", "POINT (1)", "POINT (1 2, 3 4)", "POINT (1 2) x", "POINT EMPTY", "CIRCLE (1 2)", "POINT (200 1)",
     "POINT (1 2", "POINT (a b)", "MULTIPOINT ((1 1, 2 2))", "GEOMETRYCOLLECTION (" * 40],
)  # fmt: skip
def test_what_is_no_well_known_text(text: str) -> None:
    assert geo_from_wkt(text) is None
