"""What the maker of a subscription may be told of, as the directory says it at that moment."""

import pytest
from sqlalchemy import Connection

from tests.unit.identity.world import World
from vedette.context import EVERYTHING, DataScope
from vedette.contracts.permissions import load_directory_roles
from vedette.identity.directory.device_access import DeviceGroupAccess
from vedette.identity.directory.groups import Group, Groups
from vedette.identity.directory.service_principals import AppRoleAssignments, ServicePrincipals
from vedette.identity.directory.users import Users
from vedette.streaming.reach import reach
from vedette.streaming.subscriptions import Subscription

TEAM = "00000000-0000-4000-8000-00000000000a"


def subscription(world: World, creator_id: str) -> Subscription:
    return Subscription(
        subscription_id="s",
        application_id=world.seed.app.app_id,
        creator_id=creator_id,
        resource="security/alerts_v2",
        change_types=("created",),
        notification_url="https://hooks.contoso.example",
        lifecycle_url=None,
        client_state=None,
        expires=1,
        created=0,
        base_url="",
    )


def told(connection: Connection, world: World, creator_id: str) -> DataScope | None:
    return reach(connection, world.seed.home.tenant_id, subscription(world, creator_id))


def permit(world: World) -> None:
    """Let the application subscribe."""
    tenant_id, app_id = world.seed.home.tenant_id, world.seed.app.app_id
    with world.provisioning() as admin:
        admin.add_required_permissions(tenant_id, app_id, "graph", application=["SecurityAlert.Read.All"])
        admin.grant_admin_consent(tenant_id, app_id)


def test_an_application_is_told_everything_while_it_is_enabled(world: World) -> None:
    permit(world)
    with world.store.begin() as connection:
        principals = ServicePrincipals(connection, world.seed.home.tenant_id)
        client = principals.find(world.seed.app.app_id)
        assert client is not None
        assert told(connection, world, client.id) == EVERYTHING
        principals.set_enabled(client.id, False)
        assert told(connection, world, client.id) is None


def test_an_application_is_told_nothing_without_a_permission(world: World) -> None:
    permit(world)
    with world.store.begin() as connection:
        client = ServicePrincipals(connection, world.seed.home.tenant_id).find(world.seed.app.app_id)
        assert client is not None
        assert told(connection, world, client.id) == EVERYTHING
        assignments = AppRoleAssignments(connection, world.seed.home.tenant_id)
        for assignment in assignments.of_principal(client.id):
            assignments.remove(assignment.id)
        assert told(connection, world, client.id) is None


def test_a_person_is_told_what_their_roles_show_them(world: World) -> None:
    tenant_id, user = world.seed.home.tenant_id, world.seed.user
    with world.store.begin() as connection:
        users = Users(connection, tenant_id)
        for role_id in users.role_ids(user):
            users.withdraw_role(user, role_id)
        assert told(connection, world, user.id) is None
        users.assign_role(user, load_directory_roles()["Security Reader"].id)
        assert told(connection, world, user.id) == EVERYTHING
        Groups(connection, tenant_id).create(Group(TEAM, "Team", 1))
        DeviceGroupAccess(connection, tenant_id).put(7, [TEAM])
        assert told(connection, world, user.id) == DataScope(hidden_device_groups=frozenset({7}))
        users.set_enabled(user, False)
        assert told(connection, world, user.id) is None


@pytest.mark.parametrize("creator", ["nobody", "a person of another tenant"])
def test_who_is_not_there_is_told_nothing(world: World, creator: str) -> None:
    creator_id = world.seed.customer_boss.id if creator != "nobody" else "gone"
    with world.store.connect() as connection:
        assert told(connection, world, creator_id) is None
