"""Who makes a change over the management API, for the audit."""

from sqlalchemy import Connection

from vedette.api.http import ApiRequest
from vedette.context import RequestContext
from vedette.identity.change_log import Author, ChangeLog
from vedette.identity.services import IdentityServices


def change_log(
    connection: Connection, services: IdentityServices, context: RequestContext, request: ApiRequest
) -> ChangeLog:
    """The log of changes that the caller makes in this transaction."""
    principal = context.principal
    author = Author(
        tenant_id=context.tenant.tenant_id,
        kind=principal.kind,
        object_id=principal.object_id,
        app_id=principal.app_id,
        app_name=principal.display_name,
        address=request.client_address,
        user_agent=request.headers.get("user-agent", ""),
    )
    return ChangeLog(connection, services, author)
