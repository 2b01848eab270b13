"""Segments: immutable Parquet files of one tenant's table, and the manifest that says which of them are the lake.

A file that the manifest does not name does not exist for queries; rows appear and vanish with the transaction that
changes the manifest.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, delete, insert, or_, select, update

from vedette.clock import format_ticks
from vedette.ids import Ids
from vedette.lake.engine import TimeRange
from vedette.lake.files import written_durably
from vedette.lake.schema import INGESTION_TIME, StoredTable
from vedette.lake.tables import SEGMENTS

ROW_GROUP_ROWS = 122_880
"""DuckDB's vector-friendly row group: the unit it prunes and hands to a thread."""


class Segment(msgspec.Struct, frozen=True):
    """One row of the manifest. Times are ticks; `min_time` is None where a row has no time."""

    segment_id: str
    table_name: str
    path: str
    schema_id: str
    level: int
    rows: int
    bytes: int
    min_time: int | None
    max_time: int | None
    min_ingestion: int
    max_ingestion: int


class Segments:
    """The manifest of one tenant."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    def live(self, table_name: str, time_range: TimeRange = (None, None)) -> list[Segment]:
        """Segments that can hold rows of the half-open time range, in order of time."""
        start, stop = time_range
        query = self._owned().where(SEGMENTS.c.table_name == table_name, SEGMENTS.c.retired_at.is_(None))
        if start is not None:
            query = query.where(or_(SEGMENTS.c.min_time.is_(None), SEGMENTS.c.max_time >= start))
        if stop is not None:
            query = query.where(or_(SEGMENTS.c.min_time.is_(None), SEGMENTS.c.min_time < stop))
        return self._fetch(query.order_by(SEGMENTS.c.min_time, SEGMENTS.c.segment_id))

    def all_live(self) -> list[Segment]:
        """Every segment that queries see."""
        return self._fetch(self._owned().where(SEGMENTS.c.retired_at.is_(None)))

    def older_than(self, cutoff: int) -> list[Segment]:
        """Live segments all of whose rows are before `cutoff` ticks; without a time, the time of ingestion counts."""
        by_event = and_(SEGMENTS.c.min_time.is_not(None), SEGMENTS.c.max_time < cutoff)
        by_ingestion = and_(SEGMENTS.c.min_time.is_(None), SEGMENTS.c.max_ingestion < cutoff)
        return self._fetch(self._owned().where(SEGMENTS.c.retired_at.is_(None), or_(by_event, by_ingestion)))

    def retired_before(self, moment: float) -> list[Segment]:
        """Segments that left the lake before a Unix time."""
        return self._fetch(self._owned().where(SEGMENTS.c.retired_at < moment))

    def paths(self) -> set[str]:
        """Paths of every segment known, retired ones too."""
        query = select(SEGMENTS.c.path).where(SEGMENTS.c.tenant_id == self._tenant_id)
        return set(self._connection.scalars(query))

    def add(self, segments: Iterable[Segment]) -> None:
        """Make segments part of the lake."""
        rows = [{"tenant_id": self._tenant_id, **msgspec.structs.asdict(segment)} for segment in segments]
        if rows:
            self._connection.execute(insert(SEGMENTS), rows)

    def retire(self, segments: Sequence[Segment], now: float) -> int:
        """Take segments out of the lake. Returns how many were still in it."""
        changed = update(SEGMENTS).where(self._named(segments), SEGMENTS.c.retired_at.is_(None)).values(retired_at=now)
        return self._connection.execute(changed).rowcount

    def forget(self, segments: Sequence[Segment]) -> None:
        """Drop the rows of segments whose files are gone."""
        self._connection.execute(delete(SEGMENTS).where(self._named(segments)))

    def _named(self, segments: Sequence[Segment]) -> ColumnElement[bool]:
        ids = [segment.segment_id for segment in segments]
        return and_(SEGMENTS.c.tenant_id == self._tenant_id, SEGMENTS.c.segment_id.in_(ids))

    def _owned(self) -> Select[Any]:
        return select(*(SEGMENTS.c[name] for name in Segment.__struct_fields__)).where(
            SEGMENTS.c.tenant_id == self._tenant_id
        )

    def _fetch(self, query: Select[Any]) -> list[Segment]:
        return [_from_row(row) for row in self._connection.execute(query).mappings()]


def _from_row(row: RowMapping) -> Segment:
    return Segment(**row)


def segment_path(table_name: str, ticks: int, segment_id: str) -> str:
    """Path of a new segment below the tenant's folder: `<table>/<day>/<id>.parquet`."""
    return f"{table_name}/{format_ticks(ticks)[:10]}/{segment_id}.parquet"


def write_segment(folder: Path, table: StoredTable, rows: pa.Table, ids: Ids) -> Segment:
    """Write rows in stored form, ingestion time included, as a new durable file. The manifest does not name it yet."""
    rows = in_time_order(rows, table.order_column)
    ingestion = pc.min_max(rows[INGESTION_TIME]).as_py()
    first, last = _time_bounds(rows, table)
    segment_id = ids.guid()
    path = segment_path(table.name, ingestion["min"] if first is None else first, segment_id)
    with written_durably(folder / path) as file:
        pq.write_table(rows, file, compression="zstd", compression_level=1, row_group_size=ROW_GROUP_ROWS)
    return Segment(
        segment_id=segment_id,
        table_name=table.name,
        path=path,
        schema_id=table.schema_id,
        level=0,
        rows=rows.num_rows,
        bytes=(folder / path).stat().st_size,
        min_time=first,
        max_time=last,
        min_ingestion=ingestion["min"],
        max_ingestion=ingestion["max"],
    )


def in_time_order(rows: pa.Table, column: str) -> pa.Table:
    """`rows` by ascending time, stable; untouched where they are in order already."""
    times = rows[column].to_numpy() if not rows[column].null_count else rows[column].fill_null(0).to_numpy()
    if bool(np.all(times[:-1] <= times[1:])):
        return rows
    return rows.take(pa.array(np.argsort(times, kind="stable")))


def _time_bounds(rows: pa.Table, table: StoredTable) -> tuple[int | None, int | None]:
    if table.time_column is None or rows[table.time_column].null_count:
        return None, None
    bounds = pc.min_max(rows[table.time_column]).as_py()
    return bounds["min"], bounds["max"]
