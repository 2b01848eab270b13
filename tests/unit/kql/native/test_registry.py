"""The table of native functions agrees with their code and with the language's functions."""

import importlib
import inspect

import pyarrow as pa
import pytest

from vedette.kql.compile import compile_query
from vedette.kql.functions.registry import functions
from vedette.kql.native.registry import COSTS, EXTRAS, PREFIX, NativeUse, natives, uses_in
from vedette.kql.sql.base import UnsupportedError
from vedette.kql.sql.natives import require
from vedette.testing import run_kql
from vedette.testing.kql_execution import EmptyCatalog

INTERNAL = {"geo_distance_2points_spheroid"}
"""Natives that are a part of a function, not a function of the language."""


@pytest.mark.parametrize("name", sorted(natives()))
def test_each_native_has_its_function(name: str) -> None:
    native = natives()[name]
    function = getattr(importlib.import_module(f"vedette.kql.native.{native.module}"), name)
    assert len(inspect.signature(function).parameters) == len(native.parameters)
    assert len(native.defaults) < len(native.parameters)


@pytest.mark.parametrize("name", sorted(each for each in natives() if each.startswith(("geo_", "series_"))))
def test_each_native_is_a_function_of_the_language(name: str) -> None:
    assert name in functions("scalar") or name in INTERNAL


def test_costs_and_extras_are_known() -> None:
    for native in natives().values():
        assert native.cost in COSTS
        assert native.extra is None or native.extra in EXTRAS


def test_natives_are_found_in_sql() -> None:
    sql = f"SELECT {PREFIX}geo_from_wkt(x), {PREFIX}nothing(x), y_{PREFIX}series_iir FROM t"
    assert uses_in(sql) == (NativeUse("geo_from_wkt"),)


def test_a_bound_text_is_not_passed() -> None:
    square = '{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,2],[0,0]]]}'
    use = NativeUse("geo_point_in_polygon", ((2, square),))
    assert use.parameters == ("DOUBLE", "DOUBLE")
    assert use.sql_name != NativeUse("geo_point_in_polygon").sql_name
    found = use.batch()(column(1.0, 5.0, None), column(1.0, 1.0, 1.0))
    assert found.to_pylist() == [True, False, None]
    closest = NativeUse("geo_closest_point_on_polygon", ((2, square),)).batch()(column(1.0), column(1.0))
    assert closest.to_pylist() == ['{"type":"Point","coordinates":[1,1]}']


def test_queries_bind_long_texts() -> None:
    polygon = 'dynamic({"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,2],[0,0]]]})'
    query = f"range i from 1 to 3 step 2 | where geo_point_in_polygon(i, 1, {polygon}) | summarize n = count()"
    compiled = compile_query(query, EmptyCatalog(), now=0)
    assert [len(use.constants) for use in compiled.natives] == [1]
    assert "Polygon" not in compiled.sql
    assert run_kql(query) == (["n"], [(1,)])


def test_without_the_extra_a_function_is_refused_by_name() -> None:
    native = natives()["geo_polygon_area"]
    with pytest.raises(UnsupportedError, match=r"geo_polygon_area: needs the extra vedette\[geo\]"):
        require(native, "geo_polygon_area", lambda package: package != "spherely")
    require(natives()["geo_from_wkt"], "geo_from_wkt", lambda _: False)


def column(*values: object, type_: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, type_)])


def test_nulls_give_null_row_by_row() -> None:
    found = natives()["geo_from_wkt"].batch()(column("POINT (1 2)", None, "POINT"))
    assert found.to_pylist() == ['{"type":"Point","coordinates":[1,2]}', None, None]


def test_nulls_give_null_column_by_column() -> None:
    token = natives()["geo_point_to_h3cell"].batch()
    lengths = column(6, None, 6, 16, type_=pa.int32())
    found = token(column(-74.04450446039874, 1.0, None, 1.0), column(40.689250859314974, 1.0, 1.0, 1.0), lengths)
    assert found.to_pylist() == ["862a1072fffffff", None, None, None]


def test_no_rows_are_no_rows() -> None:
    empty = column(type_=pa.float64())
    assert natives()["geo_point_to_s2cell"].batch()(empty, empty, column(type_=pa.int32())).to_pylist() == []


def test_functions_that_take_nulls_get_them() -> None:
    fill = natives()["series_fill_forward"].batch()
    assert fill(column("[1,null]"), column(None, type_=pa.float64())).to_pylist() == ["[1,1]"]


def test_overflow_is_a_value_not_a_warning() -> None:
    stats = natives()["series_stats"].batch()
    found = stats(column("[1e300,1,2]"), column(False))
    assert '"variance":null' in str(found[0])
