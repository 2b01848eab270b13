"""Filters and transforms of series: finite and infinite impulse response, Fourier."""

from __future__ import annotations

import numpy as np

from vedette.kql.native.series_values import Reals, finite, reals, written

_MANY_PRODUCTS = 200_000_000
"""More products than this are computed by spectrum, which is faster and has rounding errors where zeros should be."""

BY_SIGN = -1
"""The value of `normalize` where a query gives none: only filters without negative coefficients are normalized."""


def series_fir(series: str, coefficients: str, normalize: int, center: bool) -> str | None:
    """Convolution with a filter. Before the first point, and after the last, the series counts as 0."""
    values, weights = reals(series), finite(coefficients)
    if values is None or weights is None:
        return None
    negative = bool((weights < 0).any())
    if normalize == BY_SIGN:
        normalize = int(not negative)
    if normalize:
        if negative:
            return None
        weights = weights / weights.sum()
    delay = (weights.size - 1) // 2 if center else 0
    return written(_convolved(values, weights)[delay : delay + values.size])


def series_iir(series: str, numerators: str, denominators: str) -> str | None:
    """The recursive filter: numerators weigh the input, denominators the output so far."""
    values, forward, backward = reals(series), finite(numerators), finite(denominators)
    if values is None or forward is None or backward is None or backward[0] == 0:
        return None
    driven = _convolved(values, forward)[: values.size] / backward[0]
    weights = backward[:0:-1] / backward[0]
    found = np.zeros(weights.size + values.size)
    for at, value in enumerate(driven):
        found[weights.size + at] = value - weights @ found[at : at + weights.size]
    return written(found[weights.size :])


def _convolved(values: Reals, weights: Reals) -> Reals:
    """Convolution, by spectrum where both are long."""
    if not values.size or values.size * weights.size < _MANY_PRODUCTS or np.isnan(values).any():
        return np.convolve(values, weights) if values.size else values
    size = values.size + weights.size - 1
    return np.asarray(np.fft.irfft(np.fft.rfft(values, size) * np.fft.rfft(weights, size), size))


def series_fft(series: str, imaginary: str) -> str | None:
    """From time to frequency, real and imaginary parts apart."""
    return _transformed(series, imaginary, inverse=False)


def series_ifft(series: str, imaginary: str) -> str | None:
    """From frequency to time."""
    return _transformed(series, imaginary, inverse=True)


def _transformed(series: str, imaginary: str, *, inverse: bool) -> str | None:
    real = finite(series)
    if real is None:
        return None
    other = finite(imaginary) if imaginary else np.zeros_like(real)
    if other is None or other.size != real.size:
        return None
    values = real + 1j * other
    found = np.fft.ifft(values) if inverse else np.fft.fft(values)
    return written({"real": found.real, "imag": found.imag})
