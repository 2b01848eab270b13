"""`externaldata`: fetches a source and turns it into columns of the declared types."""

import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from vedette.hunting.cells import to_array
from vedette.hunting.errors import ExternalDataError
from vedette.kql.compiled import ExternalRead
from vedette.kql.plan import Column
from vedette.kql.sql.blocks import unique_names
from vedette.lake.engine import ExternalFile

MAX_UNPACKED_BYTES = 256 * 2**20
"""What a compressed source may grow to."""

Row = Sequence[object]
RowReader = Callable[[bytes, tuple[str, ...]], Iterable[Row]]
"""From content to rows. Formats with members are told where each column's value is: a name, or a path from `$`."""


class _MappedProperties(msgspec.Struct, frozen=True, rename="pascal"):
    path: str = ""
    ordinal: int | str = ""


class _MappedColumn(msgspec.Struct, frozen=True, rename="pascal"):
    """One entry of an ingestion mapping, in the form with properties and in the older one without."""

    column: str = ""
    name: str = ""
    path: str = ""
    properties: _MappedProperties = _MappedProperties()
    old_ordinal: int | str = msgspec.field(default="", name="Ordinal")

    def ordinal(self) -> str:
        """The place of the field, from 0; empty without one."""
        return str(self.properties.ordinal if self.properties.ordinal != "" else self.old_ordinal)


class Fetch(Protocol):
    """Brings the content of a URL. Raises `vedette.egress.errors.EgressError`."""

    def __call__(self, url: str) -> bytes: ...


def load_external(read: ExternalRead, fetch: Fetch) -> ExternalFile:
    """All rows of all of the source's URIs. Raises ExternalDataError for content that is not in the named format."""
    rows: list[Row] = []
    for uri in read.uris:
        rows.extend(_read(read, uri, fetch))
    arrays = [
        to_array(column.type, [row[index] if index < len(row) else None for row in rows])
        for index, column in enumerate(read.columns)
    ]
    names = unique_names([Column(index, column.name, column.type) for index, column in enumerate(read.columns)])
    return ExternalFile(read.relation, pa.table(arrays, names=names))


def _read(read: ExternalRead, uri: str, fetch: Fetch) -> Iterable[Row]:
    url = uri.partition(";")[0]  # what follows are storage options (`;impersonate`), no part of the address
    path = PurePosixPath(urlsplit(url).path)
    name = read.format.lower() or _by_extension(path)
    if (reader := _FORMATS.get(name)) is None:
        raise ExternalDataError(uri=url, reason=f"format '{name}' is not supported")
    mapping = _mapping(read, url)
    try:
        rows = reader(_unpacked(path, fetch(url)), tuple(mapping.get(each.name, each.name) for each in read.columns))
        if name in _BY_PLACE and mapping:
            rows = [_at_ordinals(row, read, mapping) for row in rows]
    except (ValueError, csv.Error, OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise ExternalDataError(uri=url, reason=f"content is not {name}") from error
    skip_first = read.properties.get("ignoreFirstRecord", "").lower() in {"true", "1"}
    return list(rows)[1 if skip_first else 0 :]


def _by_extension(path: PurePosixPath) -> str:
    suffixes = [suffix.lstrip(".").lower() for suffix in path.suffixes if suffix.lower() not in {".gz", ".zip"}]
    return suffixes[-1] if suffixes and suffixes[-1] in _FORMATS else "csv"


def _unpacked(path: PurePosixPath, content: bytes) -> bytes:
    if path.suffix.lower() == ".gz":
        with gzip.open(io.BytesIO(content)) as file:
            return _bounded(file.read(MAX_UNPACKED_BYTES + 1))
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(archive.namelist()[0]) as member:
            return _bounded(member.read(MAX_UNPACKED_BYTES + 1))
    return content


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_UNPACKED_BYTES:
        raise ValueError("too large when unpacked")
    return content


def _mapping(read: ExternalRead, url: str) -> Mapping[str, str]:
    """Where each column's value is, by the property `ingestionMapping`: a path, or the ordinal of a field."""
    text = read.properties.get("ingestionMapping", "")
    if not text:
        return {}
    try:
        entries = msgspec.json.decode(text, type=list[_MappedColumn])
    except msgspec.DecodeError as error:
        raise ExternalDataError(uri=url, reason="the ingestion mapping cannot be read") from error
    places = {each.name or each.column: each.properties.path or each.path or each.ordinal() for each in entries}
    return {name: place for name, place in places.items() if place}


def _at_ordinals(row: Row, read: ExternalRead, mapping: Mapping[str, str]) -> Row:
    """The fields of a row that the mapping names; a column without one is empty."""
    ordinals = [int(place) if (place := mapping.get(each.name, "")).isdigit() else -1 for each in read.columns]
    return [row[at] if 0 <= at < len(row) else None for at in ordinals]


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig", errors="replace")


def _lines(content: bytes, _places: tuple[str, ...]) -> Iterable[Row]:
    text = _text(content)
    return [(line,) for line in text.replace("\r\n", "\n").removesuffix("\n").split("\n")] if text else []


def _separated(delimiter: str) -> RowReader:
    def read(content: bytes, _places: tuple[str, ...]) -> Iterable[Row]:
        return [row for row in csv.reader(io.StringIO(_text(content), newline=""), delimiter=delimiter) if row]

    return read


def _whole(content: bytes, _places: tuple[str, ...]) -> Iterable[Row]:
    return [(_text(content),)]


def _parquet(content: bytes, places: tuple[str, ...]) -> Iterable[Row]:
    """Columns by name, without regard to their order; times in the form of text."""
    table = parquet.read_table(io.BytesIO(content))
    names = [place.removeprefix("$.") for place in places]
    columns = [_plain(table.column(name)) if name in table.column_names else [None] * table.num_rows for name in names]
    return list(zip(*columns, strict=True))


def _plain(column: pa.ChunkedArray) -> list[object]:
    if pa.types.is_timestamp(column.type):
        column = pc.strftime(column.cast(pa.timestamp("us"), safe=False), format="%Y-%m-%dT%H:%M:%SZ")
    elif pa.types.is_date(column.type) or pa.types.is_decimal(column.type) or pa.types.is_binary(column.type):
        column = column.cast(pa.string())
    values: list[object] = column.to_pylist()
    return values


def _json_lines(content: bytes, places: tuple[str, ...]) -> Iterable[Row]:
    return [_members(json.loads(line), places) for line in _text(content).splitlines() if line.strip()]


def _json_values(content: bytes, places: tuple[str, ...]) -> Iterable[Row]:
    """One value after the other, over any number of lines; an array counts as its elements."""
    text = _text(content)
    decoder, rows, position = json.JSONDecoder(), list[Row](), 0
    while (position := _skip_space(text, position)) < len(text):
        value, position = decoder.raw_decode(text, position)
        rows.extend(_members(item, places) for item in (value if isinstance(value, list) else [value]))
    return rows


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position


def _members(value: object, places: tuple[str, ...]) -> Row:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return tuple(_at_path(value, place) if place.startswith("$") else value.get(place) for place in places)


def _at_path(value: object, path: str) -> object:
    """What a path of names and indices leads to: `$.a.b`, `$['a b']`, `$.a[0]`; null where it leads nowhere."""
    for plain, quoted, index in _STEP.findall(path):
        if index:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
        else:
            value = value.get(plain or quoted) if isinstance(value, dict) else None
    return value


_FORMATS: Mapping[str, RowReader] = {
    "txt": _lines,
    "raw": _whole,
    "csv": _separated(","),
    "tsv": _separated("\t"),
    "psv": _separated("|"),
    "scsv": _separated(";"),
    "json": _json_lines,
    "multijson": _json_values,
    "parquet": _parquet,
}

_BY_PLACE = frozenset({"csv", "tsv", "psv", "scsv"})
"""Formats whose fields have no names."""

_STEP = re.compile(r"\.(\w+)|\[['\"]([^'\"]+)['\"]\]|\[(\d+)\]")
