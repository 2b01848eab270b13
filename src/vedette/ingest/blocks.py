"""Blocks of records: what the mapping rules run over at once. Lines of several small files share a block."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vedette.ingest.errors import DamagedSourceError
from vedette.ingest.quarantine import RAW_LIMIT, Rejected
from vedette.ingest.sources.archive import unpacked
from vedette.ingest.sources.evtx_file import EVTX_MAGIC, DamagedRecord, Record, evtx_records
from vedette.ingest.sources.lines import Lines, LongLine, split_lines
from vedette.ingest.sources.source import Allowance, Damage, Member, Source


class Block(NamedTuple):
    """Records as a relation `block(ordinal, line_number, line)`, and where each of them came from."""

    records: pa.Table
    source_of: NDArray[np.int32]
    offsets: NDArray[np.int64]
    names: tuple[str, ...]

    def rejected(self, ordinal: int, reason: str) -> Rejected:
        """The report of one record that cannot be mapped."""
        line = int(self.records.column("line_number")[ordinal].as_py())
        raw = self.records.column("line").chunk(0)[ordinal].as_buffer().to_pybytes()
        return Rejected(self.names[self.source_of[ordinal]], line, int(self.offsets[ordinal]), reason, _shown(raw))


class Limits(Protocol):
    """The bounds that reading keeps to."""

    @property
    def block_bytes(self) -> int: ...
    @property
    def line_bytes(self) -> int: ...
    @property
    def batch_bytes(self) -> int: ...


class _Part(NamedTuple):
    source: int
    lines: Lines


def read_blocks(sources: Iterable[Source], limits: Limits) -> Iterator[Block | Rejected]:
    """All records of the sources in blocks; what cannot even be split into records is rejected at once.

    Raises BatchTooLargeError when the sources unpack to more than one batch may hold.
    """
    reader = _Reader(limits)
    allowance = Allowance(limits.batch_bytes)
    for source in sources:
        for member in unpacked(source, allowance):
            if isinstance(member, Damage):
                yield Rejected(member.name, 0, 0, member.reason, "")
            else:
                yield from reader.read(member)
    yield from reader.flush()


class _Reader:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._names: list[str] = []
        self._parts: list[_Part] = []
        self._bytes = 0

    def read(self, member: Member) -> Iterator[Block | Rejected]:
        self._names.append(member.name)
        chunks = iter(member.chunks)
        try:
            head, rest = _with_head(chunks)
            is_log = head.startswith(EVTX_MAGIC)
            pieces: Iterator[Lines | LongLine | DamagedRecord]
            pieces = _event_log(rest) if is_log else split_lines(rest, self._limits.line_bytes)
            for piece in pieces:
                yield from self._take(member.name, piece)
        except DamagedSourceError as error:
            yield Rejected(member.name, 0, 0, error.reason, "")

    def flush(self) -> Iterator[Block | Rejected]:
        """What is left as a last block."""
        if self._parts:
            parts, self._parts, self._bytes = self._parts, [], 0
            yield from _assembled(parts, tuple(self._names))

    def _take(self, name: str, piece: Lines | LongLine | DamagedRecord) -> Iterator[Block | Rejected]:
        if isinstance(piece, LongLine):
            yield Rejected(name, piece.line, piece.offset, "line_too_long", _shown(piece.start))
        elif isinstance(piece, DamagedRecord):
            yield Rejected(name, piece.number, 0, "damaged_record", piece.reason[:RAW_LIMIT])
        else:
            self._parts.append(_Part(len(self._names) - 1, piece))
            self._bytes += len(piece.data)
            if self._bytes >= self._limits.block_bytes:
                yield from self.flush()


def _with_head(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    head = next(chunks, b"")

    def whole() -> Iterator[bytes]:
        yield head
        yield from chunks

    return head, whole()


def _event_log(chunks: Iterator[bytes]) -> Iterator[Lines | DamagedRecord]:
    """The records in pieces of about a megabyte; damage is raised again once all before it was handed over."""
    texts: list[bytes] = []
    first, size = 1, 0
    damage: DamagedSourceError | None = None
    try:
        for record in evtx_records(chunks):
            if isinstance(record, Record):
                texts.append(record.text.encode())
                size += len(texts[-1])
                if size < _EVENT_LOG_PIECE:
                    continue
            if texts:
                yield _joined(texts, first)
            first, texts, size = record.number + 1, [], 0
            if isinstance(record, DamagedRecord):
                yield record
    except DamagedSourceError as error:
        damage = error
    if texts:
        yield _joined(texts, first)
    if damage is not None:
        raise damage


_EVENT_LOG_PIECE = 1 << 20


def _joined(texts: list[bytes], first: int) -> Lines:
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    return Lines(b"".join(texts), np.concatenate([np.zeros(1, np.int64), ends]), first, 0)


def _assembled(parts: list[_Part], names: tuple[str, ...]) -> Iterator[Block | Rejected]:
    data = b"".join(part.lines.data for part in parts)
    counts = [len(part.lines.starts) - 1 for part in parts]
    bases = np.cumsum([0, *(len(part.lines.data) for part in parts)])
    starts = np.concatenate([part.lines.starts[:-1] + base for part, base in zip(parts, bases, strict=False)])
    starts = np.append(starts, len(data)).astype(np.int64)
    numbers = np.concatenate([np.arange(n) + part.lines.first_line for part, n in zip(parts, counts, strict=True)])
    offsets = np.concatenate([part.lines.starts[:-1] + part.lines.offset for part in parts])
    source_of = np.repeat(np.array([part.source for part in parts], np.int32), counts)
    lines = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(starts) - 1, [None, pa.py_buffer(starts), pa.py_buffer(data)]
    )
    keep = np.diff(starts) > _blank_length(data, starts)
    block = Block(pa.table({"line_number": numbers, "line": lines}), source_of, offsets, names)
    try:
        text = lines.cast(pa.large_string())
    except pa.ArrowInvalid:
        undecodable = [ordinal for ordinal in range(len(lines)) if not _is_utf8(lines[ordinal].as_buffer())]
        for ordinal in undecodable:
            if keep[ordinal]:
                yield block.rejected(ordinal, "not_utf8")
        keep[undecodable] = False
        text = lines.filter(pa.array(keep)).cast(pa.large_string())
    else:
        text = text if keep.all() else text.filter(pa.array(keep))
    if len(text):
        yield _numbered(text, block, keep)


def _numbered(text: pa.Array, block: Block, keep: NDArray[np.bool_]) -> Block:
    numbers = block.records.column("line_number").filter(pa.array(keep))
    records = pa.table({"ordinal": np.arange(len(text)), "line_number": numbers, "line": text})
    return Block(records, block.source_of[keep], block.offsets[keep], block.names)


def _blank_length(data: bytes, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Length up to which a line is blank: 1 for a bare newline, 2 where it begins with a carriage return."""
    first = np.frombuffer(data, np.uint8)[starts[:-1]]
    return np.where(first == ord("\r"), 2, np.where(first == ord("\n"), 1, 0))


def _is_utf8(raw: pa.Buffer) -> bool:
    try:
        raw.to_pybytes().decode()
    except UnicodeDecodeError:
        return False
    return True


def _shown(raw: bytes) -> str:
    return raw[:RAW_LIMIT].rstrip(b"\r\n").decode("utf-8", errors="replace")
