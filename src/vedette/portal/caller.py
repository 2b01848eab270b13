"""The visitor of a page as the domains below know callers: with what roles and device groups let them see."""

from vedette.context import Principal, RequestContext
from vedette.contracts.user_rights import load_user_rights, user_scope
from vedette.identity.directory.user_limits import with_user_limits
from vedette.identity.services import IdentityServices
from vedette.portal.application import APP_ID
from vedette.portal.visit import Visit


def caller_of(services: IdentityServices, visit: Visit, right: str) -> RequestContext:
    """The visitor, seeing as much as the roles that bring `right` cover."""
    user, request_id = visit.session.user, services.ids.guid()
    principal = Principal(
        kind="user",
        tenant_id=visit.tenant_id,
        object_id=user.id,
        app_id=APP_ID,
        audience="vedette",
        display_name=user.display_name,
    )
    with services.store.connect() as connection:
        principal = with_user_limits(connection, principal, user)
    scope = user_scope(principal, load_user_rights()[right])
    tenant = visit.session.tenant.tenant
    return RequestContext(tenant, principal, request_id, request_id, visit.request.base_url, scope)
