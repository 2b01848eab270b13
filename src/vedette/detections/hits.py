"""Hits: rows that a rule's query returned, and what makes one the same hit when it is found again."""

import hashlib
from collections.abc import Iterator, Mapping

import msgspec
import pyarrow as pa

from vedette.hunting.results import Results

Row = Mapping[str, object]

IDENTITY = ("Timestamp", "ReportId", "DeviceId")
"""Columns that together name one event of one device."""


class Hit(msgspec.Struct, frozen=True, eq=False):
    """One row, datetimes in ticks, with its key: the same event gives the same key in every run of the rule."""

    row: Row
    key: str

    @property
    def timestamp(self) -> int | None:
        """When it happened, if the row says so."""
        value = self.row.get("Timestamp")
        return value if isinstance(value, int) else None


def hits_of(results: Results) -> Iterator[Hit]:
    """The rows of an answer, each event once, in the answer's order."""
    seen: set[str] = set()
    for row in rows_of(results):
        key = hit_key(row)
        if key not in seen:
            seen.add(key)
            yield Hit(row, key)


def rows_of(results: Results) -> Iterator[Row]:
    """Rows by column name in the engine's own values: datetimes are ticks, dynamic is JSON text, '' is None."""
    names = [column.name for column in results.columns]
    columns = [_plain(results.data.column(index)) for index in range(len(names))]
    for values in zip(*columns, strict=True):
        yield {name: None if value == "" else value for name, value in zip(names, values, strict=True)}


def hit_key(row: Row) -> str:
    """The event's identity where the row has it, else the whole row."""
    identity = [(name, row[name]) for name in IDENTITY if row.get(name) is not None]
    content = identity if len(identity) == len(IDENTITY) else sorted(row.items())
    return hashlib.sha256(repr(content).encode()).hexdigest()


def _plain(values: pa.ChunkedArray) -> list[object]:
    plain: list[object] = values.to_pylist()
    return plain
