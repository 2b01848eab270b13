"""Records that already are advanced-hunting rows (streaming and hunting exports): columns by name, types by schema."""

import json

from sqlglot import exp

from vedette.contracts.mappings import Envelope
from vedette.ingest.columns import StoredColumn, converted, json_text, stored_columns
from vedette.ingest.envelopes import EVENTS, envelope_index, json_path
from vedette.ingest.sql import DIALECT, alias, both, call, column, equals, is_null, text
from vedette.ingest.vocabulary import Typed

_UNION_SUFFIXES = ("", "_string", "_long", "_dynamic", "_bool", "_datetime", "_real")
"""A union of tables whose column types differ exports one column per type, the type's name behind it."""


def insert_ready_rows(envelope: Envelope, table: str) -> str:
    """SQL that puts the records of `envelope` that belong to `table` into its staging table."""
    columns = stored_columns(table)
    structure = _structure(columns)
    where = both(
        equals(column("env"), envelope_index(envelope.name)),
        equals(column("channel"), table),
        is_null(column("problem")),
    )
    path = envelope.data[0]
    data = column("line") if path == "." else call("json_extract", column("line"), json_path(path))
    base = exp.select(column("time"), alias(data, "data")).from_(EVENTS).where(where).subquery("e")
    parsed = exp.select(
        column("time"), column("data"), alias(call("json_transform", column("data"), json.dumps(structure)), "d")
    ).from_(base)
    outputs = [alias(_value(stored, structure), stored.physical) for stored in columns]
    outputs += [alias(text(envelope.name), "_rule"), alias(column("time"), "_time"), alias(exp.false(), "_seed")]
    query = exp.select(*outputs).from_(parsed.subquery("p"))
    return f'INSERT INTO "{table}" BY NAME {query.sql(dialect=DIALECT)}'


def _structure(columns: tuple[StoredColumn, ...]) -> dict[str, str]:
    structure: dict[str, str] = {}
    lowered: set[str] = set()
    for stored in columns:
        for suffix in _UNION_SUFFIXES:
            name = stored.name + suffix
            if name.lower() not in lowered:
                lowered.add(name.lower())
                structure[name] = "JSON" if stored.type == "dynamic" else "VARCHAR"
    return structure


def _value(stored: StoredColumn, structure: dict[str, str]) -> exp.Expression:
    if stored.name == "Timestamp":
        return column("time")
    values = [_alternative(stored, stored.name + suffix, structure) for suffix in _UNION_SUFFIXES]
    return call("coalesce", *values)


def _alternative(stored: StoredColumn, name: str, structure: dict[str, str]) -> exp.Expression:
    is_dynamic = stored.type == "dynamic"
    if name in structure:
        value = call("struct_extract", column("d"), name)
    else:
        value = call("json_extract" if is_dynamic else "json_extract_string", column("data"), f'$."{name}"')
    return json_text(value) if is_dynamic else converted(Typed(value, "text"), stored.type)
