"""Which batches were accepted, and which logged copy of each counts: the one that claimed its id first."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select, update

from vedette.lake.errors import PublicationError
from vedette.lake.tables import BATCHES
from vedette.store.engine import conflict_insert

_CHUNK = 500
"""Ids in one statement: below every database's limit on parameters."""


class Claim(msgspec.Struct, frozen=True):
    """One logged copy of a batch: where it lies and what its sender was, or will be, told."""

    batch_id: str
    log: str
    position: int
    summary: bytes
    accepted_at: float


class Batches:
    """Accepted batches of one tenant."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    def summary(self, batch_id: str) -> bytes | None:
        """What was kept with the batch when it was accepted; None for an unknown one."""
        query = select(BATCHES.c.summary).where(BATCHES.c.tenant_id == self._tenant_id, BATCHES.c.batch_id == batch_id)
        return self._connection.scalar(query)

    def claim(self, claims: Sequence[Claim]) -> dict[str, Claim]:
        """Register copies whose batch ids are new. Returns the copy that counts for every id, published or not."""
        rows = [{"tenant_id": self._tenant_id, "published": False, **msgspec.structs.asdict(c)} for c in claims]
        self._connection.execute(conflict_insert(self._connection, BATCHES).on_conflict_do_nothing(), rows)
        return self._winners([claim.batch_id for claim in claims], unpublished_only=False)

    def unpublished(self, claims: Sequence[Claim]) -> set[Claim]:
        """Those copies that count and whose rows no query can see yet."""
        winners = self._winners([claim.batch_id for claim in claims], unpublished_only=True)
        return {winner for winner in winners.values() if winner in set(claims)}

    def mark_published(self, claims: Sequence[Claim]) -> None:
        """Record that the rows of these copies are in the manifest. Raises PublicationError if any was there before."""
        changed = 0
        for ids in _chunks([claim.batch_id for claim in claims]):
            statement = update(BATCHES).where(
                BATCHES.c.tenant_id == self._tenant_id, BATCHES.c.batch_id.in_(ids), BATCHES.c.published.is_(False)
            )
            changed += self._connection.execute(statement.values(published=True)).rowcount
        if changed != len(claims):
            raise PublicationError(f"{len(claims) - changed} batches were published by somebody else")

    def _winners(self, batch_ids: Sequence[str], *, unpublished_only: bool) -> dict[str, Claim]:
        columns = [BATCHES.c[name] for name in Claim.__struct_fields__]
        winners = {}
        for ids in _chunks(batch_ids):
            query = select(*columns).where(BATCHES.c.tenant_id == self._tenant_id, BATCHES.c.batch_id.in_(ids))
            if unpublished_only:
                query = query.where(BATCHES.c.published.is_(False))
            for row in self._connection.execute(query).mappings():
                winners[row["batch_id"]] = Claim(**row)
        return winners


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]
