"""Byte chunks to lines, without a Python step per line: newlines are found with numpy, lines stay where they are.

Handles a byte-order mark and UTF-16 (decoded), and lines longer than the limit (their start is kept, the rest is read
past), so that memory stays bounded whatever the input is.
"""

import codecs
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vedette.ingest.errors import DamagedSourceError

CHUNK_BYTES = 1 << 20
KEPT_OF_LONG_LINE = 64 * 1024
_NEWLINE = 10


class Lines(NamedTuple):
    """Consecutive lines: line i is `data[starts[i]:starts[i + 1]]`, newline included.

    `first_line` counts from 1; `offset` is that of the first line in the source, in bytes of its UTF-8 form.
    """

    data: bytes
    starts: NDArray[np.int64]
    first_line: int
    offset: int


class LongLine(NamedTuple):
    """A line beyond the limit. `start` is its beginning."""

    start: bytes
    line: int
    offset: int


def split_lines(chunks: Iterable[bytes], max_line_bytes: int) -> Iterator[Lines | LongLine]:
    """The lines of a source. A DamagedSourceError of `chunks` is raised again once all before it was handed over."""
    splitter = _Splitter(max_line_bytes)
    damage: DamagedSourceError | None = None
    try:
        for chunk in as_utf8(chunks):
            yield from splitter.feed(chunk)
    except DamagedSourceError as error:
        damage = error
    yield from splitter.finish()
    if damage is not None:
        raise damage


def as_utf8(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks as UTF-8: a byte-order mark is dropped, UTF-16 decoded. What is not UTF-8 is left as it is."""
    iterator = iter(chunks)
    head = b""
    for chunk in iterator:
        head += chunk
        if len(head) >= 4:
            break
    encoding, mark = _encoding(head)
    if encoding is None:
        yield head[mark:]
        yield from iterator
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    yield decoder.decode(head[mark:]).encode()
    for chunk in iterator:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


def _encoding(head: bytes) -> tuple[str | None, int]:
    if head.startswith(codecs.BOM_UTF8):
        return None, len(codecs.BOM_UTF8)
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le", 2
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be", 2
    if len(head) >= 4 and head[0:1] in (b"{", b"[") and head[1:2] == b"\0" and head[3:4] == b"\0":
        return "utf-16-le", 0
    if len(head) >= 4 and head[1:2] in (b"{", b"[") and head[0:1] == b"\0" and head[2:3] == b"\0":
        return "utf-16-be", 0
    return None, 0


class _Splitter:
    def __init__(self, max_line_bytes: int) -> None:
        self._max = max_line_bytes
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._skipped = 0
        self._line = 1
        self._offset = 0

    def feed(self, chunk: bytes) -> Iterator[Lines | LongLine]:
        last = chunk.rfind(b"\n")
        if last < 0:
            self._hold(chunk)
            return
        first = chunk.find(b"\n") + 1
        if self._pending_bytes + self._skipped + first > self._max:
            self._hold(chunk[:first])
            yield self._long_line()
            chunk, last = chunk[first:], last - first
        if last >= 0:
            data = b"".join([*self._pending, chunk[: last + 1]])
            self._pending, self._pending_bytes = [], 0
            yield from self._complete(data)
        self._hold(chunk[last + 1 :])

    def finish(self) -> Iterator[Lines | LongLine]:
        if self._pending_bytes + self._skipped > self._max:
            yield self._long_line()
        elif self._pending_bytes:
            data, self._pending = b"".join(self._pending), []
            yield from self._complete(data)

    def _hold(self, part: bytes) -> None:
        if self._pending_bytes + len(part) > self._max:
            kept = b"".join([*self._pending, part])[:KEPT_OF_LONG_LINE]
            self._skipped += self._pending_bytes + len(part) - len(kept)
            self._pending, self._pending_bytes = [kept], len(kept)
        elif self._skipped:
            self._skipped += len(part)
        elif part:
            self._pending.append(part)
            self._pending_bytes += len(part)

    def _long_line(self) -> LongLine:
        start = b"".join(self._pending)[:KEPT_OF_LONG_LINE]
        result = LongLine(start, self._line, self._offset)
        self._offset += self._pending_bytes + self._skipped
        self._line += 1
        self._pending, self._pending_bytes, self._skipped = [], 0, 0
        return result

    def _complete(self, data: bytes) -> Iterator[Lines | LongLine]:
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE) + 1
        if not len(ends) or ends[-1] != len(data):
            ends = np.append(ends, len(data))
        starts = np.concatenate([np.zeros(1, np.int64), ends.astype(np.int64)])
        yield from self._without_long_lines(data, starts)

    def _without_long_lines(self, data: bytes, starts: NDArray[np.int64]) -> Iterator[Lines | LongLine]:
        long = np.flatnonzero(np.diff(starts) > self._max)
        begin = 0
        for index in [*long.tolist(), len(starts) - 1]:
            if index > begin:
                yield self._lines(data, starts[begin : index + 1])
            if index < len(starts) - 1:
                self._hold(data[starts[index] : starts[index + 1]])
                yield self._long_line()
            begin = index + 1

    def _lines(self, data: bytes, starts: NDArray[np.int64]) -> Lines:
        first, end = int(starts[0]), int(starts[-1])
        part = data if end - first == len(data) else data[first:end]
        lines = Lines(part, starts - first, self._line, self._offset)
        self._line += len(starts) - 1
        self._offset += len(lines.data)
        return lines
