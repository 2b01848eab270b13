"""Series in and out: JSON arrays as numpy arrays. What is no number is NaN inside and null in JSON."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from vedette.kql.native.geojson import is_number

Reals = NDArray[np.float64]

_NOT_FINITE = {"NaN": np.nan, "nan": np.nan, "Infinity": np.inf, "inf": np.inf, "-Infinity": -np.inf, "-inf": -np.inf}


def elements(text: str) -> list[Any] | None:
    """The elements of a JSON array, None of anything else."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return value if isinstance(value, list) else None


def real(element: object) -> float:
    """An element as a number, NaN where it is none."""
    if is_number(element):
        return float(element)  # type: ignore[arg-type]
    return _NOT_FINITE.get(element, np.nan) if isinstance(element, str) else np.nan


def reals(text: str) -> Reals | None:
    """A JSON array as numbers, None of anything else."""
    found = elements(text)
    return None if found is None else np.array([real(each) for each in found], dtype=np.float64)


def finite(text: str) -> Reals | None:
    """A JSON array as numbers, None where it is empty or holds anything but finite numbers."""
    found = reals(text)
    return found if found is not None and found.size and bool(np.isfinite(found).all()) else None


def written(value: object) -> str:
    """JSON text of numbers, lists, bags and numpy arrays in them. NaN and infinities are null."""
    return msgspec.json.encode(value, enc_hook=_plain).decode()


def _plain(value: Any) -> object:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    raise NotImplementedError(type(value).__name__)
