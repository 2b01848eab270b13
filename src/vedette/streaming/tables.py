"""Tables of change notifications."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, Text

from vedette.store.metadata import METADATA
from vedette.store.tenancy import tenant_key

SUBSCRIPTIONS = Table(
    "subscriptions",
    METADATA,
    tenant_key(),
    Column("subscription_id", String(36), primary_key=True),
    Column("application_id", String(36), nullable=False),
    Column("creator_id", String(64), nullable=False),
    Column("resource", Text, nullable=False),
    Column("change_types", String(64), nullable=False),
    Column("notification_url", Text, nullable=False),
    Column("lifecycle_url", Text),
    Column("client_state", LargeBinary, comment="sealed"),
    Column("expires", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("encryption_certificate", Text),
    Column("encryption_certificate_id", String(128)),
    Column("tls_version", String(8), nullable=False, server_default="v1_2"),
    Column("notification_url_app_id", String(36)),
    Index("ix_subscriptions_expires", "expires"),
)
