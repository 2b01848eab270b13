"""The stored columns of a table: physical names and types, as the lake takes them."""

import functools
from typing import NamedTuple

import pyarrow as pa
from sqlglot import exp

from vedette.contracts.tables import ColumnType, load_tables, physical_names
from vedette.ingest.sql import call, case, equals, negation, try_cast
from vedette.ingest.times import ticks_of_text
from vedette.ingest.vocabulary import Typed, as_long, as_text, truth_of_text

SQL_TYPES: dict[ColumnType, str] = {
    "bool": "BOOLEAN",
    "int": "INTEGER",
    "long": "BIGINT",
    "real": "DOUBLE",
    "string": "VARCHAR",
    "datetime": "BIGINT",
    "guid": "VARCHAR",
    "dynamic": "VARCHAR",
}
ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "bool": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "real": pa.float64(),
    "string": pa.string(),
    "datetime": pa.int64(),
    "guid": pa.string(),
    "dynamic": pa.string(),
}


class StoredColumn(NamedTuple):
    """One column of a table as it is stored. `name` is the documented name, `physical` the stored one."""

    name: str
    physical: str
    type: ColumnType


@functools.cache
def stored_columns(table: str) -> tuple[StoredColumn, ...]:
    """Columns of `table` in documented order."""
    columns = load_tables()[table].columns
    names = physical_names(tuple(column.name for column in columns))
    return tuple(
        StoredColumn(column.name, physical, column.type) for column, physical in zip(columns, names, strict=True)
    )


@functools.cache
def stored_schema(table: str) -> pa.Schema:
    """The Arrow schema of `table`."""
    return pa.schema([(column.physical, ARROW_TYPES[column.type]) for column in stored_columns(table)])


def converted(value: Typed, type_: ColumnType) -> exp.Expression:
    """The value in the representation of a column of `type_`."""
    match type_:
        case "string" | "dynamic":
            return as_text(value)
        case "guid":
            return try_cast(try_cast(as_text(value), "UUID"), "VARCHAR")
        case "long" | "int":
            return try_cast(as_long(value), SQL_TYPES[type_])
        case "real":
            return try_cast(value.node, "DOUBLE")
        case "bool":
            return value.node if value.kind in ("bool", "null") else truth_of_text(as_text(value))
        case "datetime":
            return value.node if value.kind in ("ticks", "null") else ticks_of_text(as_text(value))


def json_text(value: exp.Expression) -> exp.Expression:
    """JSON text of a JSON value; a string that holds JSON text is that text."""
    inner = call("json_extract_string", value, "$")
    unquoted = case((call("json_valid", inner), inner), default=try_cast(value, "VARCHAR"))
    is_null = equals(call("json_type", value), "NULL")
    is_text = equals(call("json_type", value), "VARCHAR")
    return case((is_text, unquoted), (negation(is_null), try_cast(value, "VARCHAR")))
