"""Custom roles and the user access of device groups: what they bring, where, and that a change holds at once."""

import pytest

from tests.unit.identity.world import World
from vedette.context import EVERYTHING, DataScope, Principal, RoleGrant
from vedette.contracts.data_sources import load_data_sources
from vedette.contracts.permissions import load_directory_roles
from vedette.contracts.security_permissions import load_security_permissions, rights_of
from vedette.contracts.user_rights import load_user_rights, may, user_scope
from vedette.identity.directory.device_access import DeviceGroupAccess
from vedette.identity.directory.groups import Group, Groups
from vedette.identity.directory.security_roles import SecurityRole, SecurityRoleAssignment, SecurityRoles
from vedette.identity.directory.tenants import Tenants
from vedette.identity.errors import InvalidValueError, ObjectExistsError, ObjectNotFoundError
from vedette.identity.provisioning import Provisioning
from vedette.store.secrets import Secret

ROLE = SecurityRole("00000000-0000-4000-8000-000000000001", "Analyst", ("security_data.read",), 1)
TEAM = "00000000-0000-4000-8000-00000000000a"


def person(*grants: RoleGrant, roles: tuple[str, ...] = (), hidden: frozenset[int] = frozenset()) -> Principal:
    ids = frozenset(load_directory_roles()[role].id for role in roles)
    return Principal(
        "user", "t", "o", "a", "wdatp", directory_roles=ids, role_grants=grants, hidden_device_groups=hidden
    )


VIEW = load_user_rights()["view_data"]
READS = frozenset({"view_data"})
OFFICE = RoleGrant(READS, sources=frozenset({"office"}))


@pytest.mark.parametrize(
    ("principal", "scope"),
    [
        (person(roles=("Security Reader",)), EVERYTHING),
        (person(roles=("Security Reader",), hidden=frozenset({1})), DataScope(hidden_device_groups=frozenset({1}))),
        (person(roles=("Security Administrator",), hidden=frozenset({1})), EVERYTHING),
        (person(RoleGrant(READS)), EVERYTHING),
        (person(RoleGrant(READS, frozenset({1})), RoleGrant(READS, frozenset({2}))), DataScope(frozenset({1, 2}))),
        (person(RoleGrant(READS, frozenset({1})), RoleGrant(READS)), EVERYTHING),
        (person(RoleGrant(frozenset({"live_response"}))), DataScope(frozenset(), frozenset(), frozenset())),
        (person(), DataScope(frozenset(), frozenset(), frozenset())),
        (
            person(OFFICE, RoleGrant(READS, frozenset({1}), frozenset({"endpoint"}))),
            DataScope(frozenset({1}), frozenset(), frozenset({"office", "endpoint"})),
        ),
        (
            person(OFFICE),
            DataScope(frozenset(), frozenset(), frozenset({"office"})),
        ),
    ],
)  # fmt: skip
def test_roles_add_up_and_user_access_narrows(principal: Principal, scope: DataScope) -> None:
    assert user_scope(principal, VIEW) == scope


def test_rights_come_with_permissions() -> None:
    assert may(person(RoleGrant(rights_of(["alerts.manage"]))), load_user_rights()["alerts_investigation"])
    assert not may(person(RoleGrant(rights_of(["alerts.manage"]))), VIEW)
    assert rights_of(["gone"]) == frozenset()


def test_the_data_agrees_with_itself() -> None:
    assert load_data_sources().with_devices() == {"endpoint"}
    assert len(load_security_permissions()) >= 15


@pytest.fixture
def tenant_id(world: World) -> str:
    with world.services.store.begin() as connection:
        admin = Provisioning(connection, world.services)
        record = admin.create_tenant("Contoso", "roles.test")
        admin.create_user(record.tenant.tenant_id, "ann@roles.test", "Ann", Secret("quiet-Harbour-71"))
        Groups(connection, record.tenant.tenant_id).create(Group(TEAM, "Team", 1))
        return record.tenant.tenant_id


def test_roles_are_given_and_taken(world: World, tenant_id: str) -> None:
    assignment = SecurityRoleAssignment("b" * 36, ROLE.id, TEAM, 1, ("endpoint",), (3, 4))
    with world.services.store.begin() as connection:
        roles, tenants = SecurityRoles(connection, tenant_id), Tenants(connection)
        roles.create(ROLE)
        before = tenants.generation(tenant_id)
        roles.assign(assignment)
        assert tenants.generation(tenant_id) != before
        (grant,) = roles.grants_of({TEAM, "somebody"})
        assert grant == RoleGrant(READS, frozenset({3, 4}), frozenset({"endpoint"}))
        roles.forget_device_group(3)
        roles.forget_device_group(4)
        assert roles.grants_of({TEAM})[0].device_groups == frozenset()
        roles.unassign(assignment.id)
        assert roles.grants_of({TEAM}) == ()
        roles.assign(assignment)
        roles.remove(ROLE)
        assert roles.assignments() == []


def test_what_there_is_not_is_not_given(world: World, tenant_id: str) -> None:
    with world.services.store.begin() as connection:
        roles = SecurityRoles(connection, tenant_id)
        with pytest.raises(InvalidValueError):
            roles.create(SecurityRole("x", "Empty", (), 1))
        with pytest.raises(InvalidValueError):
            roles.create(SecurityRole("x", "Wrong", ("no.such",), 1))
        roles.create(ROLE)
        with pytest.raises(ObjectExistsError):
            roles.create(SecurityRole("y", ROLE.display_name, ROLE.permissions, 1))
        with pytest.raises(ObjectNotFoundError):
            roles.assign(SecurityRoleAssignment("c" * 36, ROLE.id, "d" * 36, 1))
        with pytest.raises(InvalidValueError):
            roles.assign(SecurityRoleAssignment("c" * 36, ROLE.id, TEAM, 1, ("nowhere",)))


def test_a_device_group_is_seen_by_those_it_was_given_to(world: World, tenant_id: str) -> None:
    with world.services.store.begin() as connection:
        access = DeviceGroupAccess(connection, tenant_id)
        assert access.hidden_from(()) == frozenset()
        access.put(7, [TEAM])
        assert access.hidden_from(()) == frozenset({7})
        assert access.hidden_from({TEAM}) == frozenset()
        groups = Groups(connection, tenant_id)
        groups.remove(groups.get(TEAM))
        assert access.hidden_from(()) == frozenset({7})  # nobody is left, and it is not open to everybody by that
        access.put(7, [])
        assert access.hidden_from(()) == frozenset()
