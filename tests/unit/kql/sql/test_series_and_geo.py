"""Series and geospatial functions in queries: what SQL computes, default arguments, columns of several results."""

import json
import math

import pytest

from vedette.kql.errors import KqlError
from vedette.testing import run_kql


def value(expression: str) -> object:
    """What one expression gives."""
    _, rows = run_kql(f"print x = {expression}")
    return rows[0][0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("series_add(dynamic([1,2,4]), dynamic([4,2,1]))", "[5, 4, 5]"),
        ("series_add(dynamic([1,2,4]), 1)", "[2, 3, 5]"),
        ("series_subtract(10, dynamic([1,2.5]))", "[9.0, 7.5]"),
        ("series_multiply(dynamic([9223372036854775807]), dynamic([2]))", "[-2]"),
        ("series_multiply(series_add(dynamic([1,2]), dynamic([1,1])), series_add(dynamic([1,2]), 1))", "[4, 9]"),
        ("series_divide(dynamic([1,2,-1]), dynamic([4,0,0]))", '[0.25, "inf", "-inf"]'),
        ("series_pow(dynamic([1,2,4]), dynamic([1,2,0.5]))", "[1.0, 4.0, 2.0]"),
        ("series_add(dynamic([1,2,3]), dynamic([1,null]))", "[2, null, null]"),
        ("series_add(dynamic([1,'a',true,[2]]), 1.0)", "[2.0, null, null, null]"),
        ("series_add(dynamic([]), 1)", "[]"),
        ("series_add(dynamic({}), dynamic([1]))", "null"),
        ("series_add(dynamic(null), 1)", "null"),
        ("series_add(dynamic([datetime(0001-01-01 00:00:01)]), 0)", "[10000000.0]"),
        ("series_greater(dynamic([1,2,4]), dynamic([4,2,1]))", "[false, false, true]"),
        ("series_greater_equals(dynamic([1,2,4]), 2)", "[false, true, true]"),
        ("series_less(dynamic([1,2,null]), 2)", "[true, false, null]"),
        ("series_less_equals(dynamic([1,2,4]), dynamic([4,2,1]))", "[true, true, false]"),
        ("series_equals(dynamic([1,2.0,4]), dynamic([4,2,1]))", "[false, true, false]"),
        ("series_not_equals(dynamic([1,2,4]), dynamic([4,2,1]))", "[true, false, true]"),
        ("series_abs(dynamic([-6.5,0,8.2]))", "[6.5, 0.0, 8.2]"),
        ("series_abs(dynamic([-6,0,null]))", "[6, 0, null]"),
        ("series_sign(dynamic([-6.5,0,8]))", "[-1, 0, 1]"),
        ("series_ceiling(dynamic([-1.5,1,2.5]))", "[-1.0, 1.0, 3.0]"),
        ("series_floor(dynamic([-1.5,1,2.5]))", "[-2.0, 1.0, 2.0]"),
        ("series_log(dynamic([1,0,-1]))", '[0.0, "-inf", "NaN"]'),
        ("series_exp(dynamic([0]))", "[1.0]"),
        ("series_asin(dynamic([0,2]))", '[0.0, "NaN"]'),
        ("series_fill_const(dynamic([111,null,36]), 0.0)", "[111, 0.0, 36]"),
        ("series_fill_const(dynamic([111,null,36]), -1)", "[111, -1, 36]"),
        ("series_fill_const(dynamic([0,null,36]), 5, 0)", "[5, null, 36]"),
        ("series_fill_const(dynamic([1,null]), 5, double(null))", "[1, 5]"),
        ("series_fill_forward(dynamic([1,null]))", "[1, 1]"),
        ("series_fill_linear(dynamic([1,null,4.0]))", "[1, 2.5, 4.0]"),
        ("series_fir(dynamic([2,4,6]), dynamic([1,1]))", "[1.0, 3.0, 5.0]"),
        ("series_fir(dynamic([2,4,6]), dynamic([1,1]), false)", "[2.0, 6.0, 10.0]"),
        ("series_outliers(dynamic([1,1,1]))", "[0.0, 0.0, 0.0]"),
        ("series_outliers(dynamic([1,1,1]), 'tukey', double(null))", "[0.0, 0.0, 0.0]"),
    ],
)
def test_series(expression: str, expected: str) -> None:
    found = value(expression)
    assert json.dumps(found) == expected


@pytest.mark.parametrize("name", ["sin", "cos", "tan", "atan"])
def test_angles_of_series(name: str) -> None:
    assert value(f"series_{name}(dynamic([-1,0,1]))") == pytest.approx(
        [getattr(math, name)(each) for each in (-1, 0, 1)]
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("series_sum(dynamic([1,2,3.5]))", 6.5),
        ("array_sum(dynamic([1,2,3]))", 6),
        ("series_product(dynamic([1,2,3,4]))", 24),
        ("series_dot_product(dynamic([1,2,4]), dynamic([4,2,1]))", 12),
        ("series_dot_product(dynamic([1,2,4]), 2)", 14),
        ("series_dot_product(dynamic([1,2,4]), dynamic([4]))", 4),
        ("series_dot_product(dynamic([]), dynamic([4]))", None),
        ("series_magnitude(dynamic([1,2,3,4]))", 5.4772255750516612),
        ("series_cosine_similarity(dynamic([0.1,0.2,0.1,0.2]), dynamic([1,2,3,4]))", 0.923760430703401),
        ("series_cosine_similarity(dynamic([3,4]), dynamic([4,3]), 5.0, 5.0)", 0.96),
        ("series_pearson_correlation(dynamic([1,2,3]), dynamic([2,4,6]))", 1),
        ("series_pearson_correlation(dynamic([1,2,3]), dynamic([2,4]))", None),
        ("series_pearson_correlation(dynamic([1,2,null]), dynamic([2,4,5]))", None),
        ("geo_distance_2points(-122.407628, 47.578557, -118.275287, 34.019056)", 1546754.35197381),
        ("geo_distance_2points(0, 0, 1, 0, true)", 111319.49079327358),
        ("geo_distance_2points(0, 0, 1, 0, false)", 111195.10117748393),
        ("geo_distance_2points(300, 1, 1, 1)", None),
        ("geo_distance_2points(real(null), 1, 1, 1)", None),
        ("geo_azimuth(5, 10, 10, -40)", 3.05459939796449),
        ("geo_azimuth(5, 10, 5, 10)", None),
        ("geo_azimuth(0, 0, 180, 0)", None),
        ("geo_angle(0, 10, 0, 5, 3, -10)", 2.94493843406882),
        ("geo_angle(0, 10, 0, 10, 3, -10)", None),
    ],
)
def test_numbers(expression: str, expected: float | None) -> None:
    found = value(expression)
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("geo_point_in_circle(-122.143564, 47.535677, -122.100896, 47.527351, 3500)", True),
        ("geo_point_in_circle(-122.137575, 47.630683, -122.100896, 47.527351, 3500)", False),
        ("geo_point_in_circle(200, 1, 1, 1, 1)", None),
        ("geo_point_in_circle(1, 1, 1, 1, -1)", None),
        ("geo_point_to_geohash(-80.195829, 25.802215, 8)", "dhwfz15h"),
        ("geo_point_to_geohash(-122.303404, 47.570482)", "c23n8"),
        ("geo_point_to_geohash(180, 90, 18)", "z" * 18),
        ("geo_point_to_geohash(-180, -90, 1)", "0"),
        ("geo_point_to_geohash(200, 1, 8)", ""),
        ("geo_point_to_geohash(1, 1, int(null))", ""),
        ("geo_point_to_geohash(1, 1, 19)", ""),
        ("geo_point_to_s2cell(-80.195829, 25.802215, 8)", "88d9b"),
        ("geo_point_to_s2cell(1, 1, int(null))", ""),
        ("geo_point_to_h3cell(-74.04450446039874, 40.689250859314974)", "862a1072fffffff"),
        ("geo_point_to_h3cell(300, 1, 8)", ""),
        ("geo_h3cell_parent('862a1072fffffff')", "852a1073fffffff"),
        ("geo_h3cell_parent('123')", ""),
        ("isnull(geo_h3cell_level('abc'))", True),
        ("isnull(geo_polygon_area(dynamic({'type': 'Polygon'})))", True),
        ("isnull(geo_polygon_area(dynamic(null)))", True),
        ("tostring(geo_from_wkt('POINT (1 2)').coordinates[1])", "2"),
    ],
)
def test_cells_and_tests(expression: str, expected: object) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize("place", ["-80.195829, 25.802215", "13.4, 52.5", "-0.1, -33.9", "179.9, 0.1"])
def test_a_geohash_leads_back_to_its_point(place: str) -> None:
    longitude, latitude = (float(each) for each in place.split(","))
    found = value(f"geo_geohash_to_central_point(geo_point_to_geohash({place}, 12))")
    assert found["coordinates"] == pytest.approx([longitude, latitude], abs=1e-6)  # type: ignore[index, call-overload]


def test_columns_of_a_fit() -> None:
    query = "print y = dynamic([1,2,3]) | extend (fit, slope) = series_fit_line(y)"
    columns, rows = run_kql(query)
    assert columns == [
        "y", "fit", "slope", "series_fit_line_y_variance", "series_fit_line_y_rvariance",
        "series_fit_line_y_interception", "series_fit_line_y_line_fit",
    ]  # fmt: skip
    assert rows[0][1:3] == (pytest.approx(1), pytest.approx(1))


def test_columns_of_statistics() -> None:
    columns, rows = run_kql("print x = dynamic([2,1,4]) | project series_stats(x)")
    assert columns[:4] == [
        "series_stats_x_min",
        "series_stats_x_min_idx",
        "series_stats_x_max",
        "series_stats_x_max_idx",
    ]
    assert rows[0][:4] == (1, 1, 4, 2)


def test_a_bag_of_statistics_has_sum_and_length() -> None:
    assert value("series_stats_dynamic(dynamic([2,1,4])).len") == 3
    assert value("series_fit_line_dynamic(dynamic([2,4,6])).slope") == pytest.approx(2)


def test_functions_of_several_arguments_in_a_query() -> None:
    query = """
        range t from 1 to 48 step 1
        | extend y = iff(t % 8 == 0, 10.0, 1.0)
        | summarize y = make_list(y)
        | extend (flag, score, baseline) = series_decompose_anomalies(y), seasonal = series_seasonal(y, 8),
                 (p, s) = series_periods_detect(y, 4.0, 20.0, 1), (v, w) = series_periods_validate(y, 8.0, 5.0)
        | project marked = array_sum(flag), top = seasonal[7], p, v, w = w[0]
    """
    _, rows = run_kql(query)
    marked, top, periods, validated, score = rows[0]
    assert (marked, top, periods, validated) == (0, 10, [8], [8, 5])
    assert score is not None


POLYGONS = """
let shapes = datatable(name:string, shape:dynamic) [
    "square", dynamic({"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,2],[0,0]]]}),
    "far", dynamic({"type":"Polygon","coordinates":[[[10,10],[12,10],[12,12],[10,10]]]})];
let points = datatable(point:string, lng:real, lat:real) ["inside", 1.0, 1.0, "near", 2.001, 1.0, "lost", -50.0, 3.0];
"""


@pytest.mark.parametrize(
    ("arguments", "columns", "expected"),
    [
        ("", ["point", "lng", "lat", "name"], [("inside", "square")]),
        (", 1000", ["point", "lng", "lat", "name"], [("inside", "square"), ("near", "square")]),
        (", return_unmatched = true", ["point", "lng", "lat", "name"],
         [("inside", "square"), ("near", ""), ("lost", "")]),
        (", radius = 1000, return_lookup_key = true", ["point", "lng", "lat", "name", "shape"],
         [("inside", "square"), ("near", "square")]),
    ],
)  # fmt: skip
def test_polygon_lookup(arguments: str, columns: list[str], expected: list[tuple[str, str]]) -> None:
    query = f"{POLYGONS} points | evaluate geo_polygon_lookup(shapes, shape, lng, lat{arguments})"
    names, rows = run_kql(query)
    assert names == columns
    assert {(row[0], row[3]) for row in rows} == set(expected)


def test_line_lookup() -> None:
    lines = """
        let lines = datatable(point:string, line:dynamic) [
            "axis", dynamic({"type":"LineString","coordinates":[[0,0],[2,0]]})];
        datatable(point:string, lng:real, lat:real) ["near", 1.0, 0.001, "far", 1.0, 1.0]
    """
    names, rows = run_kql(f"{lines} | evaluate geo_line_lookup(lines, line, lng, lat, 200)")
    assert names == ["point", "lng", "lat", "point1"]
    assert rows == [("near", 1.0, 0.001, "axis")]


@pytest.mark.parametrize(
    "call", ["geo_line_lookup(shapes, shape, lng, lat)", "geo_polygon_lookup(shapes, shape, lng, lat, reach = 3)"]
)
def test_lookups_with_wrong_arguments(call: str) -> None:
    with pytest.raises(KqlError):
        run_kql(f"{POLYGONS} points | evaluate {call}")
