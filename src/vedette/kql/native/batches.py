"""From functions of rows or columns to functions of Arrow columns, which is how an engine calls them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

Batch = Callable[..., pa.Array]

_ARROW: Mapping[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
}


def over_rows(function: Callable[..., object], arity: int, result: str, *, takes_nulls: bool = False) -> Batch:
    """Call `function` once a row; a null among its arguments gives null unless it `takes_nulls`."""
    type_ = _ARROW[result]

    def run(*columns: pa.ChunkedArray) -> pa.Array:
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        if takes_nulls:
            return pa.array([function(*row) for row in rows], type_)
        return pa.array([None if None in row else function(*row) for row in rows], type_)

    return _with_arity(run, arity)


def over_columns(function: Callable[..., object], arity: int, result: str) -> Batch:
    """Call `function` once a batch with the rows that have no null: numbers as numpy arrays, text as lists.

    It gives one value a row, None or NaN where there is none.
    """
    type_ = _ARROW[result]

    def run(*columns: pa.ChunkedArray) -> pa.Array:
        present = np.logical_and.reduce([np.asarray(column.is_valid()) for column in columns])
        values = function(*(_plain(column.filter(pa.array(present))) for column in columns))
        places = np.where(present, np.cumsum(present) - 1, -1)
        return _array(values, type_).take(pa.array(places, mask=~present))

    return _with_arity(run, arity)


def _plain(column: pa.ChunkedArray) -> Any:
    return column.to_pylist() if pa.types.is_string(column.type) else column.to_numpy()


def _array(values: object, type_: pa.DataType) -> pa.Array:
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        return pa.array(values, type_, mask=np.isnan(values))
    return pa.array(values, type_)


def _with_arity(run: Callable[..., pa.Array], arity: int) -> Batch:
    """The same function, showing the number of its parameters, which engines check."""
    names = [inspect.Parameter(f"column{at}", inspect.Parameter.POSITIONAL_ONLY) for at in range(arity)]
    run.__signature__ = inspect.Signature(names)  # type: ignore[attr-defined]
    return run
