"""Tables of resources that come from outside as documents. Times are ticks."""

from sqlalchemy import JSON, BigInteger, Column, String, Table, Text

from vedette.store.metadata import METADATA
from vedette.store.tenancy import tenant_key

FEED_RESOURCES = Table(
    "feed_resources",
    METADATA,
    tenant_key(),
    Column("collection", String(64), primary_key=True),
    Column("resource_id", String(200), primary_key=True),
    Column("document", JSON, nullable=False),
    Column("links", JSON, nullable=False, comment="ids of what it belongs to, by navigation property"),
    Column("created", BigInteger, nullable=False),
    Column("last_update", BigInteger, nullable=False),
    Column("last_modified_by", Text),
)
