"""Lines and polynomials fitted to series by least squares. The points of a series are numbered from 1."""

from __future__ import annotations

import dataclasses

import numpy as np

from vedette.kql.native.series_values import Reals, finite, written

_SEGMENT = 2
"""The fewest points of a segment."""
_LARGEST_DEGREE = 100
_LARGEST = 1e150
"""Numbers whose squares overflow are not fitted: the results are NaN."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fit:
    """A fitted curve over the points it was fitted to. `coefficients` begin with that of the highest power."""

    values: Reals
    coefficients: Reals
    fitted: Reals

    @property
    def variance(self) -> float:
        """Variance of the points."""
        return variance(self.values)

    @property
    def residual_variance(self) -> float:
        """Variance of the distances from the curve."""
        return variance(self.values - self.fitted)

    @property
    def rsquare(self) -> float:
        """How much of the variance the curve explains."""
        return explained(self.residual_variance, self.variance)


def variance(values: Reals) -> float:
    """Sample variance, NaN of fewer than two points."""
    return float(values.var(ddof=1)) if values.size > 1 else np.nan


def explained(residual: float, total: float) -> float:
    """R-square. NaN where there is no variance to explain."""
    return 1 - residual / total if total else np.nan


def polynomial(x: Reals, y: Reals, degree: int) -> Fit:
    """The polynomial nearest to the points."""
    powers = np.vander(x, degree + 1)
    scale = np.sqrt((powers * powers).sum(axis=0))
    scale[scale == 0] = 1
    if not np.isfinite(scale).all() or float(np.abs(y).max()) > _LARGEST:
        return Fit(y, np.full(degree + 1, np.nan), np.full(y.size, np.nan))
    coefficients = np.linalg.lstsq(powers / scale, y, rcond=x.size * np.finfo(np.float64).eps)[0] / scale
    return Fit(y, coefficients, powers @ coefficients)


def line(y: Reals) -> Fit:
    """The line nearest to the points of a series."""
    return polynomial(np.arange(1.0, y.size + 1), y, 1)


def series_fit_line(series: str) -> str | None:
    """The line and how well it fits."""
    y = finite(series)
    if y is None:
        return None
    return written({**_line(line(y)), "line_fit": line(y).fitted})


def _line(fit: Fit) -> dict[str, object]:
    slope, interception = fit.coefficients.tolist()
    return {
        "rsquare": fit.rsquare,
        "slope": slope,
        "variance": fit.variance,
        "rvariance": fit.residual_variance,
        "interception": interception,
    }


def series_fit_2lines(series: str) -> str | None:
    """Two lines, each over its part of the series, with the parts' figures side by side."""
    fits = _two_lines(series)
    if fits is None:
        return None
    sides = {side: _line(fits[side]) for side in ("right", "left")}
    flat = {f"{side}_{name}": value for side, figures in sides.items() for name, value in figures.items()}
    return written({**_both(fits), **flat})


def series_fit_2lines_dynamic(series: str) -> str | None:
    """As `series_fit_2lines`, the figures of each part in a bag of its own."""
    fits = _two_lines(series)
    if fits is None:
        return None
    return written({**_both(fits), "right": _line(fits["right"]), "left": _line(fits["left"])})


def _two_lines(series: str) -> dict[str, Fit] | None:
    y = finite(series)
    if y is None or y.size < 2 * _SEGMENT:
        return None
    splits = np.arange(_SEGMENT, y.size - _SEGMENT + 1)
    left = _squares_before(y)
    right = _squares_before(y[::-1])
    best = int(splits[np.argmin(left[splits] + right[y.size - splits])])
    return {"left": line(y[:best]), "right": line(y[best:])}


def _squares_before(y: Reals) -> Reals:
    """For every length of the beginning of a series, the squared distances from the line nearest to it, summed."""
    y = y - y.mean()
    n = np.arange(y.size + 1, dtype=np.float64)
    n[0] = 1
    x = np.arange(y.size, dtype=np.float64)
    sx, sy, sxx, sxy, syy = (np.concatenate([[0.0], np.cumsum(each)]) for each in (x, y, x * x, x * y, y * y))
    across, along = sxy - sx * sy / n, sxx - sx * sx / n
    along[along == 0] = np.inf
    return np.asarray(syy - sy * sy / n - across * across / along)


def _both(fits: dict[str, Fit]) -> dict[str, object]:
    left, right = fits["left"], fits["right"]
    whole = Fit(
        np.concatenate([left.values, right.values]), left.coefficients, np.concatenate([left.fitted, right.fitted])
    )
    return {
        "rsquare": whole.rsquare,
        "split_idx": left.values.size,
        "variance": whole.variance,
        "rvariance": whole.residual_variance,
        "line_fit": whole.fitted,
    }


def series_fit_poly(series: str, positions: str, degree: int) -> str | None:
    """The polynomial of a degree over given positions, by default 1, 2, 3, …"""
    y = finite(series)
    if y is None or not 0 < degree <= _LARGEST_DEGREE:
        return None
    x = finite(positions) if positions else np.arange(1.0, y.size + 1)
    if x is None or x.size != y.size:
        return None
    fit = polynomial(x, y, degree)
    return written(
        {
            "rsquare": fit.rsquare,
            "coefficients": fit.coefficients,
            "variance": fit.variance,
            "rvariance": fit.residual_variance,
            "poly_fit": fit.fitted,
        }
    )
