"""Series taken apart into season, trend and rest; anomalies in the rest."""

from __future__ import annotations

import dataclasses

import numpy as np

from vedette.kql.native import series_fits, series_periods
from vedette.kql.native.series_values import Reals, reals, written

DETECT = -1
_SEASONAL_THRESHOLD = 0.7
_TRENDS = ("avg", "linefit", "none")
_PERCENTILES = {"tukey": (25.0, 75.0), "ctukey": (10.0, 90.0)}
_RANGE = (2.0, 98.0)


@dataclasses.dataclass(frozen=True, slots=True)
class Decomposition:
    """The components of a series, as long as it."""

    values: Reals
    seasonal: Reals
    trend: Reals

    @property
    def baseline(self) -> Reals:
        """What season and trend predict."""
        return self.seasonal + self.trend

    @property
    def residual(self) -> Reals:
        """What they do not explain."""
        return self.values - self.baseline


def _period(learned: Reals, wanted: int, threshold: float) -> int:
    """The period to use, 0 for none."""
    if wanted != DETECT:
        return max(wanted, 0)
    found = series_periods.detected(learned, series_periods.SHORTEST, learned.size)
    return found[0][0] if found and found[0][1] >= threshold else 0


def seasonal_component(values: Reals, test_points: int, wanted: int, threshold: float) -> Reals:
    """For each point the median of the points of the same phase, zeros where there is no period."""
    learned = values[: values.size - test_points]
    period = _period(learned, wanted, threshold)
    if not 0 < period < learned.size:
        return np.zeros(values.size)
    medians = np.array([_median(learned[phase::period]) for phase in range(period)])
    return np.asarray(medians[np.arange(values.size) % period])


def _median(values: Reals) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else 0.0


def _trend(values: Reals, test_points: int, kind: str) -> Reals:
    learned = values[: values.size - test_points]
    known = ~np.isnan(learned)
    if kind == "none" or not known.any():
        return np.zeros(values.size)
    if kind == "avg" or known.sum() == 1:
        return np.full(values.size, float(learned[known].mean()))
    places = np.arange(1.0, values.size + 1)
    fit = series_fits.polynomial(places[: learned.size][known], learned[known], 1)
    return np.asarray(np.polyval(fit.coefficients, places))


def decomposed(series: str, seasonality: int, trend: str, test_points: int, threshold: float) -> Decomposition | None:
    """The components, None where the arguments make no sense."""
    values = reals(series)
    if values is None or not values.size or trend not in _TRENDS or not 0 <= test_points < values.size:
        return None
    seasonal = seasonal_component(values, test_points, seasonality, threshold)
    return Decomposition(values, seasonal, _trend(values - seasonal, test_points, trend))


def series_seasonal(series: str, period: int, test_points: int) -> str | None:
    """The seasonal component."""
    values = reals(series)
    if values is None or not 0 <= test_points <= values.size:
        return None
    return written(seasonal_component(values, test_points, period, _SEASONAL_THRESHOLD) if values.size else values)


def series_decompose(series: str, seasonality: int, trend: str, test_points: int, threshold: float) -> str | None:
    """All components."""
    found = decomposed(series, seasonality, trend, test_points, threshold)
    return None if found is None else _written(found)


def series_decompose_forecast(
    series: str, test_points: int, seasonality: int, trend: str, threshold: float
) -> str | None:
    """The components learned without the last points: the baseline predicts those."""
    return series_decompose(series, seasonality, trend, test_points, threshold)


def _written(found: Decomposition) -> str:
    return written(
        {
            "baseline": found.baseline,
            "seasonal": found.seasonal,
            "trend": found.trend,
            "residual": found.residual,
        }
    )


def series_decompose_anomalies(  # noqa: PLR0917 - the function's own parameters
    series: str, limit: float, seasonality: int, trend: str, test_points: int, method: str, threshold: float
) -> str | None:
    """Points whose rest scores beyond a limit."""
    found = decomposed(series, seasonality, trend, test_points, threshold)
    if found is None or method not in _PERCENTILES:
        return None
    scores = outlier_scores(found.residual, _PERCENTILES[method], test_points)
    flags = np.where(scores > limit, 1, np.where(scores < -limit, -1, 0))
    return written({"ad_flag": flags, "ad_score": scores, "baseline": found.baseline})


def outlier_scores(values: Reals, percentiles: tuple[float, float], test_points: int = 0) -> Reals:
    """How far each point is outside the range between two percentiles, in widths of that range."""
    learned = values[: values.size - test_points]
    known = learned[~np.isnan(learned)]
    if not known.size:
        return np.zeros(values.size)
    low, high = np.percentile(known, percentiles)
    # Where most points are equal the range is empty: then any other point is as far outside as can be told.
    width = max(high - low, float(np.finfo(np.float64).eps) * max(1.0, abs(high), abs(low)))
    outside = np.where(values > high, values - high, np.where(values < low, values - low, 0.0))
    return np.asarray(np.nan_to_num(outside / width))


def series_outliers(  # noqa: PLR0917 - the function's own parameters
    series: str | None,
    kind: str,
    ignored: float | None,
    lowest: float | None,
    highest: float | None,
    test_points: int | None,
) -> str | None:
    """Tukey's test: the score of each point, 0 of nulls and of the value to ignore."""
    values = None if series is None else reals(series)
    if values is None or kind not in _PERCENTILES or lowest is None or highest is None or test_points is None:
        return None
    percentiles = (lowest, highest) if kind == "ctukey" else _PERCENTILES[kind]
    if not _RANGE[0] <= percentiles[0] < percentiles[1] <= _RANGE[1] or not 0 <= test_points <= values.size:
        return None
    if ignored is not None:
        values = np.where(values == ignored, np.nan, values)
    return written(outlier_scores(values, percentiles, test_points))
