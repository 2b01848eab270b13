"""What may be told to a subscriber: as much as whoever subscribed may see when a change is told of."""

import functools

from sqlalchemy import Connection

from vedette.context import EVERYTHING, DataScope, Principal
from vedette.contracts.operations import OperationContract, load_operations
from vedette.contracts.permissions import load_resources
from vedette.contracts.user_rights import UserRightContract, may, needed_right, user_scope
from vedette.identity.directory.service_principals import AppRoleAssignments, ServicePrincipal, ServicePrincipals
from vedette.identity.directory.user_limits import with_user_limits
from vedette.identity.directory.users import Users
from vedette.streaming.subscriptions import Subscription


def reach(connection: Connection, tenant_id: str, subscription: Subscription) -> DataScope | None:
    """The scope of a subscription's maker as it is now. None: they may not be told anything any more."""
    client = ServicePrincipals(connection, tenant_id).find(subscription.application_id)
    if client is None or not client.account_enabled:
        return None
    if client.id == subscription.creator_id:
        return EVERYTHING if _may_still_subscribe(connection, tenant_id, client) else None
    user = Users(connection, tenant_id).find(subscription.creator_id)
    if user is None or not user.account_enabled:
        return None
    principal = Principal(
        kind="user", tenant_id=tenant_id, object_id=user.id, app_id=subscription.application_id, audience="graph"
    )
    principal = with_user_limits(connection, principal, user)
    return user_scope(principal, _right()) if may(principal, _right()) else None


def _may_still_subscribe(connection: Connection, tenant_id: str, client: ServicePrincipal) -> bool:
    """Whether an application still has one of the permissions that subscribing takes."""
    resource = load_resources()["graph"]
    graph = ServicePrincipals(connection, tenant_id).find(resource.app_id)
    held = AppRoleAssignments(connection, tenant_id).role_ids(client.id, graph.id) if graph else frozenset()
    return any(role.id in held for role in resource.app_roles if role.value in _subscribing().application)


@functools.cache
def _right() -> UserRightContract | None:
    return needed_right(_subscribing(), "graph")


@functools.cache
def _subscribing() -> OperationContract:
    operations = load_operations()["graph"].operations
    return next(each for each in operations if each.handler == "create_subscription")
