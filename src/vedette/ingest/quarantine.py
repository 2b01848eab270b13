"""Where records go that could not be mapped: one file a batch, one JSON line a record, for the operator to read."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import msgspec

RAW_LIMIT = 64 * 1024


class Rejected(msgspec.Struct, frozen=True):
    """One record that could not be mapped. `line` counts from 1; 0 is the file itself. `reason` is a code."""

    source: str
    line: int
    offset: int
    reason: str
    raw: str


class QuarantineFile:
    """The quarantine of one batch: written beside its place, moved there once the batch is durable.

    The file is made with the first record. Two tenants that choose the same batch id get a file each.
    """

    def __init__(self, folder: Path, tenant_id: str, batch_id: str) -> None:
        self._folder = folder
        self._final = folder / f"{batch_id}.jsonl"
        self._other_tenant = folder / f"{batch_id}.{tenant_id}.jsonl"
        self._part = folder / f".{batch_id}.{tenant_id}.{os.getpid()}.{id(self):x}.part"
        self._file: BinaryIO | None = None
        self._encoder = msgspec.json.Encoder()
        self.count = 0
        self.damaged = 0

    def add(self, rejected: Iterable[Rejected]) -> None:
        """Write records down."""
        for record in rejected:
            if self._file is None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file = self._part.open("wb")
            self._file.write(self._encoder.encode(record) + b"\n")
            self.count += 1
            self.damaged += record.line == 0

    def sync(self) -> None:
        """Make what was written durable, before the batch is."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def publish(self, *, first_time: bool) -> None:
        """Move the file to its place. A batch that is known already has its file, unless it was lost on the way."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        place = self._final
        if first_time and place.exists():
            place = self._other_tenant
        if first_time or not (self._final.exists() or self._other_tenant.exists()):
            self._part.replace(place)
        else:
            self._part.unlink()

    def discard(self) -> None:
        """Drop the file: the batch was not taken in."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._part.unlink(missing_ok=True)
