"""From functions of rows or columns to functions of Arrow columns, which is how an engine calls them."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Batch = Callable[..., pa.Array]

_ARROW: Mapping[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
}


class Texts(NamedTuple):
    """A column of text: its distinct values, and which of them each row has."""

    distinct: Sequence[str]
    codes: NDArray[np.int64]

    def groups(self) -> Iterable[tuple[str, NDArray[np.int64]]]:
        """Each distinct value with the rows that have it."""
        if len(self.distinct) == 1:
            return [(self.distinct[0], np.arange(self.codes.size))]
        return ((text, np.flatnonzero(self.codes == code)) for code, text in enumerate(self.distinct))


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """What a function takes and gives: number of parameters, SQL type of the result, parameters that are constant."""

    arity: int
    result: str
    constants: Mapping[int, str] = dataclasses.field(default_factory=dict)

    @property
    def passed(self) -> int:
        """How many columns come in."""
        return self.arity - len(self.constants)

    def filled(self, passed: Iterable[Any], constant: Callable[[str], Any]) -> list[Any]:
        """What is passed with the constants between."""
        given = iter(passed)
        return [
            constant(self.constants[place]) if place in self.constants else next(given) for place in range(self.arity)
        ]


def over_rows(function: Callable[..., object], shape: Shape, *, takes_nulls: bool = False) -> Batch:
    """Call `function` once a row; a null among its arguments gives null unless it `takes_nulls`."""
    type_ = _ARROW[shape.result]

    def run(*columns: pa.ChunkedArray) -> pa.Array:
        values = shape.filled((column.to_pylist() for column in columns), itertools.repeat)
        rows = zip(*values, strict=False)
        with np.errstate(all="ignore"):  # infinities and NaN are results like others
            found = [None if None in row and not takes_nulls else function(*row) for row in rows]
        return pa.array(found, type_)

    return _with_arity(run, shape.passed)


def over_columns(function: Callable[..., object], shape: Shape) -> Batch:
    """Call `function` once a batch with the rows that have no null: numbers as numpy arrays, text as `Texts`.

    It gives one value a row, None or NaN where there is none.
    """
    type_ = _ARROW[shape.result]

    def run(*columns: pa.ChunkedArray) -> pa.Array:
        present = np.logical_and.reduce([np.asarray(column.is_valid()) for column in columns])
        if not present.any():
            return pa.nulls(present.size, type_)
        count = int(present.sum())
        kept = (_plain(column.filter(pa.array(present))) for column in columns)
        with np.errstate(all="ignore"):
            values = function(*shape.filled(kept, lambda text: Texts([text], np.zeros(count, np.int64))))
        places = np.where(present, np.cumsum(present) - 1, -1)
        return _array(values, type_).take(pa.array(places, mask=~present))

    return _with_arity(run, shape.passed)


def _plain(column: pa.ChunkedArray) -> Any:
    if not pa.types.is_string(column.type):
        return column.to_numpy()
    encoded = column.combine_chunks().dictionary_encode()
    return Texts(encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64))


def _array(values: object, type_: pa.DataType) -> pa.Array:
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        return pa.array(values, type_, mask=np.isnan(values))
    return pa.array(values, type_)


def _with_arity(run: Callable[..., pa.Array], arity: int) -> Batch:
    """The same function, showing the number of its parameters, which engines check."""
    names = [inspect.Parameter(f"column{at}", inspect.Parameter.POSITIONAL_ONLY) for at in range(arity)]
    run.__signature__ = inspect.Signature(names)  # type: ignore[attr-defined]
    return run
