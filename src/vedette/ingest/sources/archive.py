"""Unpacks what a source consists of: gzip, zip, tar and their nestings, told apart by content, never by name."""

import io
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

from vedette.ingest.errors import DamagedSourceError
from vedette.ingest.sources.deflate import GZIP_MAGIC, ZIP_LOCAL_MAGIC, entry_content, gunzip, local_entries
from vedette.ingest.sources.source import Allowance, Damage, Member, Source, read_chunks

MAX_DEPTH = 4
SPOOL_BYTES = 8 << 20
SALVAGE_BYTES = 512 << 20
_TAR_MAGIC = b"ustar"
_TAR_MAGIC_AT = 257
_HEAD = 512
_EMPTY_ZIP = b"PK\x05\x06"


def unpacked(source: Source, allowance: Allowance) -> Iterator[Member | Damage]:
    """The files of a source. Each member has to be read before the next is asked for."""
    with ExitStack() as stack:
        if isinstance(source.content, Path):
            stream: BinaryIO = stack.enter_context(source.content.open("rb"))
        else:
            stream = io.BytesIO(source.content)
        yield from _opened(source.name, stream, allowance, depth=0)


def _opened(name: str, stream: BinaryIO, allowance: Allowance, depth: int) -> Iterator[Member | Damage]:
    head = stream.read(_HEAD)
    stream.seek(0)
    if head.startswith((ZIP_LOCAL_MAGIC, _EMPTY_ZIP)):
        nested = _zip_members(name, stream)
    elif head.startswith(GZIP_MAGIC):
        nested = iter([Member(name.removesuffix(".gz"), gunzip(read_chunks(stream)))])
    elif head[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        nested = _tar_members(name, stream)
    else:
        yield Member(name, allowance.metered(read_chunks(stream)))
        return
    yield from _expanded(nested, allowance, depth)


def _expanded(nested: Iterator[Member | Damage], allowance: Allowance, depth: int) -> Iterator[Member | Damage]:
    for member in nested:
        if isinstance(member, Damage):
            yield member
            continue
        chunks = iter(allowance.metered(member.chunks))
        try:
            head = _first_bytes(chunks)
        except DamagedSourceError as error:
            yield Damage(member.name, error.reason)
            continue
        whole = _chained(head, chunks)
        if not _is_archive(head[0]):
            yield Member(member.name, whole)
        elif depth >= MAX_DEPTH:
            yield Damage(member.name, "nested_too_deeply")
        else:
            yield from _spooled(member.name, whole, allowance, depth + 1)


def _first_bytes(chunks: Iterator[bytes]) -> tuple[bytes, DamagedSourceError | None]:
    head = b""
    try:
        for chunk in chunks:
            head += chunk
            if len(head) >= _HEAD:
                break
    except DamagedSourceError as error:
        if not head:
            raise
        return head, error
    return head, None


def _chained(head: tuple[bytes, DamagedSourceError | None], chunks: Iterator[bytes]) -> Iterator[bytes]:
    data, damage = head
    yield data
    if damage is not None:
        raise damage
    yield from chunks


def _is_archive(head: bytes) -> bool:
    return head.startswith((ZIP_LOCAL_MAGIC, GZIP_MAGIC)) or head[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC)


def _spooled(name: str, chunks: Iterable[bytes], allowance: Allowance, depth: int) -> Iterator[Member | Damage]:
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        damage: DamagedSourceError | None = None
        try:
            for chunk in chunks:
                spool.write(chunk)
        except DamagedSourceError as error:
            damage = error
        spool.seek(0)
        yield from _opened(name, cast(BinaryIO, spool), allowance, depth)
        if damage is not None:
            yield Damage(name, damage.reason)


def _zip_members(name: str, stream: BinaryIO) -> Iterator[Member | Damage]:
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError, ValueError):
        yield from _salvaged(name, stream)
        return
    with archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                yield Member(f"{name}!{entry.filename}", _entry_chunks(archive, entry))


def _entry_chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(entry) as content:
            yield from read_chunks(cast(BinaryIO, content))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise DamagedSourceError("damaged_zip") from error
    except RuntimeError as error:  # zipfile's way of asking for a password
        raise DamagedSourceError("encrypted_archive") from error
    except NotImplementedError as error:
        raise DamagedSourceError("unsupported_compression") from error


def _salvaged(name: str, stream: BinaryIO) -> Iterator[Member | Damage]:
    stream.seek(0)
    archive = stream.read(SALVAGE_BYTES)
    found = False
    for entry in local_entries(archive):
        if not entry.name.endswith("/"):
            found = True
            yield Member(f"{name}!{entry.name}", entry_content(archive, entry))
    yield Damage(name, "truncated_zip" if found else "damaged_zip")


def _tar_members(name: str, stream: BinaryIO) -> Iterator[Member | Damage]:
    try:
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isfile() else None
                if content is not None:
                    yield Member(f"{name}!{entry.name}", _tar_chunks(cast(BinaryIO, content)))
    except tarfile.TarError:
        yield Damage(name, "truncated_tar")


def _tar_chunks(content: BinaryIO) -> Iterator[bytes]:
    try:
        yield from read_chunks(content)
    except (tarfile.TarError, OSError) as error:
        raise DamagedSourceError("truncated_tar") from error
