"""`externaldata`: fetches a source and turns it into columns of the declared types."""

import csv
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import urlsplit

import pyarrow as pa

from vedette.hunting.cells import to_array
from vedette.hunting.errors import ExternalDataError
from vedette.kql.compiled import ExternalRead, ResultColumn
from vedette.kql.plan import Column
from vedette.kql.sql.blocks import unique_names
from vedette.lake.engine import ExternalFile

MAX_UNPACKED_BYTES = 256 * 2**20
"""What a compressed source may grow to."""

Row = Sequence[object]
RowReader = Callable[[str, tuple[ResultColumn, ...]], Iterable[Row]]


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
    try:
        text = _unpacked(path, fetch(url)).decode("utf-8-sig", errors="replace")
        rows = reader(text, read.columns)
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


def _lines(text: str, _columns: tuple[ResultColumn, ...]) -> Iterable[Row]:
    return [(line,) for line in text.replace("\r\n", "\n").removesuffix("\n").split("\n")] if text else []


def _separated(delimiter: str) -> RowReader:
    def read(text: str, _columns: tuple[ResultColumn, ...]) -> Iterable[Row]:
        return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]

    return read


def _whole(text: str, _columns: tuple[ResultColumn, ...]) -> Iterable[Row]:
    return [(text,)]


def _json_lines(text: str, columns: tuple[ResultColumn, ...]) -> Iterable[Row]:
    return [_properties(json.loads(line), columns) for line in text.splitlines() if line.strip()]


def _json_values(text: str, columns: tuple[ResultColumn, ...]) -> Iterable[Row]:
    """One value after the other, over any number of lines; an array counts as its elements."""
    decoder, rows, position = json.JSONDecoder(), list[Row](), 0
    while (position := _skip_space(text, position)) < len(text):
        value, position = decoder.raw_decode(text, position)
        rows.extend(_properties(item, columns) for item in (value if isinstance(value, list) else [value]))
    return rows


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position


def _properties(value: object, columns: tuple[ResultColumn, ...]) -> Row:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return tuple(value.get(column.name) for column in columns)


_FORMATS: Mapping[str, RowReader] = {
    "txt": _lines,
    "raw": _whole,
    "csv": _separated(","),
    "tsv": _separated("\t"),
    "psv": _separated("|"),
    "scsv": _separated(";"),
    "json": _json_lines,
    "multijson": _json_values,
}
