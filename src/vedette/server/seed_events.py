"""Events of a seed: rows of hunting tables by the table's name, checked against the schema."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from vedette.contracts.tables import ColumnContract, ColumnType, TableContract, load_tables, physical_names
from vedette.ids import is_guid
from vedette.lake.schema import stored_tables
from vedette.server.seed_errors import invalid
from vedette.server.seed_values import list_of, object_of, ticks_of

EXPECTED: Mapping[ColumnType, str] = {
    "bool": "true or false",
    "int": "a whole number of 32 bits",
    "long": "a whole number of 64 bits",
    "real": "a number",
    "string": "a text",
    "guid": "a GUID",
}


def event_tables(document: Mapping[str, Any], now: int) -> dict[str, pa.Table]:
    """The rows of `{"DeviceProcessEvents": [{…}], …}`, columns in stored form. Without a time they happen now."""
    return {name: _table(name, rows, now) for name, rows in document.items()}


def _table(name: str, rows: object, now: int) -> pa.Table:
    path = f"events.{name}"
    contract = load_tables().get(name)
    if contract is None:
        raise invalid(path, "there is no such table; names are case-sensitive")
    stored = stored_tables()[name]
    given = list_of(rows, path)
    columns = dict(zip((each.name for each in contract.columns), physical_names(_names(contract)), strict=True))
    values: dict[str, list[object]] = {physical: [] for physical in columns.values()}
    for number, row in enumerate(given):
        checked = _row(contract, object_of(row, f"{path}[{number}]"), now, f"{path}[{number}]")
        for logical, physical in columns.items():
            values[physical].append(checked.get(logical))
    present = {name: column for name, column in values.items() if any(value is not None for value in column)}
    arrays = {name: pa.array(column, _staged(stored.schema.field(name).type)) for name, column in present.items()}
    return pa.table(arrays)


def _names(contract: TableContract) -> tuple[str, ...]:
    return tuple(column.name for column in contract.columns)


def _staged(type_: pa.DataType) -> pa.DataType:
    """JSON and GUIDs go in as text."""
    return pa.string() if isinstance(type_, pa.JsonType | pa.UuidType) else type_


def _row(contract: TableContract, row: Mapping[str, Any], now: int, path: str) -> dict[str, object]:
    checked: dict[str, object] = {}
    for name, value in row.items():
        column = contract.column(name)
        if column is None:
            raise invalid(f"{path}.{name}", f"{contract.name} has no such column")
        if value is not None:
            checked[name] = _value(column, value, now, f"{path}.{name}")
    if contract.time_column is not None:
        checked.setdefault(contract.time_column, now)
    return checked


def _value(column: ColumnContract, value: object, now: int, path: str) -> object:
    if column.type == "datetime":
        return ticks_of(value, now, path)
    if column.type == "dynamic":
        return json.dumps(value, ensure_ascii=False)
    if not _CHECKS[column.type](value):
        raise invalid(path, f"expected {EXPECTED[column.type]}")
    return value


def _is_whole(bits: int) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)

    return check


_CHECKS: Mapping[ColumnType, Callable[[object], bool]] = {
    "bool": lambda value: isinstance(value, bool),
    "int": _is_whole(32),
    "long": _is_whole(64),
    "real": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "guid": lambda value: isinstance(value, str) and is_guid(value),
}
