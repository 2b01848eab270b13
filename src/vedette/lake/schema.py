"""Stored form of the contract's tables: physical column names and Arrow types, plus the time of ingestion.

datetime is int64 ticks, dynamic is JSON text, guid is 16 bytes; strings are never null.
"""

import functools
import hashlib
import uuid
from collections.abc import Mapping

import msgspec
import pyarrow as pa

from vedette.contracts.tables import ColumnType, TableContract, load_tables, physical_names
from vedette.lake.errors import InvalidBatchError

INGESTION_TIME = "_ingestion_time"
"""Internal column of every relation: ticks at which the batch was accepted (KQL `ingestion_time()`)."""

ARROW_TYPES: Mapping[ColumnType, pa.DataType] = {
    "bool": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "real": pa.float64(),
    "string": pa.string(),
    "datetime": pa.int64(),
    "guid": pa.uuid(),
    "dynamic": pa.json_(pa.string()),
}


class StoredTable(msgspec.Struct, frozen=True, eq=False):
    """How one table lies on disk. `schema_id` changes whenever a column is added."""

    name: str
    schema: pa.Schema
    time_column: str | None
    schema_id: str

    @property
    def order_column(self) -> str:
        """What segments are sorted and split by: the time of the event, else that of its ingestion."""
        return self.time_column or INGESTION_TIME

    def conform(self, rows: pa.Table) -> pa.Table:
        """`rows` with exactly the contract's columns: missing ones empty, strings never null.

        Raises InvalidBatchError for a column the table does not have, or one whose values do not convert.
        """
        unknown = set(rows.column_names) - (set(self.schema.names) - {INGESTION_TIME})
        if unknown or len(set(rows.column_names)) != rows.num_columns:
            raise InvalidBatchError("unknown_column", table=self.name, column=min(unknown, default="(duplicate)"))
        present = set(rows.column_names)
        arrays = [
            self._convert(field, rows.column(field.name)) if field.name in present else empty(field.type, rows.num_rows)
            for field in self.schema
            if field.name != INGESTION_TIME
        ]
        return pa.Table.from_arrays(arrays, names=[name for name in self.schema.names if name != INGESTION_TIME])

    def _convert(self, field: pa.Field, values: pa.ChunkedArray) -> pa.ChunkedArray:
        try:
            return convert(values, field.type)
        except (pa.ArrowException, ValueError) as error:
            raise InvalidBatchError("unsuitable_value", table=self.name, column=field.name) from error


def empty(type_: pa.DataType, length: int) -> pa.Array:
    """A column without values: '' for strings, null for every other type."""
    if type_ == pa.string():
        return pa.repeat(pa.scalar("", pa.string()), length)
    return pa.nulls(length, type_)


def convert(values: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    """`values` as the stored type; JSON and GUIDs may come as text."""
    if type_ == pa.string():
        return values.cast(type_).fill_null("") if values.null_count or values.type != type_ else values
    if values.type == type_:
        return values
    if isinstance(type_, pa.JsonType):
        chunks = [pa.ExtensionArray.from_storage(type_, chunk.cast(pa.string())) for chunk in values.chunks]
        return pa.chunked_array(chunks, type_)
    if isinstance(type_, pa.UuidType):
        return _parse_guids(values)
    return values.cast(type_)


def _parse_guids(values: pa.ChunkedArray) -> pa.ChunkedArray:
    encoded = values.cast(pa.string()).combine_chunks().dictionary_encode()
    known = [uuid.UUID(text).bytes if text else None for text in encoded.dictionary.to_pylist()]
    storage = pa.array(known, pa.binary(16)).take(encoded.indices)
    return pa.chunked_array([pa.ExtensionArray.from_storage(pa.uuid(), storage)])


def _store(contract: TableContract) -> StoredTable:
    names = physical_names(tuple(column.name for column in contract.columns))
    fields = [pa.field(name, ARROW_TYPES[column.type]) for name, column in zip(names, contract.columns, strict=True)]
    schema = pa.schema([*fields, pa.field(INGESTION_TIME, pa.int64())])
    time_column = next(
        (name for name, column in zip(names, contract.columns, strict=True) if column.name == contract.time_column),
        None,
    )
    digest = hashlib.sha256(str(schema).encode()).hexdigest()[:16]
    return StoredTable(contract.name, schema, time_column, digest)


@functools.cache
def stored_tables() -> Mapping[str, StoredTable]:
    """The stored form of all tables by name."""
    return {name: _store(contract) for name, contract in load_tables().items()}
