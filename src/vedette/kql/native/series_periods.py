"""Periods of series, found by spectrum and confirmed by autocorrelation.

The pages say what the score measures, not how it is computed. Our reading, which gives the pages' figures: the lower
of the autocorrelations at one and at two periods, so that a period has to repeat at least twice.
"""

from __future__ import annotations

import numpy as np

from vedette.kql.native.series_values import Reals, elements, real, reals, written

SHORTEST = 4
_MOST_PERIODS = 16
_BETTER = 0.01
"""How much better than a period a multiple of it has to score to count as another one."""


def autocorrelations(values: Reals) -> Reals:
    """Autocorrelation at every lag, each over as many pairs as there are."""
    size = values.size
    deviations = np.nan_to_num(values - np.nanmean(values))
    spectrum = np.fft.rfft(deviations, 2 * size)
    sums = np.fft.irfft(spectrum * spectrum.conj(), 2 * size)[:size]
    if sums[0] <= 0:
        return np.zeros(size)
    return np.asarray(sums / sums[0] * size / (size - np.arange(size)))


def score(correlations: Reals, period: int) -> float:
    """How significant a period is, from 0 to 1. 0 where the series holds less than two of it."""
    if period < SHORTEST or 2 * period >= correlations.size:
        return 0.0
    return float(min(max(min(correlations[period], correlations[2 * period]), 0.0), 1.0))


def detected(values: Reals, shortest: float, longest: float) -> list[tuple[int, float]]:
    """Periods and their scores, the most significant first."""
    if values.size <= 2 * SHORTEST or np.isnan(values).all():
        return []
    correlations = autocorrelations(values)
    found: dict[int, float] = {}
    for first, last in _peaks(values):
        lags = np.arange(max(first, SHORTEST), min(last, (values.size - 1) // 2) + 1)
        if lags.size:
            period = int(lags[np.argmax(correlations[lags])])
            if correlations[period] >= max(correlations[period - 1], correlations[period + 1]):
                found[period] = score(correlations, period)
    within = {period: value for period, value in found.items() if shortest <= period <= longest and value > 0}
    distinct = [each for each in sorted(within.items()) if not _is_repetition(each, within)]
    return sorted(distinct, key=lambda each: -each[1])


def _peaks(values: Reals) -> list[tuple[int, int]]:
    """Ranges of periods around the peaks of the spectrum that stand out of it."""
    power = np.abs(np.fft.rfft(np.nan_to_num(values - np.nanmean(values)))) ** 2
    power[0] = 0
    inner = np.concatenate([power, [0.0]])
    peaks = [k for k in range(1, power.size) if inner[k] >= inner[k - 1] and inner[k] > inner[k + 1]]
    floor = power[1:].mean()
    size = values.size
    return [(int(np.ceil(size / (k + 0.5))), int(size / (k - 0.5))) for k in peaks if power[k] > floor]


def _is_repetition(candidate: tuple[int, float], found: dict[int, float]) -> bool:
    """Whether a period is but a multiple of a shorter one that explains the series as well."""
    period, value = candidate
    return any(
        shorter < period and abs(period - round(period / shorter) * shorter) <= 1 and value <= own + _BETTER
        for shorter, own in found.items()
    )


def series_periods_detect(series: str, shortest: float, longest: float, count: int) -> str | None:
    """The `count` most significant periods with their scores, filled up with zeros."""
    values = reals(series)
    if values is None or count < 0:
        return None
    found = detected(values, shortest, longest)[:count]
    padded = [*found, *[(0, 0.0)] * (count - len(found))]
    return written({"periods": [float(period) for period, _ in padded], "scores": [value for _, value in padded]})


def series_periods_validate(series: str, periods: str) -> str | None:
    """The scores of given periods."""
    values, wanted = reals(series), elements(periods)
    if values is None or wanted is None or len(wanted) > _MOST_PERIODS:
        return None
    correlations = autocorrelations(values) if values.size and not np.isnan(values).all() else values
    lengths = [real(each) for each in wanted]
    scores = [score(correlations, round(each)) if np.isfinite(each) else 0.0 for each in lengths]
    return written({"periods": lengths, "scores": scores})
