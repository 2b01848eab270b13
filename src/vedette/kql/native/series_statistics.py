"""Statistics of series."""

from __future__ import annotations

import numpy as np

from vedette.kql.native.series_values import reals, written

NAMES = ("min", "min_idx", "max", "max_idx", "avg", "stdev", "variance", "sum", "len")


def series_stats(series: str, ignore_nonfinite: bool) -> str | None:
    """Extremes with their first places, mean, spread, sum and length."""
    values = reals(series)
    if values is None:
        return None
    finite = np.isfinite(values)
    if not finite.any() or not (ignore_nonfinite or finite.all()):
        return written(dict.fromkeys(NAMES))
    known = values[finite]
    variance = float(known.var(ddof=1)) if known.size > 1 else 0.0
    lowest, highest = float(known.min()), float(known.max())
    figures = (
        lowest, int(np.argmax(values == lowest)), highest, int(np.argmax(values == highest)),
        float(known.mean()), variance**0.5, variance, float(known.sum()), int(known.size),
    )  # fmt: skip
    return written(dict(zip(NAMES, figures, strict=True)))
