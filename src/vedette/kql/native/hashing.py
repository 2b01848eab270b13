"""xxHash 64 as KQL has it: a signed long, over UTF-8 text or the eight bytes of a number."""

from __future__ import annotations

import xxhash


def hash_text(text: str) -> int:
    """The hash of a text."""
    return _signed(xxhash.xxh64_intdigest(text.encode("utf-8")))


def hash_long(number: int) -> int:
    """The hash of a long, datetime or timespan."""
    return _signed(xxhash.xxh64_intdigest(number.to_bytes(8, "little", signed=True)))


def _signed(digest: int) -> int:
    return digest - 2**64 if digest >= 2**63 else digest
