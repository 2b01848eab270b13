"""The answer to a batch. It is stored with the batch, so that sending the batch again gives the same answer."""

from collections.abc import Mapping

import msgspec


class Receipt(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a batch.

    Every event is counted once: `events = accepted + unmapped + ignored + quarantined - damaged`. `accepted` became
    rows (a fact that two sensors report becomes one row); `unmapped` have no rule; `ignored` have a rule that says that
    the product has no such row, or are filtered by an option. `quarantined` includes `damaged`: files that are cut off.
    """

    batch_id: str
    accepted: int
    quarantined: int
    rows: Mapping[str, int]
    duplicate: bool = False
    events: int = 0
    unmapped: int = 0
    ignored: int = 0
    damaged: int = 0
    unmapped_events: Mapping[str, int] = {}
    """The most frequent kinds of unmapped events, as `channel|id`."""


def encoded(receipt: Receipt) -> bytes:
    """The receipt as JSON."""
    return msgspec.json.encode(receipt)


def repeated(summary: bytes) -> Receipt:
    """The receipt of a batch that was taken in before."""
    return msgspec.structs.replace(msgspec.json.decode(summary, type=Receipt), duplicate=True)
