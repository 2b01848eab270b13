"""gzip streams, and zip archives without their directory, decompressed as far as they go."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from vedette.ingest.errors import DamagedSourceError
from vedette.ingest.sources.lines import CHUNK_BYTES

GZIP_MAGIC = b"\x1f\x8b"
ZIP_LOCAL_MAGIC = b"PK\x03\x04"
_GZIP_WINDOW = 31
_RAW_WINDOW = -15
_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZES_FOLLOW = 0x1, 0x8


def gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a gzip stream of one or several members. What follows the last member is ignored, as gzip does."""
    decoder = zlib.decompressobj(_GZIP_WINDOW)
    members = 0
    for chunk in chunks:
        rest = chunk
        while rest:
            if decoder.eof:
                if not rest.lstrip(b"\0").startswith(GZIP_MAGIC[:1]):
                    return
                rest = rest.lstrip(b"\0")
                decoder = zlib.decompressobj(_GZIP_WINDOW)
            yield from _inflated(decoder, rest)
            rest = decoder.unused_data
            members += decoder.eof
    if not decoder.eof:
        raise DamagedSourceError("truncated_gzip")


def _inflated(decoder: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while data and not decoder.eof:
        try:
            piece = decoder.decompress(data, CHUNK_BYTES)
        except zlib.error as error:
            raise DamagedSourceError("damaged_compression") from error
        if piece:
            yield piece
        data = decoder.unconsumed_tail
    while not decoder.eof and (piece := decoder.decompress(b"", CHUNK_BYTES)):
        yield piece


class LocalEntry(NamedTuple):
    """A file found by its local header. `compressed` is None where its size only follows the data."""

    name: str
    data_start: int
    compressed: int | None
    method: int
    encrypted: bool


def local_entries(archive: bytes) -> Iterator[LocalEntry]:
    """The entries of a zip archive by their local headers, for archives whose directory is missing."""
    position = archive.find(ZIP_LOCAL_MAGIC)
    while 0 <= position <= len(archive) - _LOCAL_HEADER.size:
        fields = _LOCAL_HEADER.unpack_from(archive, position)
        flags, method, compressed, name_length, extra_length = fields[2], fields[3], fields[7], fields[9], fields[10]
        name_start = position + _LOCAL_HEADER.size
        start = name_start + name_length + extra_length
        name = archive[name_start : name_start + name_length].decode("utf-8", errors="replace")
        known = None if flags & _SIZES_FOLLOW else compressed
        yield LocalEntry(name, start, known, method, bool(flags & _ENCRYPTED))
        position = archive.find(ZIP_LOCAL_MAGIC, start + (known or 0))


def entry_content(archive: bytes, entry: LocalEntry) -> Iterator[bytes]:
    """What can be read of an entry; ends in a DamagedSourceError where the archive does."""
    end = len(archive) if entry.compressed is None else entry.data_start + entry.compressed
    data = archive[entry.data_start : end]
    if entry.encrypted:
        raise DamagedSourceError("encrypted_archive")
    if entry.method == _STORED:
        yield data
        if entry.compressed is None or len(data) < entry.compressed:
            raise DamagedSourceError("truncated_zip")
    elif entry.method == _DEFLATED:
        decoder = zlib.decompressobj(_RAW_WINDOW)
        yield from _inflated(decoder, data)
        if not decoder.eof:
            raise DamagedSourceError("truncated_zip")
    else:
        raise DamagedSourceError("unsupported_compression")
