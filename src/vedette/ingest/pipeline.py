"""A batch from its bytes to durable rows: read, map, resolve, append. All of it or nothing.

The same batch id of a tenant changes nothing and answers the same. Without an id it is derived from tenant and content,
so that sending the same file again is a repetition.
"""

import hashlib
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from vedette.contracts.mappings import load_envelopes
from vedette.ingest.batch import MappingBatch
from vedette.ingest.blocks import Block, read_blocks
from vedette.ingest.errors import BatchIdError, UnknownFormatError
from vedette.ingest.processes import ProcessCache
from vedette.ingest.quarantine import QuarantineFile
from vedette.ingest.receipts import Receipt, encoded, repeated
from vedette.ingest.rules import RuleBook
from vedette.ingest.sources.source import Source
from vedette.lake.engine import Lake

CONTENT_FORMATS = frozenset({"auto", "jsonl", "evtx"})
"""Formats in which the envelope of every record is told apart by its content."""
DEFAULT_OPTIONS: Mapping[str, str] = {"process_access": "sensitive"}
_BATCH_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_REPORTED_KINDS = 50


class PipelineLimits(msgspec.Struct, frozen=True):
    """Bounds of one batch: bytes unpacked, of one line, of one block of records; engine memory."""

    batch_bytes: int = 4 << 30
    line_bytes: int = 16 << 20
    block_bytes: int = 64 << 20
    memory: str = "1GB"


class Pipeline:
    """Takes batches in. Thread-safe."""

    def __init__(
        self,
        lake: Lake,
        quarantine: Path,
        *,
        processes: ProcessCache | None = None,
        options: Mapping[str, str] | None = None,
        limits: PipelineLimits | None = None,
    ) -> None:
        self._lake = lake
        self._quarantine = quarantine
        self._processes = processes or ProcessCache()
        self._rules = RuleBook({**DEFAULT_OPTIONS, **(options or {})})
        self._limits = limits or PipelineLimits()

    def accept(self, tenant_id: str, batch_id: str | None, sources: Sequence[Source], format_: str = "auto") -> Receipt:
        """Take a batch in and answer once it is durable.

        Raises UnknownFormatError, BatchIdError, BatchTooLargeError; then nothing was taken in.
        """
        forced = forced_envelope(format_)
        batch = batch_id if batch_id is not None else content_id(tenant_id, sources)
        if not _BATCH_ID.fullmatch(batch):
            raise BatchIdError(batch)
        quarantine = QuarantineFile(self._quarantine, tenant_id, batch)
        try:
            return self._take_in(tenant_id, batch, sources, forced, quarantine)
        finally:
            quarantine.discard()

    def _take_in(
        self, tenant_id: str, batch_id: str, sources: Iterable[Source], forced: str | None, quarantine: QuarantineFile
    ) -> Receipt:
        with tempfile.TemporaryDirectory(prefix="vedette-ingest-") as folder:
            mapping = MappingBatch(tenant_id, self._rules, forced=forced, memory=self._limits.memory, folder=folder)
            try:
                split_failures = self._map(mapping, sources, quarantine)
                return self._commit(tenant_id, batch_id, mapping, quarantine, split_failures)
            finally:
                mapping.close()

    def _map(self, mapping: MappingBatch, sources: Iterable[Source], quarantine: QuarantineFile) -> int:
        """Map everything; how many records could not even be split off or decoded."""
        before_mapping = 0
        for piece in read_blocks(sources, self._limits):
            if isinstance(piece, Block):
                quarantine.add(mapping.add(piece))
            else:
                quarantine.add([piece])
                before_mapping += piece.line > 0
        return before_mapping

    def _commit(
        self, tenant_id: str, batch_id: str, mapping: MappingBatch, quarantine: QuarantineFile, split_failures: int
    ) -> Receipt:
        with self._processes.tenant(tenant_id) as processes:
            rows, starts = mapping.finish(processes)
            tally = mapping.tally
            receipt = Receipt(
                batch_id=batch_id,
                accepted=tally.accepted,
                quarantined=quarantine.count,
                rows={table: data.num_rows for table, data in rows.items()},
                events=tally.events + split_failures,
                unmapped=tally.unmapped,
                ignored=tally.ignored,
                damaged=quarantine.damaged,
                unmapped_events=dict(mapping.unmapped_kinds.most_common(_REPORTED_KINDS)),
            )
            quarantine.sync()
            first = self._lake.append(tenant_id, batch_id, rows, encoded(receipt))
            quarantine.publish(first_time=first is None)
            if first is not None:
                return repeated(first)
            processes.remember(starts)
            return receipt


def forced_envelope(format_: str) -> str | None:
    """The envelope that a format names; None if records are told apart. Raises UnknownFormatError."""
    if format_ in CONTENT_FORMATS:
        return None
    envelope = next((envelope for envelope in load_envelopes() if envelope.name == format_), None)
    if envelope is None or envelope.kind == "unsupported":
        raise UnknownFormatError(format_, recognised=envelope is not None)
    return envelope.name


def content_id(tenant_id: str, sources: Iterable[Source]) -> str:
    """The batch id of unnamed batches: a hash of tenant and content, the names of files left out."""
    digest = hashlib.sha256(tenant_id.encode())
    for source in sources:
        if isinstance(source.content, Path):
            with source.content.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        else:
            digest.update(hashlib.sha256(source.content).digest())
    return digest.hexdigest()[:40]
