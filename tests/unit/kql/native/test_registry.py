"""The table of native functions agrees with their code and with the language's functions."""

import importlib
import inspect

import pyarrow as pa
import pytest

from vedette.kql.functions.registry import functions
from vedette.kql.native.registry import COSTS, EXTRAS, PREFIX, natives, natives_in, natives_named
from vedette.kql.sql.base import UnsupportedError
from vedette.kql.sql.natives import require

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
    assert natives_in([sql]) == ("geo_from_wkt",)
    assert [each.name for each in natives_named(["geo_from_wkt"])] == ["geo_from_wkt"]


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
