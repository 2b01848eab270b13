"""Administration: what it makes, what it refuses, and that tenants stay apart."""

import pytest
from sqlalchemy import Table

from vedette.contracts.permissions import load_directory_roles, load_resources
from vedette.identity.directory import group_tables
from vedette.identity.directory import tables as directory_tables
from vedette.identity.directory.applications import Applications
from vedette.identity.directory.credentials import PasswordCredentials
from vedette.identity.directory.service_principals import OAuth2PermissionGrants, ServicePrincipals
from vedette.identity.directory.tenants import Tenants, is_domain
from vedette.identity.directory.users import Users
from vedette.identity.errors import (
    InvalidValueError,
    ObjectExistsError,
    ObjectNotFoundError,
    UnknownPermissionError,
)
from vedette.identity.grants import tables as grant_tables
from vedette.identity.signin import tables as signin_tables
from vedette.store.metadata import METADATA
from vedette.store.secrets import Secret
from vedette.store.tenancy import tables_without_tenant

from .world import PASSWORD, World


def test_every_tenant_has_the_resource_applications(world: World) -> None:
    with world.store.connect() as connection:
        for tenant in (world.seed.home, world.seed.customer):
            principals = ServicePrincipals(connection, tenant.tenant_id)
            names = [principals.find(resource.app_id) for resource in load_resources().values()]
            assert all(principal is not None for principal in names)


def test_ensuring_resource_principals_again_changes_nothing(world: World) -> None:
    home = world.seed.home.tenant_id
    graph = load_resources()["graph"].app_id
    with world.provisioning() as admin:
        before = ServicePrincipals(admin._connection, home).find(graph)
        admin.ensure_resource_principals(home)
        assert ServicePrincipals(admin._connection, home).find(graph) == before


@pytest.mark.parametrize("domain", ["nodot", "a b.example", "-x.example", "x..example", "", "ü.example", "x.example/"])
def test_a_domain_must_be_one(world: World, domain: str) -> None:
    assert not is_domain(domain)
    with world.provisioning() as admin, pytest.raises(InvalidValueError):
        admin.create_tenant("X", domain)


def test_domains_and_names_are_unique_across_tenants(world: World) -> None:
    with world.provisioning() as admin:
        with pytest.raises(ObjectExistsError):
            admin.create_tenant("Copy", "CONTOSO.example")
        with pytest.raises(ObjectExistsError):
            admin.create_tenant("Copy", "copy.example", tenant_id=world.seed.home.tenant_id)
        with pytest.raises(ObjectExistsError):
            admin.create_user(world.seed.home.tenant_id, "ADA@contoso.example", "Ada II", None)


@pytest.mark.parametrize("name", ["ada", "ada@fabrikam.example", "ada@", "@", "ada@nobody.example"])
def test_a_users_name_is_in_a_domain_of_the_tenant(world: World, name: str) -> None:
    with world.provisioning() as admin, pytest.raises(InvalidValueError):
        admin.create_user(world.seed.home.tenant_id, name, "Ada", None)


def test_unknown_permissions_and_roles_are_refused_by_name(world: World) -> None:
    home, app_id = world.seed.home.tenant_id, world.seed.app.app_id
    with world.provisioning() as admin:
        with pytest.raises(UnknownPermissionError, match=r"Incidents\.Read\.All"):
            admin.add_required_permissions(home, app_id, "mtp", application=["Incidents.Read.All"])
        with pytest.raises(UnknownPermissionError):
            admin.add_required_permissions(home, app_id, "mtp", delegated=["Incident.Read.All"])
        with pytest.raises(InvalidValueError):
            admin.create_user(home, "bob@contoso.example", "Bob", None, roles=["Emperor"])


def test_only_multi_tenant_applications_can_be_consented_to_elsewhere(world: World) -> None:
    with world.provisioning() as admin, pytest.raises(ObjectNotFoundError):
        admin.grant_admin_consent(world.seed.customer.tenant_id, world.seed.app.app_id)


def test_consent_to_scopes_is_for_everybody(world: World) -> None:
    home = world.seed.home.tenant_id
    with world.store.connect() as connection:
        principals = ServicePrincipals(connection, home)
        client = principals.find(world.seed.native.app_id)
        resource = principals.find(load_resources()["mtp"].app_id)
        assert client is not None
        assert resource is not None
        grants = OAuth2PermissionGrants(connection, home)
        assert grants.scopes(client.id, resource.id, world.seed.user.id) == {"Incident.Read"}
        assert grants.scopes(resource.id, client.id, world.seed.user.id) == frozenset()


def test_passwords_of_people_are_argon2id(world: World) -> None:
    with world.store.connect() as connection:
        users = Users(connection, world.seed.home.tenant_id)
        ada = users.get("ADA@contoso.example")
        stored = connection.scalar(
            directory_tables.USERS.select().with_only_columns(directory_tables.USERS.c.password_hash)
        )
        assert stored.startswith("$argon2id$")
        assert users.verify_password(ada, PASSWORD) is True
        assert users.verify_password(ada, Secret("wrong")) is False
        assert users.role_ids(ada) == {load_directory_roles()["Security Reader"].id}


def test_a_user_without_a_password_has_none_to_verify(world: World) -> None:
    with world.provisioning() as admin:
        user = admin.create_user(world.seed.home.tenant_id, "bob@contoso.example", "Bob", None)
        assert Users(admin._connection, user.tenant_id).verify_password(user, Secret("")) is None


def test_secrets_can_be_listed_and_removed(world: World) -> None:
    home, app = world.seed.home.tenant_id, world.seed.app
    with world.provisioning() as admin:
        made = admin.add_password(home, app.app_id, "second", lifetime=60)
        credentials = PasswordCredentials(admin._connection, app, world.services.secret_hasher)
        assert made.credential in credentials.all()
        assert made.credential.end_at - made.credential.start_at == 60
        credentials.remove(made.credential.key_id)
        assert made.credential not in credentials.all()
        with pytest.raises(ObjectNotFoundError):
            credentials.remove(made.credential.key_id)


def make_half(world: World) -> None:
    with world.provisioning() as admin:
        admin.create_tenant("Half", "half.example")
        admin.create_user(world.seed.home.tenant_id, "nobody", "x", None)


def test_what_fails_leaves_nothing_behind(world: World) -> None:
    with pytest.raises(InvalidValueError):
        make_half(world)
    with world.store.connect() as connection:
        assert Tenants(connection).find("half.example") is None


def test_repositories_see_only_their_tenant(world: World) -> None:
    home, customer = world.seed.home.tenant_id, world.seed.customer.tenant_id
    with world.store.connect() as connection:
        assert Users(connection, customer).find(world.seed.user.id) is None
        assert Applications(connection, customer).all() == []
        assert len(Applications(connection, home).all()) == 3
        with pytest.raises(ObjectNotFoundError):
            Applications(connection, customer).get(world.seed.app.app_id)


def test_every_table_of_identity_begins_with_the_tenant() -> None:
    modules = (directory_tables, group_tables, grant_tables, signin_tables)
    own = {table.name for module in modules for table in vars(module).values() if isinstance(table, Table)}
    assert len(own) == 26
    assert not own & set(tables_without_tenant(METADATA))
