"""Table of what tenants store for their queries."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from vedette.store.metadata import METADATA
from vedette.store.tenancy import tenant_key

HUNTING_FUNCTIONS = Table(
    "hunting_functions",
    METADATA,
    tenant_key(),
    Column("name", String(128), primary_key=True),
    Column("parameters", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("last_modified", BigInteger, nullable=False),
    Column("last_modified_by", Text, nullable=False),
)
