"""Text and JSON values from outside as columns of KQL types. What does not convert is null; a string never is."""

import decimal
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from vedette.clock import TICKS_PER_SECOND
from vedette.hunting.timespan import parse_moment
from vedette.kql.types import ScalarType

_TIMESPAN = re.compile(r"(-)?(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def to_array(type_: ScalarType, values: Sequence[object]) -> pa.Array:
    """A column in the engine's representation of the type (`vedette.kql.types`)."""
    read, arrow_type = _READERS[type_]
    converted = [None if value is None else _attempt(read, value) for value in values]
    if type_ is ScalarType.STRING:
        converted = ["" if value is None else value for value in converted]
    if isinstance(arrow_type, pa.ExtensionType):
        return pa.ExtensionArray.from_storage(arrow_type, pa.array(converted, arrow_type.storage_type))
    return pa.array(converted, arrow_type)


def _attempt(read: Callable[[object], object], value: object) -> object:
    try:
        return read(value)
    except (ValueError, ArithmeticError):
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _integer(bits: int) -> Callable[[object], object]:
    def read(value: object) -> int | None:
        number = int(_text(value).strip())
        return number if -(2 ** (bits - 1)) <= number < 2 ** (bits - 1) else None

    return read


def _dynamic(value: object) -> str:
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return json.dumps(value, ensure_ascii=False)
        return value
    return _text(value)


def _timespan(value: object) -> int | None:
    if (match := _TIMESPAN.fullmatch(_text(value).strip())) is None:
        return None
    sign, days, hours, minutes, seconds, fraction = match.groups()
    total = ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds or 0)
    ticks = total * TICKS_PER_SECOND + int((fraction or "").ljust(7, "0"))
    return -ticks if sign else ticks


_READERS: Mapping[ScalarType, tuple[Callable[[object], object], pa.DataType]] = {
    ScalarType.STRING: (_text, pa.string()),
    ScalarType.BOOL: (lambda value: _BOOLEANS.get(_text(value).strip().lower()), pa.bool_()),
    ScalarType.INT: (_integer(32), pa.int32()),
    ScalarType.LONG: (_integer(64), pa.int64()),
    ScalarType.REAL: (lambda value: float(_text(value)), pa.float64()),
    ScalarType.DECIMAL: (lambda value: decimal.Decimal(_text(value).strip()), pa.decimal128(38, 18)),
    ScalarType.DATETIME: (lambda value: parse_moment(_text(value).strip()), pa.int64()),
    ScalarType.TIMESPAN: (_timespan, pa.int64()),
    ScalarType.GUID: (lambda value: uuid.UUID(_text(value).strip()).bytes, pa.uuid()),
    ScalarType.DYNAMIC: (_dynamic, pa.json_(pa.string())),
}
