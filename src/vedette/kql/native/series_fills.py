"""Missing values of series replaced by what is around them. Elements keep their types."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from vedette.kql.native.geojson import is_number
from vedette.kql.native.series_values import elements, written


def _is_missing(element: object, placeholder: float | None) -> bool:
    if placeholder is None:
        return element is None
    return is_number(element) and element == placeholder


def series_fill_forward(series: str | None, placeholder: float | None) -> str | None:
    """Missing values take the nearest value to their left; the first ones stay."""
    values = None if series is None else elements(series)
    return None if values is None else written(_carried(values, placeholder))


def series_fill_backward(series: str | None, placeholder: float | None) -> str | None:
    """Missing values take the nearest value to their right; the last ones stay."""
    values = None if series is None else elements(series)
    return None if values is None else written(_carried(values[::-1], placeholder)[::-1])


def _carried(values: Iterable[Any], placeholder: float | None) -> list[Any]:
    found: list[Any] = []
    for each in values:
        found.append(found[-1] if found and _is_missing(each, placeholder) else each)
    return found


def series_fill_linear(
    series: str | None, placeholder: float | None, fill_edges: bool | None, constant: float | None
) -> str | None:
    """Missing values lie on the line between their neighbours; whole numbers stay whole."""
    values = None if series is None else elements(series)
    if values is None or fill_edges is None:
        return None
    known = [at for at, each in enumerate(values) if not _is_missing(each, placeholder)]
    if not known:
        return written([constant] * len(values))
    whole = all(isinstance(values[at], int) for at in known)
    for left, right in itertools.pairwise(known):
        _bridge(values, left, right, whole)
    if fill_edges:
        values[: known[0]] = [values[known[0]]] * known[0]
        values[known[-1] + 1 :] = [values[known[-1]]] * (len(values) - known[-1] - 1)
    return written(values)


def _bridge(values: list[Any], left: int, right: int, whole: bool) -> None:
    """Fill between two known values. Fractions of whole numbers are cut off, as in the page's example."""
    ends: Sequence[Any] = (values[left], values[right])
    if not all(is_number(each) for each in ends):
        return
    for at in range(left + 1, right):
        value = ends[0] + (ends[1] - ends[0]) * (at - left) / (right - left)
        values[at] = int(value) if whole else value
