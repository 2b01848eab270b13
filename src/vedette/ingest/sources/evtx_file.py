"""Windows event log files (.evtx): each record as JSON text, damaged records and a missing end reported."""

import io
import struct
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from evtx import PyEvtxParser

from vedette.ingest.errors import DamagedSourceError

EVTX_MAGIC = b"ElfFile\x00"
_HEADER_BYTES = 4096
_CHUNK_BYTES = 65536
_CHUNK_COUNT_AT = 42
_MOST_ERRORS_IN_A_ROW = 64


class Record(NamedTuple):
    """One readable record as JSON text; `number` counts records of the file from 1."""

    number: int
    text: str


class DamagedRecord(NamedTuple):
    """A record that could not be read."""

    number: int
    reason: str


def evtx_records(chunks: Iterable[bytes]) -> Iterator[Record | DamagedRecord]:
    """The records of a log file. Raises DamagedSourceError last, if the file is cut off or no log file."""
    with tempfile.TemporaryDirectory(prefix="vedette-evtx-") as folder:
        path = Path(folder) / "log.evtx"
        missing = _written(chunks, path)
        yield from _parsed(path)
        if missing:
            raise DamagedSourceError("truncated_evtx")


def _written(chunks: Iterable[bytes], path: Path) -> bool:
    """Write the file, a cut-off last chunk filled up so that its records can be read; True if some of it is missing."""
    damaged = False
    with path.open("wb") as file:
        try:
            for chunk in chunks:
                file.write(chunk)
        except DamagedSourceError:
            damaged = True
        size = file.tell()
        short = (_HEADER_BYTES - size) % _CHUNK_BYTES
        file.write(bytes(short))
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    promised = struct.unpack_from("<H", header, _CHUNK_COUNT_AT)[0] if len(header) > _CHUNK_COUNT_AT + 2 else 0
    return damaged or size < _HEADER_BYTES + promised * _CHUNK_BYTES


def _parsed(path: Path) -> Iterator[Record | DamagedRecord]:
    try:
        records = iter(PyEvtxParser(io.BytesIO(path.read_bytes()), number_of_threads=1).records_json())
    except (OSError, RuntimeError, ValueError) as error:
        raise DamagedSourceError("not_evtx") from error
    number, errors = 0, 0
    while errors < _MOST_ERRORS_IN_A_ROW:
        number += 1
        try:
            record = next(records)
        except StopIteration:
            return
        except (OSError, RuntimeError, ValueError) as error:
            errors += 1
            yield DamagedRecord(number, str(error))
        else:
            assert record is not None
            errors = 0
            yield Record(number, record["data"])
