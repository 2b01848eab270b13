"""What a batch is made of: named streams of bytes, unpacked on the way."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from vedette.ingest.errors import BatchTooLargeError
from vedette.ingest.sources.lines import CHUNK_BYTES


class Source(NamedTuple):
    """One input as it was handed in: a file on disk, or bytes. `name` is what reports call it."""

    name: str
    content: Path | bytes


class Member(NamedTuple):
    """One file inside a source, unpacked: `outer.zip!inner.json`. Chunks may end in a DamagedSourceError."""

    name: str
    chunks: Iterable[bytes]


class Damage(NamedTuple):
    """A source that could be read only in part, or not at all."""

    name: str
    reason: str


def read_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The rest of a stream in pieces."""
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


class Allowance:
    """How many unpacked bytes the batch may still have: what stops an archive that unpacks without end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0

    def metered(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks, counted. Raises BatchTooLargeError once the limit is passed."""
        for chunk in chunks:
            self._used += len(chunk)
            if self._used > self._limit:
                raise BatchTooLargeError(self._limit)
            yield chunk
