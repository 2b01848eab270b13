"""What bounds a person as a caller: directory roles, custom roles and device groups, as they are now."""

import msgspec
from sqlalchemy import Connection

from vedette.context import Principal
from vedette.identity.directory.device_access import DeviceGroupAccess
from vedette.identity.directory.groups import Groups
from vedette.identity.directory.security_roles import SecurityRoles
from vedette.identity.directory.users import User, Users


def with_user_limits(connection: Connection, principal: Principal, user: User) -> Principal:
    """The principal of a person with the roles and hidden device groups of that person."""
    groups = Groups(connection, principal.tenant_id).ids_of(user)
    return msgspec.structs.replace(
        principal,
        directory_roles=Users(connection, principal.tenant_id).role_ids(user),
        role_grants=SecurityRoles(connection, principal.tenant_id).grants_of({user.id, *groups}),
        hidden_device_groups=DeviceGroupAccess(connection, principal.tenant_id).hidden_from(groups),
    )
