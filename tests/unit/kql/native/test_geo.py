"""Geospatial functions that are computed natively: the pages' values, and the edges that the pages only name."""

import json
import math

import numpy as np
import pytest

from vedette.kql.native import (
    geo_buffers,
    geo_cells,
    geo_densify,
    geo_measures,
    geo_overlays,
    geo_simplify,
    geohash,
    sphere,
)
from vedette.kql.native.batches import Texts

Coordinates = list[list[float]]


def line(*coordinates: list[float]) -> str:
    return json.dumps({"type": "LineString", "coordinates": coordinates})


def polygon(*coordinates: list[float]) -> str:
    return json.dumps({"type": "Polygon", "coordinates": [[*coordinates, coordinates[0]]]})


def multipolygon(*polygons: str) -> str:
    parts = [json.loads(each)["coordinates"] for each in polygons]
    return json.dumps({"type": "MultiPolygon", "coordinates": parts})


def texts(*values: str) -> Texts:
    distinct = list(dict.fromkeys(values))
    return Texts(distinct, np.array([distinct.index(each) for each in values]))


def decoded(text: str | None) -> dict[str, object]:
    assert text is not None
    value = json.loads(text)
    assert isinstance(value, dict)
    return value


def at(text: str | None) -> object:
    return pytest.approx(decoded(text)["coordinates"], abs=1e-9)


PARK = polygon([-73.9495, 40.7969], [-73.95807266235352, 40.80068603561921], [-73.98201942443848, 40.76825672305777],
               [-73.97317886352539, 40.76455136505513])  # fmt: skip
OTHER = polygon([-73.94262313842773, 40.775991804565585], [-73.98107528686523, 40.791849155467695],
                [-73.99600982666016, 40.77092185281977], [-73.96150588989258, 40.75609977566361])  # fmt: skip
STREET = line([-73.95796, 40.80042], [-73.97317, 40.764486])
NOTHING = '{"type":"GeometryCollection","geometries":[]}'


def test_areas_and_perimeters_of_unions() -> None:
    both = multipolygon(PARK, OTHER)
    assert geo_measures.geo_polygon_area(PARK) == pytest.approx(3475207.28346606)
    assert geo_measures.geo_polygon_area(both) == pytest.approx(10889971.5343487)
    assert geo_measures.geo_polygon_perimeter(PARK) == pytest.approx(9930.30149604938)
    assert geo_measures.geo_polygon_perimeter(both) == pytest.approx(15943.5384578745)
    assert at(geo_measures.geo_polygon_centroid(PARK)) == [-73.965735689907618, 40.782550538057812]
    assert at(geo_measures.geo_polygon_centroid(both)) == [-73.968569587829577, 40.776310752555119]


def test_the_direction_of_a_ring_does_not_matter() -> None:
    ring = json.loads(PARK)["coordinates"][0]
    assert geo_measures.geo_polygon_area(polygon(*ring[:0:-1])) == pytest.approx(3475207.28346606)


def test_lengths_count_repeated_edges_once() -> None:
    twice = json.dumps({"type": "MultiLineString", "coordinates": [[[0, 0], [0, 1]], [[0, 1], [0, 0]]]})
    degree = math.radians(1) * sphere.EARTH_RADIUS
    assert geo_measures.geo_line_length(line([0, 0], [0, 1])) == pytest.approx(degree)
    assert geo_measures.geo_line_length(twice) == pytest.approx(degree)
    assert at(geo_measures.geo_line_centroid(STREET)) == [-73.965567057230942, 40.782453249627416]


def test_distances_of_points() -> None:
    longitudes, latitudes = np.array([-73.9839, -73.966, 500.0]), np.array([40.7705, 40.7826, 1.0])
    found = geo_measures.geo_distance_point_to_polygon(longitudes, latitudes, texts(PARK, PARK, PARK))
    assert found == [pytest.approx(259.940756070596), 0, None]
    lines = texts('{"type":"LineString"}', line([0, 0], [0, 1]), line([0, 0], [0, 1]))
    assert geo_measures.geo_distance_point_to_line(np.array([1.0, 0, 1]), np.array([1.0, 0.5, 0]), lines) == [
        None, pytest.approx(0, abs=1e-6), pytest.approx(math.radians(1) * sphere.EARTH_RADIUS)
    ]  # fmt: skip


def test_each_point_is_in_exactly_one_of_adjacent_polygons() -> None:
    west, east = polygon([0, 0], [1, 0], [1, 1], [0, 1]), polygon([1, 0], [2, 0], [2, 1], [1, 1])
    longitudes, latitudes = np.array([1.0, 1.0, 0.5]), np.array([0.5, 0.0, 0.5])
    in_west = geo_measures.geo_point_in_polygon(longitudes, latitudes, texts(west, west, west))
    in_east = geo_measures.geo_point_in_polygon(longitudes, latitudes, texts(east, east, east))
    assert [bool(a) + bool(b) for a, b in zip(in_west, in_east, strict=True)][2] == 1
    assert in_west[0] != in_east[0]


def test_holes_are_outside() -> None:
    rings = [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]], [[1, 1], [1, 3], [3, 3], [3, 1], [1, 1]]]
    ring = json.dumps({"type": "Polygon", "coordinates": rings})
    found = geo_measures.geo_point_in_polygon(np.array([0.5, 2.0]), np.array([0.5, 2.0]), texts(ring, ring))
    assert found == [True, False]


def test_closest_points() -> None:
    found = geo_measures.geo_closest_point_on_polygon(-73.9839, 40.7705, PARK)
    assert at(found) == [-73.981205580153926, 40.769359452843211]
    assert at(geo_measures.geo_closest_point_on_polygon(-73.966, 40.7826, PARK)) == [-73.966, 40.7826]
    assert at(geo_measures.geo_closest_point_on_line(5, 0, line([0, 0], [1, 0]))) == [1, 0]
    assert geo_measures.geo_closest_point_on_line(300, 3, line([1, 1], [2, 2])) is None
    assert geo_measures.geo_closest_point_on_polygon(500, 1, PARK) is None


def test_places_on_a_line() -> None:
    assert at(geo_measures.geo_line_interpolate_point(STREET, 0.25)) == [-73.961764043218281, 40.791436687257232]
    assert at(geo_measures.geo_line_interpolate_point(STREET, 1.0)) == [-73.97317, 40.764486]
    assert geo_measures.geo_line_interpolate_point(STREET, 1.1) is None
    fraction = geo_measures.geo_line_locate_point(STREET, -73.965, 40.792, False)
    assert fraction == pytest.approx(0.25560135100307552)
    spheroid = geo_measures.geo_line_locate_point(STREET, -73.965, 40.792, True)
    assert spheroid == pytest.approx(fraction, abs=1e-5)
    assert spheroid != fraction
    several = json.dumps({"type": "MultiLineString", "coordinates": [[[0, 0], [0, 1]], [[1, 1], [1, 0]]]})
    assert geo_measures.geo_line_interpolate_point(several, 0.5) is None
    assert geo_measures.geo_line_locate_point(several, 0, 0, False) is None


def test_distance_on_the_spheroid() -> None:
    assert geo_measures.geo_distance_2points_spheroid(0, 0, 1, 0) == pytest.approx(111319.49079327358)
    assert geo_measures.geo_distance_2points_spheroid(300, 1, 1, 1) is None


# --- overlays -------------------------------------------------------------------------------------------------------

TRIANGLE = polygon([2, 45], [0, 45], [1, 44])


def test_intersections_of_lines() -> None:
    street, crossing = line([-73.978929, 40.785155], [-73.980903, 40.782621]), line(
        [-73.985195, 40.788275], [-73.974552, 40.779761]
    )  # fmt: skip
    assert at(geo_overlays.geo_intersection_2lines(street, crossing)) == [-73.979837116670978, 40.783989289772165]
    same = decoded(geo_overlays.geo_intersection_2lines(street, street))
    assert same["type"] == "LineString"
    assert geo_overlays.geo_intersection_2lines(line([1, 1], [2, 2]), line([3, 3], [4, 4])) == NOTHING
    assert geo_overlays.geo_intersects_2lines(street, crossing) is True
    assert geo_overlays.geo_intersection_2lines(street, line([3, 3])) is None


def test_polygons_that_touch() -> None:
    corner = polygon([3, 44], [2, 45], [2, 43])
    side = polygon([2, 45], [1, 44], [2, 43])
    assert at(geo_overlays.geo_intersection_2polygons(TRIANGLE, corner)) == [2, 45]
    assert decoded(geo_overlays.geo_intersection_2polygons(TRIANGLE, side))["type"] == "LineString"
    assert geo_overlays.geo_intersects_2polygons(TRIANGLE, corner) is True
    assert geo_overlays.geo_intersection_2polygons(TRIANGLE, polygon([3, 44], [3, 45], [2, 43])) == NOTHING


def test_a_collection_of_points_and_polygons() -> None:
    other = multipolygon(polygon([3, 44], [2, 45], [2, 43]), polygon([1.192, 45.265], [1.005, 44.943], [1.356, 44.937]))
    found = decoded(geo_overlays.geo_intersection_2polygons(TRIANGLE, other))
    assert [each["type"] for each in found["geometries"]] == ["Point", "Polygon"]  # type: ignore[index, attr-defined]


def test_lines_inside_polygons() -> None:
    found = geo_overlays.geo_intersection_line_with_polygon(
        line([-1, 0.5], [2, 0.5]), polygon([0, 0], [1, 0], [1, 1], [0, 1])
    )
    assert decoded(found)["type"] == "LineString"
    touching = geo_overlays.geo_intersection_line_with_polygon(line([2, 45], [3, 46]), TRIANGLE)
    assert at(touching) == [2, 45]
    assert geo_overlays.geo_intersects_line_with_polygon(line([-1, 44.5], [2, 44.5]), TRIANGLE) is True
    assert geo_overlays.geo_intersects_line_with_polygon(line([5, 1], [6, 1]), TRIANGLE) is False
    assert geo_overlays.geo_intersects_line_with_polygon("{}", TRIANGLE) is None


def test_unions() -> None:
    a, b, c = (
        [-73.95683884620665, 40.80502891480884],
        [-73.95633727312088, 40.8057171711177],
        [-73.95489156246185, 40.8051020],
    )
    d = [-73.95537436008453, 40.804413741624515]
    joined = geo_overlays.geo_union_lines_array(f"[{line(a, b, c)},{line(b, c, d)},{line(b, c)}]")
    assert np.allclose(decoded(joined)["coordinates"], [a, b, c, d])  # type: ignore[arg-type]
    apart = geo_overlays.geo_union_polygons_array(
        f"[{polygon([0, 0], [1, 0], [1, 1])},{polygon([5, 5], [6, 5], [6, 6])}]"
    )
    assert decoded(apart)["type"] == "MultiPolygon"
    assert geo_overlays.geo_union_lines_array(f"[{line(a, b)},{line([1, 1])}]") is None


# --- densify, simplify, buffer --------------------------------------------------------------------------------------


def test_long_edges_are_divided() -> None:
    found = decoded(geo_densify.geo_line_densify(line([50, 50], [51, 51]), 10, False))["coordinates"]
    assert found == [[50 + each / 8, 50 + each / 8] for each in range(9)]
    square = geo_densify.geo_polygon_densify(polygon([10, 10], [11, 10], [11, 11], [10, 11]), 10, False)
    assert decoded(square)["coordinates"] == [
        [[10, 10], [10.25, 10], [10.5, 10], [10.75, 10], [11, 10],
         [11, 11], [10.75, 11], [10.5, 11], [10.25, 11], [10, 11], [10, 10]]
    ]  # fmt: skip
    assert geo_densify.geo_line_densify(line([1, 1], [2, 2]), 0, False) is None
    assert geo_densify.geo_line_densify(line([300, 1], [1, 1]), 10, False) is None


def test_edges_over_the_antimeridian() -> None:
    over = line([179, 50], [-179, 50])
    kept = decoded(geo_densify.geo_line_densify(over, 10000, True))["coordinates"]
    around = decoded(geo_densify.geo_line_densify(over, 10000, False))["coordinates"]
    assert kept == [[179, 50], [-179, 50]]
    assert [0, 50] in around  # type: ignore[operator]


def test_simplified_lines() -> None:
    bumpy = line([0, 0], [0.0001, 0.00005], [0.001, 0], [0.01, 0])
    assert decoded(geo_simplify.geo_line_simplify(bumpy, 100))["coordinates"] == [[0, 0], [pytest.approx(0.01), 0]]
    assert geo_simplify.geo_line_simplify(line([1.1, 1.1], [1.2, 1.2]), 100000) is None
    assert geo_simplify.geo_line_simplify(line([1, 1], [2, 2]), -1) is None
    assert geo_simplify.geo_line_simplify(line([1, 1]), 10) is None


def test_simplified_polygons() -> None:
    bumpy = polygon([0, 0], [0.5, 0.00001], [1, 0], [1, 1], [0, 1])
    found = decoded(geo_simplify.geo_polygon_simplify(bumpy, 10))["coordinates"]
    assert np.allclose(found, [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]])  # type: ignore[arg-type]
    assert geo_simplify.geo_polygon_simplify(polygon([5, 48], [0, 50], [0, 47], [4, 47]), 1_000_000) is None
    assert geo_simplify.geo_polygon_simplify(bumpy, -0.1) is None


def test_shared_borders_stay_shared() -> None:
    west = polygon([0, 0], [1, 0], [1.0001, 0.5], [1, 1], [0, 1])
    east = polygon([1, 0], [2, 0], [2, 1], [1, 1], [1.0001, 0.5])
    found = decoded(geo_simplify.geo_simplify_polygons_array(f"[{west},{east}]", 100))["coordinates"]
    sides = [{tuple(corner) for corner in rings[0]} for rings in found]  # type: ignore[attr-defined]
    assert len(sides[0] & sides[1]) == 2
    assert geo_simplify.geo_simplify_polygons_array(f"[{west},{east}]", -1) is None


def test_buffers_have_the_area_they_should() -> None:
    circle = geo_buffers.geo_point_buffer(-115.1745008278, 36.1497251277, 20000, 10)
    assert circle is not None
    assert geo_measures.geo_polygon_area(circle) == pytest.approx(math.pi * 20000**2, rel=2e-3)
    street = line([-80.66634997047466, 24.894526340592122], [-80.67373241820246, 24.890808090321286])
    strip = geo_buffers.geo_line_buffer(street, 4, 0.1)
    length = geo_measures.geo_line_length(street)
    assert strip is not None
    assert length is not None
    assert geo_measures.geo_polygon_area(strip) == pytest.approx(8 * length + math.pi * 16, rel=1e-3)
    wider = geo_buffers.geo_polygon_buffer(PARK, 1000, 1)
    assert wider is not None
    assert geo_measures.geo_polygon_area(wider) == pytest.approx(3475207 + 9930 * 1000 + math.pi * 1e6, rel=1e-3)


@pytest.mark.parametrize(("radius", "tolerance"), [(0, 10), (-1, 10), (math.inf, 10), (1000, 0), (1e9, 1)])
def test_buffers_refuse_what_makes_no_sense(radius: float, tolerance: float) -> None:
    assert geo_buffers.geo_point_buffer(10, 10, radius, tolerance) is None
    assert geo_buffers.geo_line_buffer(STREET, radius, tolerance) is None
    assert geo_buffers.geo_polygon_buffer(PARK, radius, tolerance) is None


# --- grids ----------------------------------------------------------------------------------------------------------


def test_geohashes() -> None:
    assert (
        geohash.geo_geohash_to_central_point("sunny")
        == '{"type":"Point","coordinates":[42.47314453125,23.70849609375]}'
    )
    corners = decoded(geohash.geo_geohash_to_polygon("dr5ru"))["coordinates"]
    assert corners == [
        [[-74.00390625, 40.7373046875], [-73.9599609375, 40.7373046875], [-73.9599609375, 40.78125],
         [-74.00390625, 40.78125], [-74.00390625, 40.7373046875]]
    ]  # fmt: skip
    neighbors = geohash.geo_geohash_neighbors("sunny")
    assert neighbors is not None
    assert json.loads(neighbors) == ["sunnt", "sunpj", "sunnx", "sunpn", "sunnv", "sunpp", "sunnz", "sunnw"]
    at_the_pole = geohash.geo_geohash_neighbors("z")
    assert at_the_pole is not None
    assert len(json.loads(at_the_pole)) == 5
    for wrong in ("a", "", "s" * 19, "s!"):
        assert geohash.geo_geohash_to_central_point(wrong) is None
        assert geohash.geo_geohash_to_polygon(wrong) is None
        assert geohash.geo_geohash_neighbors(wrong) is None


def test_s2_cells() -> None:
    longitudes, latitudes = np.array([-80.195829, 10.1234, 300, 1, 1]), np.array([25.802215, 53, 1, 1, 1])
    tokens = geo_cells.geo_point_to_s2cell(longitudes, latitudes, np.array([8, 8, 8, 35, -1]))
    assert tokens == ["88d9b", "47b1d", None, None, None]
    assert at(geo_cells.geo_s2cell_to_central_point("1234567")) == [9.86830731850408, 27.468392925827604]
    neighbors = geo_cells.geo_s2cell_neighbors("89c259")
    assert neighbors is not None
    assert json.loads(neighbors) == ["89c25d", "89c2f9", "89c251", "89c257", "89c25f", "89c25b", "89c2f7", "89c2f5"]
    for wrong in ("a", "", "x", "1" * 17):
        assert geo_cells.geo_s2cell_to_polygon(wrong) is None


def test_coverings_by_s2_cells() -> None:
    huge = polygon([0, 0], [0, 50], [100, 50])
    covering = geo_cells.geo_polygon_to_s2cells(huge, 5, 0)
    assert covering is not None
    assert len(json.loads(covering)) == 286
    assert geo_cells.geo_polygon_to_s2cells(huge, 30, 0) is None
    assert geo_cells.geo_polygon_to_s2cells(huge, 31, 0) is None
    assert geo_cells.geo_polygon_to_s2cells(huge, 5, -1) is None
    near, far = (geo_cells.geo_line_to_s2cells(STREET, 12, radius) for radius in (0, 5000))
    assert near is not None
    assert far is not None
    assert set(json.loads(near)) < set(json.loads(far))


def test_h3_cells() -> None:
    assert at(geo_cells.geo_h3cell_to_central_point("862a1072fffffff")) == [-74.016008479792447, 40.7041679083504]
    assert geo_cells.geo_h3cell_level("862a1072fffffff") == 6
    assert geo_cells.geo_h3cell_parent("862a1072fffffff", geo_cells.NEXT) == "852a1073fffffff"
    assert geo_cells.geo_h3cell_parent("862a1072fffffff", 1) == "812a3ffffffffff"
    assert geo_cells.geo_h3cell_parent("862a1072fffffff", 6) is None
    children = geo_cells.geo_h3cell_children("862a1072fffffff", geo_cells.NEXT)
    assert children is not None
    assert json.loads(children) == [f"872a1072{each}ffffff" for each in "89abcde"]
    assert geo_cells.geo_h3cell_children("862a1072fffffff", 12) is None
    neighbors = geo_cells.geo_h3cell_neighbors("862a1072fffffff")
    assert neighbors is not None
    assert json.loads(neighbors) == [
        "862a10727ffffff", "862a10707ffffff", "862a1070fffffff", "862a10777ffffff", "862a100dfffffff", "862a100d7ffffff"
    ]  # fmt: skip
    rings = geo_cells.geo_h3cell_rings("861f8894fffffff", 2)
    assert rings is not None
    assert [len(each) for each in json.loads(rings)] == [1, 6, 12]
    for wrong in ("abc", "", "@"):
        assert geo_cells.geo_h3cell_to_polygon(wrong) is None
        assert geo_cells.geo_h3cell_level(wrong) is None
        assert geo_cells.geo_h3cell_rings(wrong, 1) is None
    assert geo_cells.geo_h3cell_rings("861f8894fffffff", 150) is None


def test_h3_cells_of_polygons() -> None:
    found = geo_cells.geo_polygon_to_h3cells(
        polygon([-3.659, 40.553], [-3.913, 40.409], [-3.729, 40.273], [-3.524, 40.440]), 6, 0
    )
    assert found is not None
    assert len(json.loads(found)) == 13
    assert geo_cells.geo_polygon_to_h3cells(polygon([0, 0], [0, 50], [100, 50]), 15, 0) is None
    assert geo_cells.geo_polygon_to_h3cells(PARK, 16, 0) is None


def test_polygons_that_h3_cannot_fill_have_no_cells() -> None:
    polar = polygon([1.686, -90], [-0.771, -90], [-3.625, -90], [-2.946, -88.745], [-0.869, -85.742], [2.39, -86.884],
                    [2.916, -90])  # fmt: skip
    assert geo_cells.geo_polygon_to_h3cells(polar, 5, 100) is None
