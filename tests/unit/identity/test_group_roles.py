"""App roles that a group was given are its members'; users' roles bound what is done on their behalf."""

import pytest

from vedette.contracts.operations import load_operations
from vedette.contracts.permissions import load_directory_roles, load_resources
from vedette.contracts.user_rights import has_right, load_user_rights, needed_right, rights_by_scope
from vedette.identity.consent import user_roles
from vedette.identity.consents import Consents
from vedette.identity.directory.applications import Applications
from vedette.identity.directory.exposed_permissions import AppRole, ExposedPermissions
from vedette.identity.directory.groups import Group, Groups
from vedette.identity.directory.service_principals import ServicePrincipals
from vedette.identity.resources import resource_of_application

from .world import World

ROLE = AppRole("0b4b1b0e-6d1c-4c9b-8f60-6d3a3c1f6c11", "Hunter", "Hunters", ("User",))


def test_roles_of_a_group_are_its_members(world: World) -> None:
    home, seed = world.seed.home.tenant_id, world.seed
    with world.store.begin() as connection:
        application = Applications(connection, home).get(seed.app.app_id)
        ExposedPermissions(connection, application).add_role(ROLE)
        principal = ServicePrincipals(connection, home).find(seed.app.app_id)
        assert principal is not None
        groups, group = Groups(connection, home), Group("5d0e7f3c-1f5a-4e1d-9b0a-8f1d3f1b2a77", "Team", 1)
        groups.create(group)
        Consents(connection, world.services, home).assign_role(group.id, principal.id, ROLE.id)
        resource = resource_of_application(connection, home, seed.app.app_id)
        assert resource is not None
        assert user_roles(connection, resource, seed.user) == frozenset()
        groups.add_member(group, seed.user)
        assert user_roles(connection, resource, seed.user) == {"Hunter"}
        groups.remove_member(group, seed.user.id)
        assert user_roles(connection, resource, seed.user) == frozenset()


def test_every_operation_needs_a_known_right() -> None:
    documents = load_operations()
    for surface, family in (("graph", "graph"), ("defender", "defender")):
        for operation in documents[surface].operations:
            if operation.delegated:
                assert needed_right(operation, family) is not None, operation.handler  # type: ignore[arg-type]


def test_every_scope_of_a_right_exists() -> None:
    resources = load_resources()
    known = {
        "graph": {scope.value for scope in resources["graph"].scopes},
        "defender": {scope.value for key in ("mtp", "wdatp") for scope in resources[key].scopes},
    }
    for family, scopes in known.items():
        assert set(rights_by_scope(family)) <= scopes  # type: ignore[arg-type]


READING = {"own_account", "read_directory", "view_data", "view_vulnerabilities", "read_roles", "read_permissions"}


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        ("Security Reader", READING),
        ("User Administrator", {"own_account", "read_directory", "manage_users", "manage_groups"}),
        (None, {"own_account", "read_directory"}),
    ],
)
def test_what_a_role_brings(role: str | None, rights: set[str]) -> None:
    ids = [] if role is None else [load_directory_roles()[role].id]
    assert {key for key, right in load_user_rights().items() if has_right(ids, right)} == rights


def test_a_global_administrator_has_every_right() -> None:
    ids = [load_directory_roles()["Global Administrator"].id]
    assert all(has_right(ids, right) for right in load_user_rights().values())
    assert has_right(ids, None)
    assert not has_right([load_directory_roles()["Security Administrator"].id], None)
