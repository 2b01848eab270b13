"""Series functions that are computed natively."""

import json
import math

import numpy as np
import pytest

from vedette.kql.native import (
    series_decomposition,
    series_fills,
    series_filters,
    series_fits,
    series_periods,
    series_statistics,
)

TRAFFIC = [
    80, 139, 87, 110, 68, 54, 50, 51, 53, 133, 86, 141, 97, 156, 94, 149, 95, 140, 77, 61, 50, 54, 47, 133, 72, 152, 94,
    148, 105, 162, 101, 160, 87, 63, 53, 55, 54, 151, 103, 189, 108, 183, 113, 175, 113, 178, 90, 71, 62, 62, 65, 165,
    109, 181, 115, 182, 121, 178, 114, 170,
]  # fmt: skip
"""The pages' month of traffic in bins of half a day."""


def decoded(text: str | None) -> dict[str, list[float]]:
    assert text is not None
    value = json.loads(text)
    assert isinstance(value, dict)
    return value


def listed(text: str | None) -> list[float]:
    assert text is not None
    value = json.loads(text)
    assert isinstance(value, list)
    return value


@pytest.mark.parametrize(
    ("series", "weights", "normalize", "center", "expected"),
    [
        ([0, 0, 2, 2, 3], [1, -1], 0, False, [0, 0, 2, 0, 1]),
        ([0, 0, 2, 2, 3], [1, -1], -1, False, [0, 0, 2, 0, 1]),
        ([0, 0, 10, 20, 40], [1, 1], -1, False, [0, 0, 5, 15, 30]),
        ([0, 0, 10, 20, 40], [1, 1], 0, False, [0, 0, 10, 30, 60]),
        ([0, 0, 9, 0, 0], [1, 1, 1], 1, True, [0, 3, 3, 3, 0]),
        ([], [1], -1, False, []),
        ([1, None, 1], [1, 1], 0, False, [1, None, None]),
    ],
)
def test_fir(series: object, weights: object, normalize: int, center: bool, expected: object) -> None:
    found = series_filters.series_fir(json.dumps(series), json.dumps(weights), normalize, center)
    assert found is not None
    assert json.loads(found) == pytest.approx(expected)


def test_fir_refuses_to_normalize_negative_filters() -> None:
    assert series_filters.series_fir("[1,2]", "[1,-1]", 1, False) is None
    assert series_filters.series_fir("{}", "[1]", 0, False) is None
    assert series_filters.series_fir("[1]", "[]", 0, False) is None


def test_long_filters_give_the_same() -> None:
    ones = json.dumps([1] * 15_000)
    found = listed(series_filters.series_fir(ones, ones, 0, False))
    assert found == pytest.approx(list(range(1, 15_001)))


@pytest.mark.parametrize(
    ("series", "numerators", "denominators", "expected"),
    [
        ([1, 2, 3, 4], [1], [1, -1], [1, 3, 6, 10]),
        ([2, 4, 6], [1], [2], [1, 2, 3]),
        ([1, 0, 0, 0], [1], [1, -0.5], [1, 0.5, 0.25, 0.125]),
        ([1, 0, 0, 0], [1, 1], [1, 0, -1], [1, 1, 1, 1]),
        ([], [1], [1, -1], []),
    ],
)
def test_iir(series: object, numerators: object, denominators: object, expected: list[float]) -> None:
    found = series_filters.series_iir(json.dumps(series), json.dumps(numerators), json.dumps(denominators))
    assert listed(found) == pytest.approx(expected)


def test_iir_needs_a_first_denominator() -> None:
    assert series_filters.series_iir("[1]", "[1]", "[0,1]") is None
    assert series_filters.series_iir("[1]", "[1]", "[]") is None


def test_fourier_there_and_back() -> None:
    there = decoded(series_filters.series_fft("[1,2,3,4]", ""))
    assert there == {"real": [10, -2, -2, -2], "imag": [0, 2, 0, -2]}
    back = decoded(series_filters.series_ifft(json.dumps(there["real"]), json.dumps(there["imag"])))
    assert back["real"] == pytest.approx([1, 2, 3, 4])
    assert series_filters.series_fft("[1,2]", "[1]") is None
    assert series_filters.series_fft("[1,null]", "") is None
    assert series_filters.series_fft("[]", "") is None


def test_a_line() -> None:
    found = decoded(series_fits.series_fit_line("[2,5,6,8,11,15,17,18,25,26,30,30]"))
    expected = {"rsquare": 0.982, "slope": 2.730, "variance": 98.628, "rvariance": 1.686, "interception": -1.666}
    assert {name: math.trunc(float(found[name]) * 1000) / 1000 for name in expected} == expected  # type: ignore[arg-type]
    assert found["line_fit"][0] == pytest.approx(1.0641, abs=1e-4)
    assert series_fits.series_fit_line("[1,null]") is None
    assert series_fits.series_fit_line("[]") is None


def test_a_level_line_explains_nothing() -> None:
    found = decoded(series_fits.series_fit_line("[3,3,3]"))
    assert found["slope"] == pytest.approx(0)
    assert found["variance"] == 0


def test_two_lines() -> None:
    flat = decoded(series_fits.series_fit_2lines("[1,2,3,4,5,50,40,30,20]"))
    assert flat["split_idx"] == 5
    assert flat["left_slope"] == pytest.approx(1)
    assert flat["right_slope"] == pytest.approx(-10)
    assert flat["rsquare"] == pytest.approx(1)
    assert flat["line_fit"] == pytest.approx([1, 2, 3, 4, 5, 50, 40, 30, 20])
    nested = decoded(series_fits.series_fit_2lines_dynamic("[1,2,3,4,5,50,40,30,20]"))
    assert nested["right"]["slope"] == pytest.approx(-10)  # type: ignore[call-overload]
    assert series_fits.series_fit_2lines("[1,2,3]") is None


def test_polynomials() -> None:
    found = decoded(series_fits.series_fit_poly("[1,4,9,16]", "", 2))
    assert found["coefficients"] == pytest.approx([1, 0, 0], abs=1e-9)
    moved = decoded(series_fits.series_fit_poly("[1,4,9]", "[0,1,2]", 2))
    assert moved["coefficients"] == pytest.approx([1, 2, 1])
    straight = decoded(series_fits.series_fit_poly("[2,5,6,8]", "", 1))
    line = decoded(series_fits.series_fit_line("[2,5,6,8]"))
    assert straight["poly_fit"] == pytest.approx(line["line_fit"])
    assert series_fits.series_fit_poly("[1,2]", "[1]", 1) is None
    assert series_fits.series_fit_poly("[1,2]", "", 0) is None


def test_periods_of_the_pages() -> None:
    found = decoded(series_periods.series_periods_detect(json.dumps(TRAFFIC), 0, 50, 2))
    assert found["periods"] == [14, 0]
    assert [math.trunc(each * 100) / 100 for each in found["scores"]] == [0.84, 0]
    checked = decoded(series_periods.series_periods_validate(json.dumps(TRAFFIC), "[14.0,10.0]"))
    assert [math.trunc(each * 100) / 100 for each in checked["scores"]] == [0.84, 0]


def test_daily_and_weekly_periods_are_both_found() -> None:
    hours = np.arange(24 * 7 * 5)
    values = np.where((hours // 24) % 7 >= 5, 10.0, 15.0) + 3 * np.cos(2 * np.pi * hours / 24)
    found = decoded(series_periods.series_periods_detect(json.dumps(values.tolist()), 4, 400, 3))
    assert found["periods"][:2] == [168, 24]


def test_periods_out_of_bounds_score_nothing() -> None:
    assert decoded(series_periods.series_periods_validate(json.dumps(TRAFFIC), "[3,31,null]"))["scores"] == [0, 0, 0]
    assert decoded(series_periods.series_periods_detect("[1,1,1,1,1,1,1,1,1,1]", 0, 50, 1))["periods"] == [0]
    assert decoded(series_periods.series_periods_detect("[]", 0, 50, 1))["periods"] == [0]
    assert series_periods.series_periods_validate("[1]", json.dumps(list(range(17)))) is None


@pytest.mark.parametrize(
    ("series", "period", "expected"),
    [
        ([2, 5, 3, 4, 3, 2, *[1, 2, 3, 4, 3, 2] * 3, 1], -1, [*[1, 2, 3, 4, 3, 2] * 4, 1]),
        ([8, *[12, 14, 12, 10, 10] * 3, 12, 14, 12, 10], -1, [10, 12, 14, 12, 10] * 4),
        ([1, 3, 5, 2, 4, 6] * 2, -1, [0] * 12),
        ([1, 3, 5, 1, 3, 5, 2, 4, 6], 3, [1, 3, 5] * 3),
        ([1, 3, 5, 2, 4, 6] * 2, 3, [1.5, 3.5, 5.5] * 4),
        ([], -1, []),
    ],
)
def test_seasons(series: list[float], period: int, expected: list[float]) -> None:
    assert listed(series_decomposition.series_seasonal(json.dumps(series), period, 0)) == expected


def weekly() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Five weeks by the hour, with small noise."""
    hours = np.arange(24 * 7 * 5)
    noise = np.random.default_rng(7).random(hours.size)
    values: np.ndarray[tuple[int], np.dtype[np.float64]] = noise + np.where((hours // 24) % 7 >= 5, 10.0, 15.0)
    return values - ((hours % 24) / 10) ** 2


def test_components_add_up() -> None:
    values = weekly()
    found = decoded(series_decomposition.series_decompose(json.dumps(values.tolist()), -1, "linefit", 0, 0.6))
    baseline = np.add(found["seasonal"], found["trend"])
    assert np.allclose(baseline, found["baseline"])
    assert np.allclose(np.add(baseline, found["residual"]), values)
    assert float(np.abs(found["residual"]).max()) < 2


def test_without_season_and_trend_all_is_rest() -> None:
    found = decoded(series_decomposition.series_decompose("[1,2,3]", 0, "none", 0, 0.6))
    assert found["baseline"] == [0, 0, 0]
    assert found["residual"] == [1, 2, 3]


def test_a_forecast_does_not_learn_from_what_it_predicts() -> None:
    values = weekly()
    values[-168:] = 0
    found = decoded(series_decomposition.series_decompose_forecast(json.dumps(values.tolist()), 168, -1, "avg", 0.6))
    assert np.abs(np.subtract(found["baseline"][-168:], weekly()[-168:])).max() < 2


def test_anomalies() -> None:
    values = weekly()
    values[[150, 200]] -= 12
    values[[300, 600]] += 12
    found = decoded(
        series_decomposition.series_decompose_anomalies(json.dumps(values.tolist()), 1.5, -1, "avg", 0, "ctukey", 0.6)
    )
    flags = {at: flag for at, flag in enumerate(found["ad_flag"]) if flag}
    assert flags == {150: -1, 200: -1, 300: 1, 600: 1}


@pytest.mark.parametrize(
    ("trend", "test_points", "method"),
    [("steep", 0, "ctukey"), ("avg", 3, "ctukey"), ("avg", -1, "ctukey"), ("avg", 0, "x")],
)
def test_decomposition_refuses_what_makes_no_sense(trend: str, test_points: int, method: str) -> None:
    found = series_decomposition.series_decompose_anomalies("[1,2,3]", 1.5, -1, trend, test_points, method, 0.6)
    assert found is None


def test_outliers() -> None:
    values = [*range(1, 10), 100]
    found = listed(series_decomposition.series_outliers(json.dumps(values), "tukey", None, 10, 90, 0))
    low, high = np.percentile(values, [25, 75])
    assert found[-1] == pytest.approx((100 - high) / (high - low))
    assert found[4] == 0
    assert found[0] < 0


def test_outliers_ignore_nulls_and_the_ignored_value() -> None:
    found = listed(series_decomposition.series_outliers("[1,2,null,3,-1,2,50]", "ctukey", -1, 10, 90, 0))
    assert found[2] == 0
    assert found[4] == 0
    assert found[6] > 0
    assert listed(series_decomposition.series_outliers("[null]", "ctukey", None, 10, 90, 0)) == [0]
    assert series_decomposition.series_outliers("[1]", "ctukey", None, 1, 90, 0) is None
    assert series_decomposition.series_outliers("[1]", "other", None, 10, 90, 0) is None
    assert series_decomposition.series_outliers(None, "tukey", None, 10, 90, 0) is None


def test_a_spike_in_a_level_series_is_an_outlier() -> None:
    found = listed(
        series_decomposition.series_outliers(json.dumps([0] * 50 + [1] + [0] * 50), "ctukey", None, 10, 90, 0)
    )
    assert found[50] > 1.5
    assert sum(map(abs, found)) == found[50]


@pytest.mark.parametrize(
    ("function", "series", "placeholder", "expected"),
    [
        ("forward", "[null,null,36,41,null,null,16]", None, [None, None, 36, 41, 41, 41, 16]),
        ("backward", "[111,null,36,41,null,16,null]", None, [111, 36, 36, 41, 16, 16, None]),
        ("forward", "[0,5,0,null]", 0.0, [0, 5, 5, None]),
        ("backward", "[]", None, []),
    ],
)
def test_carried_values(function: str, series: str, placeholder: float | None, expected: object) -> None:
    found = getattr(series_fills, f"series_fill_{function}")(series, placeholder)
    assert json.loads(found) == expected


@pytest.mark.parametrize(
    ("series", "edges", "constant", "expected"),
    [
        ("[null,111.0,null,36.0,null]", True, 0.0, "[111.0,111.0,73.5,36.0,36.0]"),
        ("[null,111,null,36,null]", True, 0.0, "[111,111,73,36,36]"),
        ("[null,111,null,36,null]", False, 0.0, "[null,111,73,36,null]"),
        ("[null,null]", True, 3.14159, "[3.14159,3.14159]"),
        ("[null,null]", True, None, "[null,null]"),
        ("[]", True, 0.0, "[]"),
    ],
)
def test_interpolated_values(series: str, edges: bool, constant: float | None, expected: str) -> None:
    assert series_fills.series_fill_linear(series, None, edges, constant) == expected


def test_fills_of_what_is_no_array() -> None:
    assert series_fills.series_fill_forward("{}", None) is None
    assert series_fills.series_fill_linear(None, None, True, 0) is None


def test_statistics() -> None:
    found = decoded(series_statistics.series_stats("[23,46,23,87,4,8,3,75,2,56,13,75,32,16,29]", False))
    assert found == pytest.approx(
        {"min": 2, "min_idx": 8, "max": 87, "max_idx": 3, "avg": 32.8, "stdev": 28.503633853548269,
         "variance": 812.45714285714291, "sum": 492, "len": 15}
    )  # fmt: skip


def test_statistics_of_what_is_not_finite() -> None:
    assert set(decoded(series_statistics.series_stats('[1,null,"NaN"]', False)).values()) == {None}  # type: ignore[type-var]
    known = decoded(series_statistics.series_stats('[1,null,3,"Infinity"]', True))
    assert (known["min_idx"], known["max_idx"], known["len"]) == (0, 2, 2)
    assert set(decoded(series_statistics.series_stats("[]", True)).values()) == {None}  # type: ignore[type-var]
    assert series_statistics.series_stats("1", True) is None


def test_numbers_too_large_to_square_are_not_fitted() -> None:
    with np.errstate(all="ignore"):
        found = decoded(series_fits.series_fit_line("[1,1e300,2]"))
    assert found["slope"] is None
    assert found["line_fit"] == [None] * 3
