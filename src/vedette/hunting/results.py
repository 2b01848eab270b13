"""What a hunting query answers: typed columns, statistics, and fast conversion to JSON values.

Conversion works a column at a time; a value never passes through a Python datetime, which would cut its 7th digit.
"""

import math
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vedette.clock import TICKS_PER_SECOND, UNIX_EPOCH_TICKS
from vedette.kql.compiled import ResultColumn
from vedette.kql.types import ScalarType

DynamicForm = Literal["json", "text"]
"""How dynamic values come out: `json` as parts of the answer (`msgspec.Raw`), `text` as strings of JSON."""

JsonColumn = list[object]
Ticks = npt.NDArray[np.int64]


class QueryStatistics(msgspec.Struct, frozen=True):
    """What an execution took. Seconds and bytes; `cpu` is the engine's own time over all its threads."""

    elapsed: float
    cpu: float
    peak_memory: int
    rows_scanned: int
    bytes_read: int
    rows: int
    size: int
    """Bytes of the result in columns."""


class Results(msgspec.Struct, frozen=True, eq=False):
    """One answer. `data` has a column per entry of `columns`, by position; names need not be distinct.

    `name` is what a further result of a query is called, if it is; `render` has the instructions of `render`, its kind
    of chart under `visualization`.
    """

    columns: tuple[ResultColumn, ...]
    data: pa.Table
    statistics: QueryStatistics
    truncated: bool = False
    render: Mapping[str, str] | None = None
    name: str | None = None

    def values(self, dynamic: DynamicForm = "json") -> list[JsonColumn]:
        """JSON-ready values, one list a column."""
        convert = {**_CONVERTERS, ScalarType.DYNAMIC: _raw_json if dynamic == "json" else _plain}
        return [convert[column.type](self.data.column(index)) for index, column in enumerate(self.columns)]

    def rows(self, dynamic: DynamicForm = "json") -> list[dict[str, object]]:
        """JSON-ready rows by column name, in order of the columns."""
        names = [column.name for column in self.columns]
        if not names:
            return [{} for _ in range(self.data.num_rows)]
        return [dict(zip(names, row, strict=True)) for row in zip(*self.values(dynamic), strict=True)]


def _plain(values: pa.ChunkedArray) -> JsonColumn:
    if values.null_count == 0 and pa.types.is_integer(values.type):
        result: JsonColumn = values.to_numpy().tolist()
        return result
    plain: JsonColumn = values.to_pylist()
    return plain


def _reals(values: pa.ChunkedArray) -> JsonColumn:
    """JSON has no NaN and no infinity: they are sent by name, as the service's engine does."""
    numbers: list[float | None] = values.to_pylist()
    if pc.all(pc.is_finite(values), skip_nulls=True).as_py() is not False:
        return list(numbers)
    return [value if value is None or math.isfinite(value) else _name(value) for value in numbers]


def _name(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _texts(values: pa.ChunkedArray) -> JsonColumn:
    return [None if value is None else str(value) for value in values.to_pylist()]


def _raw_json(values: pa.ChunkedArray) -> JsonColumn:
    return [None if value is None else msgspec.Raw(value.encode()) for value in values.to_pylist()]


def _datetimes(values: pa.ChunkedArray) -> JsonColumn:
    return _from_ticks(values, _format_datetimes)


def _timespans(values: pa.ChunkedArray) -> JsonColumn:
    return _from_ticks(values, _format_timespans)


def _from_ticks(values: pa.ChunkedArray, write: Callable[[Ticks], JsonColumn]) -> JsonColumn:
    """Format only distinct values, and let nulls through."""
    encoded = values.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    texts = [*write(encoded.dictionary.to_numpy(zero_copy_only=False)), None]
    indices = pc.fill_null(encoded.indices, len(texts) - 1).to_numpy(zero_copy_only=False)
    return [texts[index] for index in indices.tolist()]


def _format_datetimes(ticks: Ticks) -> JsonColumn:
    """`2026-11-23T05:49:45.1234567Z` for every value."""
    seconds, fraction = np.divmod(ticks - UNIX_EPOCH_TICKS, TICKS_PER_SECOND)
    moments = np.datetime_as_string(seconds.astype("datetime64[s]"), unit="s").tolist()
    return [f"{moment}.{part:07d}Z" for moment, part in zip(moments, fraction.tolist(), strict=True)]


def _format_timespans(ticks: Ticks) -> JsonColumn:
    return [format_timespan(value) for value in ticks.tolist()]


def format_timespan(ticks: int) -> str:
    """`[-][d.]hh:mm:ss[.fffffff]`: days and fraction only where they are not zero."""
    seconds, fraction = divmod(abs(ticks), TICKS_PER_SECOND)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    sign = "-" if ticks < 0 else ""
    day = f"{days}." if days else ""
    digits = f".{fraction:07d}" if fraction else ""
    return f"{sign}{day}{hour:02d}:{minute:02d}:{second:02d}{digits}"


_CONVERTERS: Mapping[ScalarType, Callable[[pa.ChunkedArray], JsonColumn]] = {
    ScalarType.BOOL: _plain,
    ScalarType.INT: _plain,
    ScalarType.LONG: _plain,
    ScalarType.REAL: _reals,
    ScalarType.DECIMAL: _texts,
    ScalarType.STRING: _plain,
    ScalarType.DATETIME: _datetimes,
    ScalarType.TIMESPAN: _timespans,
    ScalarType.GUID: _texts,
}
