"""The visitor of a page as the domains below know callers: with what roles and device groups let them see."""

from vedette.context import Principal, RequestContext
from vedette.contracts.user_rights import load_user_rights, user_scope
from vedette.identity.directory.device_access import DeviceGroupAccess
from vedette.identity.directory.groups import Groups
from vedette.identity.directory.security_roles import SecurityRoles
from vedette.identity.services import IdentityServices
from vedette.portal.application import APP_ID
from vedette.portal.visit import Visit


def caller_of(services: IdentityServices, visit: Visit, right: str) -> RequestContext:
    """The visitor, seeing as much as the roles that bring `right` cover."""
    user, request_id = visit.session.user, services.ids.guid()
    with services.store.connect() as connection:
        groups = Groups(connection, visit.tenant_id).ids_of(user)
        principal = Principal(
            kind="user",
            tenant_id=visit.tenant_id,
            object_id=user.id,
            app_id=APP_ID,
            audience="vedette",
            directory_roles=visit.session.role_ids,
            role_grants=SecurityRoles(connection, visit.tenant_id).grants_of({user.id, *groups}),
            hidden_device_groups=DeviceGroupAccess(connection, visit.tenant_id).hidden_from(groups),
            display_name=user.display_name,
        )
    scope = user_scope(principal, load_user_rights()[right])
    tenant = visit.session.tenant.tenant
    return RequestContext(tenant, principal, request_id, request_id, visit.request.base_url, scope)
