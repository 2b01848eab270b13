"""The write-ahead log: a file of frames, each one batch. A frame is whole or it is not there.

A file belongs to the process that holds its lock; when that process is gone, anybody may take the file over.
Frame: length of the payload (u64), CRC-32 of the payload (u32), payload = length of the header (u32), header
(MessagePack), one Arrow IPC stream per table.
"""

import os
import secrets
import struct
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pyarrow as pa

from vedette.lake.errors import LogWriteError
from vedette.lake.filelock import try_lock
from vedette.lake.files import make_folder, sync_file, sync_folder

SUFFIX = ".wal"
_FRAME = struct.Struct("<QI")
_HEADER_LENGTH = struct.Struct("<I")
_OPEN_FLAGS = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
_IPC_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


class Batch(msgspec.Struct, frozen=True, eq=False):
    """What is logged at once: rows by table in stored form, without the column of ingestion time."""

    batch_id: str
    summary: bytes
    accepted_at: float
    rows: Mapping[str, pa.Table]


class _Header(msgspec.Struct, frozen=True):
    batch_id: str
    summary: bytes
    accepted_at: float
    tables: tuple[tuple[str, int], ...]


def encode(batch: Batch) -> list[bytes | pa.Buffer]:
    """The frame of a batch, as pieces to be written one after the other."""
    streams = [(name, _to_ipc(rows)) for name, rows in batch.rows.items()]
    sizes = tuple((name, stream.size) for name, stream in streams)
    header = msgspec.msgpack.encode(_Header(batch.batch_id, batch.summary, batch.accepted_at, sizes))
    pieces: list[bytes | pa.Buffer] = [_HEADER_LENGTH.pack(len(header)), header, *(stream for _, stream in streams)]
    checksum = 0
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
    return [_FRAME.pack(sum(len(memoryview(piece)) for piece in pieces), checksum), *pieces]


def _to_ipc(rows: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=_IPC_OPTIONS) as stream:
        stream.write_table(rows)
    return sink.getvalue()


def _decode(payload: memoryview) -> Batch:
    start = _HEADER_LENGTH.size
    (length,) = _HEADER_LENGTH.unpack_from(payload)
    header = msgspec.msgpack.decode(payload[start : start + length], type=_Header)
    position = start + length
    rows = {}
    for name, size in header.tables:
        rows[name] = pa.ipc.open_stream(pa.py_buffer(payload[position : position + size])).read_all()
        position += size
    return Batch(header.batch_id, header.summary, header.accepted_at, rows)


class LogFile:
    """A log that this process owns. Not thread-safe: the writer serialises."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._end = os.lseek(descriptor, 0, os.SEEK_END)

    @property
    def name(self) -> str:
        """Identifies the log among all logs of the tenant, for ever."""
        return self.path.stem

    @classmethod
    def create(cls, folder: Path) -> "LogFile":
        """A new, empty log, durable as such. Names sort by time of creation and are never used twice."""
        make_folder(folder)
        path = folder / f"{time.time_ns():020d}-{secrets.token_hex(8)}{SUFFIX}"
        descriptor = os.open(path, _OPEN_FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        if not try_lock(descriptor):  # a recovery saw the new file before we had locked it, and will remove it
            os.close(descriptor)
            return cls.create(folder)
        sync_folder(folder)
        return cls(path, descriptor)

    @classmethod
    def take_over(cls, path: Path) -> "LogFile | None":
        """The log of a process that is gone; None while its process lives or when somebody else was faster."""
        try:
            descriptor = os.open(path, _OPEN_FLAGS)
        except FileNotFoundError:
            return None
        if not try_lock(descriptor) or not path.exists():
            os.close(descriptor)
            return None
        return cls(path, descriptor)

    def write(self, pieces: list[bytes | pa.Buffer]) -> int:
        """Append a frame and return its position; it is durable only after `sync`. All of it is written, or nothing."""
        start = self._end
        try:
            for piece in pieces:
                self._write_all(memoryview(piece))
        except OSError as error:
            os.ftruncate(self._descriptor, start)
            raise LogWriteError(str(error)) from error
        self._end = start + sum(len(memoryview(piece)) for piece in pieces)
        return start

    def _write_all(self, piece: memoryview) -> None:
        while piece:
            piece = piece[os.write(self._descriptor, piece) :]

    def sync(self) -> None:
        """Make everything written so far durable."""
        try:
            sync_file(self._descriptor)
        except OSError as error:
            raise LogWriteError(str(error)) from error

    def frames(self) -> Iterator[tuple[int, Batch]]:
        """Whole frames with their positions, from the start up to the first that is not whole."""
        size = os.fstat(self._descriptor).st_size
        position = 0
        while payload := self._payload(position, size):
            yield position, _decode(payload)
            position += _FRAME.size + len(payload)
        self._end = position

    def torn_bytes(self) -> int:
        """How much of the file `frames` left unread: an append that never ended and was never acknowledged."""
        return os.fstat(self._descriptor).st_size - self._end

    def _payload(self, position: int, size: int) -> memoryview | None:
        frame = self._read(position, _FRAME.size)
        if len(frame) < _FRAME.size:
            return None
        length, checksum = _FRAME.unpack(frame)
        if length == 0 or position + _FRAME.size + length > size:
            return None
        payload = memoryview(self._read(position + _FRAME.size, length))
        return payload if zlib.crc32(payload) == checksum else None

    def _read(self, position: int, length: int) -> bytes:
        os.lseek(self._descriptor, position, os.SEEK_SET)
        pieces = []
        while length and (piece := os.read(self._descriptor, length)):
            pieces.append(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def remove(self) -> None:
        """Delete the log, all of it being published, and let go of it."""
        self.path.unlink(missing_ok=True)
        sync_folder(self.path.parent)
        self.close()

    def close(self) -> None:
        """Let go of the log; without `remove` the next process takes it over."""
        os.close(self._descriptor)


def logs_in(folder: Path) -> list[Path]:
    """All log files of a tenant, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))
