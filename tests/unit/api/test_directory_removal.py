"""Deleted applications, owners, credentials of service principals, and what consent over the API needs."""

import msgspec
import pytest
from sqlalchemy import select

from tests import api_fakes
from tests.api_fakes import HOME, Application, principal
from tests.asgi import AsgiClient
from vedette.identity.deleted_applications import KEPT_SECONDS
from vedette.identity.directory.applications import Applications
from vedette.identity.directory.principal_credentials import matching_passwords
from vedette.identity.directory.service_principals import ServicePrincipals
from vedette.identity.directory.tables import PASSWORD_CREDENTIALS
from vedette.identity.upkeep import Upkeep
from vedette.store.secrets import Secret

from .test_graph_directory import MTP, admin, certificate, code, directory, made, new_application, proof

__all__ = ["admin", "directory"]

DELETED = "/v1.0/directory/deletedItems"
ROLE = MTP.app_roles[0]


def with_presence(admin: AsgiClient) -> tuple[dict, dict]:
    """An application with a secret, and its service principal with one permission."""
    application = new_application(admin, identifierUris=["api://heron"])
    made(admin.post(f"/v1.0/applications/{application['id']}/addPassword", {}), 200)
    client = made(admin.post("/v1.0/servicePrincipals", {"appId": application["appId"]}))
    api = admin.get(f"/v1.0/servicePrincipals(appId='{MTP.app_id}')").json()
    body = {"principalId": client["id"], "resourceId": api["id"], "appRoleId": ROLE.id}
    made(admin.post(f"/v1.0/servicePrincipals/{client['id']}/appRoleAssignments", body))
    return application, client


def test_a_deleted_application_is_nowhere_but_among_the_deleted(admin: AsgiClient) -> None:
    application, client = with_presence(admin)
    assert admin.send("DELETE", f"/v1.0/applications/{application['id']}").status == 204
    for target in (
        f"/v1.0/applications/{application['id']}",
        f"/v1.0/applications(appId='{application['appId']}')",
        f"/v1.0/servicePrincipals/{client['id']}",
    ):
        assert code(admin.get(target)) == (404, "Request_ResourceNotFound")
    assert application["id"] not in [each["id"] for each in admin.get("/v1.0/applications").json()["value"]]
    [deleted] = admin.get(f"{DELETED}/microsoft.graph.application").json()["value"]
    assert (deleted["id"], deleted["deletedDateTime"] is not None) == (application["id"], True)
    assert admin.get(f"{DELETED}/{application['id']}").json()["@odata.type"] == "#microsoft.graph.application"


def test_it_comes_back_as_it_was(admin: AsgiClient) -> None:
    application, client = with_presence(admin)
    before = admin.get(f"/v1.0/applications/{application['id']}").json()
    admin.send("DELETE", f"/v1.0/applications/{application['id']}")
    restored = made(admin.post(f"{DELETED}/{application['id']}/restore", None), 200)
    assert restored["displayName"] == application["displayName"]
    assert admin.get(f"/v1.0/applications/{application['id']}").json() == before
    assert admin.get(f"/v1.0/servicePrincipals/{client['id']}").json()["id"] == client["id"]
    [held] = admin.get(f"/v1.0/servicePrincipals/{client['id']}/appRoleAssignments").json()["value"]
    assert held["appRoleId"] == ROLE.id
    assert admin.get(f"{DELETED}/microsoft.graph.application").json()["value"] == []


def test_it_does_not_take_its_name_back_from_another(admin: AsgiClient) -> None:
    application, _ = with_presence(admin)
    admin.send("DELETE", f"/v1.0/applications/{application['id']}")
    new_application(admin, identifierUris=["api://heron"])
    assert admin.post(f"{DELETED}/{application['id']}/restore", None).status == 400


def test_deleting_for_good(admin: AsgiClient, directory: Application) -> None:
    application, _ = with_presence(admin)
    assert admin.send("DELETE", f"{DELETED}/{application['id']}").status == 404
    admin.send("DELETE", f"/v1.0/applications/{application['id']}")
    assert directory.client("other").send("DELETE", f"{DELETED}/{application['id']}").status == 404
    assert code(directory.client("reader").send("DELETE", f"{DELETED}/{application['id']}"))[0] == 403
    assert admin.send("DELETE", f"{DELETED}/{application['id']}").status == 204
    assert admin.post(f"{DELETED}/{application['id']}/restore", None).status == 404
    with directory.store.connect() as connection:
        assert connection.execute(select(PASSWORD_CREDENTIALS)).first() is None


def test_after_thirty_days_it_is_gone(admin: AsgiClient, directory: Application) -> None:
    application, _ = with_presence(admin)
    admin.send("DELETE", f"/v1.0/applications/{application['id']}")
    directory.clock.advance(KEPT_SECONDS - 1)
    Upkeep(directory.identity).run(HOME)
    assert admin.get(f"{DELETED}/{application['id']}").status == 200
    directory.clock.advance(1)
    Upkeep(directory.identity).run(HOME)
    assert admin.get(f"{DELETED}/{application['id']}").status == 404


def test_who_owns_an_application(admin: AsgiClient, directory: Application) -> None:
    application = new_application(admin)
    owners = f"/v1.0/applications/{application['id']}/owners"
    assert admin.get(owners).json()["value"] == []  # the caller of these tests is no object of the directory
    ada = admin.get("/v1.0/users/ada@contoso.test").json()
    with directory.store.begin() as connection:
        applications = Applications(connection, HOME)
        found = applications.by_object_id(application["id"])
        applications.replace(msgspec.structs.replace(found, properties={**found.properties, "owners": [ada["id"]]}))
    [owner] = admin.get(owners).json()["value"]
    assert (owner["@odata.type"], owner["userPrincipalName"]) == ("#microsoft.graph.user", "ada@contoso.test")


def test_a_service_principal_has_secrets_of_its_own(admin: AsgiClient, directory: Application) -> None:
    application, client = with_presence(admin)
    target = f"/v1.0/servicePrincipals/{client['id']}"
    new = made(admin.post(f"{target}/addPassword", {"passwordCredential": {"displayName": "here only"}}), 200)
    [shown] = admin.get(target).json()["passwordCredentials"]
    assert (shown["keyId"], shown["displayName"], shown["secretText"]) == (new["keyId"], "here only", None)
    assert len(admin.get(f"/v1.0/applications/{application['id']}").json()["passwordCredentials"]) == 1
    with directory.store.connect() as connection:
        stored = ServicePrincipals(connection, HOME).get(client["id"])
    assert new["secretText"] not in str(stored.properties)
    hasher = directory.identity.secret_hasher
    assert [each.key_id for each in matching_passwords(stored, hasher, Secret(new["secretText"]))] == [new["keyId"]]
    assert matching_passwords(stored, hasher, Secret("wrong")) == []
    assert admin.post(f"{target}/removePassword", {"keyId": new["keyId"]}).status == 204
    assert admin.post(f"{target}/removePassword", {"keyId": new["keyId"]}).status == 404
    assert admin.get(target).json()["passwordCredentials"] == []


def test_a_service_principal_has_certificates_of_its_own(admin: AsgiClient) -> None:
    _, client = with_presence(admin)
    target = f"/v1.0/servicePrincipals/{client['id']}"
    key, first = certificate()
    _, second = certificate()
    body = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": second}
    refused = admin.post(f"{target}/addKey", {"keyCredential": body, "proof": proof(key, client["id"])})
    assert refused.status == 400  # nothing can vouch for the first one
    assert admin.patch(target, {"keyCredentials": [{**body, "key": first}]}).status == 204
    added = made(admin.post(f"{target}/addKey", {"keyCredential": body, "proof": proof(key, client["id"])}), 200)
    assert len(admin.get(target).json()["keyCredentials"]) == 2
    gone = admin.post(f"{target}/removeKey", {"keyId": added["keyId"], "proof": proof(key, client["id"])})
    assert gone.status == 204
    [kept] = admin.get(target).json()["keyCredentials"]
    assert admin.patch(target, {"keyCredentials": [{"keyId": kept["keyId"]}], "notes": "x"}).status == 204
    assert len(admin.get(target).json()["keyCredentials"]) == 1
    assert admin.patch(target, {"keyCredentials": []}).status == 204
    assert admin.get(target).json()["keyCredentials"] == []


def test_applications_are_found_by_their_identifier_uri(admin: AsgiClient) -> None:
    new_application(admin, identifierUris=["api://a"])
    wanted = new_application(admin, identifierUris=["api://b", "api://c"])
    for condition in ("identifierUris/any(u:u eq 'api://c')", "identifierUris/any(x:startswith(x,'api://b'))"):
        found = admin.get(f"/v1.0/applications?$filter={condition}").json()["value"]
        assert [each["id"] for each in found] == [wanted["id"]]


def test_disabled_permissions_are_shown_and_kept(admin: AsgiClient) -> None:
    role = {
        "id": "11111111-2222-4333-8444-555555555555",
        "value": "Heron.Read",
        "displayName": "Read herons",
        "description": "Read herons",
        "allowedMemberTypes": ["Application"],
        "isEnabled": False,
    }
    application = new_application(admin, appRoles=[role])
    target = f"/v1.0/applications/{application['id']}"
    assert admin.patch(target, {"api": {"oauth2PermissionScopes": []}}).status == 204
    [shown] = admin.get(target).json()["appRoles"]
    assert (shown["value"], shown["isEnabled"]) == ("Heron.Read", False)


@pytest.mark.parametrize("others", [(), ("User.Read.All",)])
def test_granting_needs_a_permission_to_read_applications_besides(
    directory: Application, admin: AsgiClient, monkeypatch: pytest.MonkeyPatch, others: tuple[str, ...]
) -> None:
    caller = principal("graph", "AppRoleAssignment.ReadWrite.All", *others)
    monkeypatch.setitem(api_fakes.PRINCIPALS, "granter", caller)
    _, client = with_presence(admin)
    refused = directory.client("granter").post(f"/v1.0/servicePrincipals/{client['id']}/appRoleAssignments", {})
    assert code(refused) == (403, "Authorization_RequestDenied")
