"""Where a browser may go after sign-out: a redirect URI of an application that is present in the tenants it leaves."""

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, select

from vedette.identity.directory.applications import RedirectUris
from vedette.identity.directory.tables import APPLICATIONS, SERVICE_PRINCIPALS


def is_registered_address(connection: Connection, tenant_ids: Collection[str], address: str) -> bool:
    """Whether `address` is exactly one of those redirect URIs."""
    query = (
        select(APPLICATIONS.c.redirect_uris)
        .join(SERVICE_PRINCIPALS, SERVICE_PRINCIPALS.c.app_id == APPLICATIONS.c.app_id)
        .where(SERVICE_PRINCIPALS.c.tenant_id.in_(tenant_ids))
    )
    for stored in connection.scalars(query):
        uris = msgspec.convert(stored, RedirectUris)
        if address in (*uris.web, *uris.spa, *uris.public_client):
            return True
    return False
