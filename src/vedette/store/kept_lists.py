"""Lists of keys that are kept for a while, so that all pages of a list are cut from what its first page saw.

For lists whose rows keep no history of their own. A page costs as much however deep it lies.
"""

from collections.abc import Sequence

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, Table

from vedette.store.metadata import METADATA
from vedette.store.tenancy import GUID, TenantRepository, tenant_key

Key = int | str

KEPT_LISTS = Table(
    "kept_lists",
    METADATA,
    tenant_key(),
    Column("list_id", GUID, primary_key=True),
    Column("page", Integer, primary_key=True, autoincrement=False),
    Column("keys", JSON, nullable=False),
    Column("is_last", Boolean, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Index("ix_kept_lists_expires", "expires"),
)


class KeptLists(TenantRepository):
    """The kept lists of one tenant."""

    def keep(self, list_id: str, keys: Sequence[Key], size: int, now: int, expires: int) -> None:
        """Keep the pages behind the first one; what has expired goes."""
        self.connection.execute(self.delete(KEPT_LISTS).where(KEPT_LISTS.c.expires <= now))
        starts = range(size, len(keys), size)
        rows = [
            {
                "tenant_id": self.tenant_id,
                "list_id": list_id,
                "page": number,
                "keys": list(keys[start : start + size]),
                "is_last": start + size >= len(keys),
                "expires": expires,
            }
            for number, start in enumerate(starts, start=1)
        ]
        self.connection.execute(KEPT_LISTS.insert(), rows)

    def page(self, list_id: str, number: int, now: int) -> tuple[list[Key], bool] | None:
        """The keys of a page and whether it is the last one; None if the list is not kept any more."""
        statement = self.select(KEPT_LISTS).where(
            KEPT_LISTS.c.list_id == list_id, KEPT_LISTS.c.page == number, KEPT_LISTS.c.expires > now
        )
        row = self.connection.execute(statement).first()
        return None if row is None else (list(row.keys), bool(row.is_last))
