"""gzip and zlib behind base64. What does not decode or decompress is the empty text."""

from __future__ import annotations

import base64
import binascii
import zlib

_LARGEST = 64 * 2**20
"""Bytes a decompressed value may have: beyond this it is taken for broken."""

_GZIP_HEADER = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
_ZLIB_HEADER = bytes([0x78, 0x01])


def _decoded(text: str, window: int) -> str | None:
    try:
        data = base64.b64decode(text, validate=True)
        stream = zlib.decompressobj(window)
        plain = stream.decompress(data, _LARGEST)
        return plain.decode("utf-8") if stream.eof else None
    except (binascii.Error, zlib.error, UnicodeDecodeError, ValueError):
        return None


def _deflated(data: bytes) -> bytes:
    """A raw stream at the fastest level. As in the documented examples, data that would not shrink is stored."""
    fast = _raw(data, zlib.Z_BEST_SPEED)
    return fast if len(fast) < len(data) else _raw(data, zlib.Z_NO_COMPRESSION)


def _raw(data: bytes, level: int) -> bytes:
    stream = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


def gzip_compress_to_base64_string(text: str) -> str:
    """The text in gzip format, without a time stamp."""
    data = text.encode("utf-8")
    trailer = zlib.crc32(data).to_bytes(4, "little") + (len(data) % 2**32).to_bytes(4, "little")
    return base64.b64encode(_GZIP_HEADER + _deflated(data) + trailer).decode("ascii")


def gzip_decompress_from_base64_string(text: str) -> str | None:
    """The text in a gzip stream."""
    return _decoded(text, 16 + zlib.MAX_WBITS)


def zlib_compress_to_base64_string(text: str) -> str:
    """The text in zlib format, window of 15 bits."""
    data = text.encode("utf-8")
    return base64.b64encode(_ZLIB_HEADER + _deflated(data) + zlib.adler32(data).to_bytes(4, "big")).decode("ascii")


def zlib_decompress_from_base64_string(text: str) -> str | None:
    """The text in a zlib stream."""
    return _decoded(text, zlib.MAX_WBITS)
