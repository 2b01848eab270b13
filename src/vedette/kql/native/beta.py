"""The beta distribution and Welch's test, by the continued fraction of the incomplete beta function (DLMF 8.17.22)."""

from __future__ import annotations

import math

_TINY = 1e-300
_STEPS = 500
_BISECTIONS = 200


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction, by Lentz's method."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > _TINY else _TINY)
    result = d
    for m in range(1, _STEPS):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + factor * d
            c = 1 + factor / c
            d = 1 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            result *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return result


def _regularized(x: float, a: float, b: float) -> float:
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def beta_cdf(x: float, alpha: float, beta: float) -> float | None:
    """The cumulative distribution, None outside the parameters' range."""
    if alpha <= 0 or beta <= 0 or not 0 <= x <= 1:
        return None
    return _regularized(x, alpha, beta)


def beta_pdf(x: float, alpha: float, beta: float) -> float | None:
    """The density, None outside the parameters' range."""
    if alpha <= 0 or beta <= 0 or not 0 < x < 1:
        return None
    constant = math.lgamma(alpha + beta) - math.lgamma(alpha) - math.lgamma(beta)
    return math.exp(constant + (alpha - 1) * math.log(x) + (beta - 1) * math.log1p(-x))


def beta_inv(probability: float, alpha: float, beta: float) -> float | None:
    """The inverse of the cumulative distribution, None outside the parameters' range."""
    if alpha <= 0 or beta <= 0 or not 0 <= probability <= 1:
        return None
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _regularized(middle, alpha, beta) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def welch_test(  # noqa: PLR0917 - the function's own parameters
    mean1: float, variance1: float, count1: float, mean2: float, variance2: float, count2: float
) -> float | None:
    """The two-sided p value of Welch's t-test (Satterthwaite's degrees of freedom)."""
    if count1 < 2 or count2 < 2:
        return None
    first, second = variance1 / count1, variance2 / count2
    if first + second <= 0:
        return None
    freedom = (first + second) ** 2 / (first**2 / (count1 - 1) + second**2 / (count2 - 1))
    squared = (mean1 - mean2) ** 2 / (first + second)
    return _regularized(freedom / (freedom + squared), freedom / 2, 0.5)
