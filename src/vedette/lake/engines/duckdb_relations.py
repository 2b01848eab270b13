"""The SELECT over exactly the manifest's files of one table, with the columns of today whatever their age."""

import functools
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from vedette.lake.engine import TimeRange
from vedette.lake.schema import StoredTable
from vedette.lake.segments import Segment

_DUCKDB_TYPES = {
    pa.bool_(): exp.DataType.Type.BOOLEAN,
    pa.int32(): exp.DataType.Type.INT,
    pa.int64(): exp.DataType.Type.BIGINT,
    pa.float64(): exp.DataType.Type.DOUBLE,
    pa.string(): exp.DataType.Type.VARCHAR,
    pa.uuid(): exp.DataType.Type.UUID,
    pa.json_(pa.string()): exp.DataType.Type.JSON,
}


def relation_sql(
    table: StoredTable, folder: Path, segments: Sequence[Segment], window: TimeRange = (None, None)
) -> str:
    """As `relation_query`, in text."""
    return relation_query(table, folder, segments, window).sql(dialect="duckdb")


def relation_query(
    table: StoredTable, folder: Path, segments: Sequence[Segment], window: TimeRange = (None, None)
) -> exp.Query:
    """Rows of `segments` (files below `folder`), hidden outside `window` where the table has a time."""
    by_schema = groupby(sorted(segments, key=_schema_id), key=_schema_id)
    parts = [_part(table, schema_id, [folder / segment.path for segment in group]) for schema_id, group in by_schema]
    if not parts:
        return _no_rows(table).copy()
    rows: exp.Query = parts[0]
    for part in parts[1:]:
        rows = exp.union(rows, part, distinct=False)
    if table.time_column is not None and window != (None, None):
        rows = _within(rows, exp.column(table.time_column, quoted=True), window)
    return rows


def _schema_id(segment: Segment) -> str:
    return segment.schema_id


def _part(table: StoredTable, schema_id: str, files: Sequence[Path]) -> exp.Select:
    paths = exp.Array(expressions=[exp.Literal.string(str(file)) for file in files])
    source = exp.From(this=exp.Anonymous(this="read_parquet", expressions=[paths]))
    if schema_id == table.schema_id:
        return exp.Select(expressions=[exp.Star()], from_=source)
    present = set(pq.read_schema(files[0]).names)
    columns = [
        exp.column(field.name, quoted=True) if field.name in present else _nothing(field) for field in table.schema
    ]
    return exp.Select(expressions=columns, from_=source)


@functools.cache
def _no_rows(table: StoredTable) -> exp.Select:
    return exp.select(*(_nothing(field) for field in table.schema)).where(exp.false())


def _nothing(field: pa.Field) -> exp.Expr:
    value = exp.Literal.string("") if field.type == pa.string() else exp.null()
    return exp.alias_(exp.cast(value, _DUCKDB_TYPES[field.type]), field.name, quoted=True)


def _within(rows: exp.Query, time: exp.Column, window: TimeRange) -> exp.Select:
    start, stop = window
    result = exp.select("*").from_(rows.subquery("segment_rows"))
    if start is not None:
        result = result.where(exp.GTE(this=time, expression=exp.Literal.number(start)))
    if stop is not None:
        result = result.where(exp.LT(this=time, expression=exp.Literal.number(stop)))
    return result
