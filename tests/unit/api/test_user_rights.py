"""A delegated token does no more than its user may: scope and directory role, both."""

import pytest

from tests import api_fakes
from tests.api_fakes import HOME, Application, principal
from vedette.contracts.permissions import load_directory_roles
from vedette.identity.provisioning import Provisioning
from vedette.store.secrets import Secret

SCOPES = (
    "ThreatHunting.Read.All",
    "SecurityIncident.ReadWrite.All",
    "Application.ReadWrite.All",
    "User.Read",
    "User.Read.All",
    "User.ReadWrite.All",
)


@pytest.fixture
def person(application: Application, monkeypatch: pytest.MonkeyPatch):
    """A client for a user with the named roles and every scope."""
    with application.store.begin() as connection:
        admin = Provisioning(connection, application.identity)
        admin.create_tenant("Contoso", "contoso.test", tenant_id=HOME, is_home=True)
        admin.create_user(HOME, "boss@contoso.test", "Boss", Secret("quiet-Harbour-71"), roles=["Global Administrator"])
        admin.create_user(HOME, "temp@contoso.test", "Temp", Secret("quiet-Harbour-71"))

    def make(*roles: str):
        ids = tuple(load_directory_roles()[role].id for role in roles)
        caller = principal("graph", scopes=SCOPES, kind="user", directory_roles=ids)
        monkeypatch.setitem(api_fakes.PRINCIPALS, "person", caller)
        return application.client("person")

    return make


@pytest.mark.parametrize(
    ("role", "hunts", "updates", "registers", "reads_people"),
    [
        (None, 403, 403, 403, 200),
        ("Security Reader", 200, 403, 403, 200),
        ("Security Operator", 200, 404, 403, 200),
        ("Application Administrator", 403, 403, 201, 200),
        ("Global Administrator", 200, 404, 201, 200),
    ],
)
def test_roles_bound_scopes(person, role, hunts, updates, registers, reads_people) -> None:
    client = person(*([role] if role else []))
    assert client.post("/v1.0/security/runHuntingQuery", {"Query": "print 1"}).status == hunts
    assert client.patch("/v1.0/security/incidents/999", {"status": "active"}).status == updates
    assert client.post("/v1.0/applications", {"displayName": "Heron"}).status == registers
    assert client.get("/v1.0/users").status == reads_people


def test_the_refusal_names_the_right_and_the_roles(person) -> None:
    answer = person().post("/v1.0/security/runHuntingQuery", {"Query": "print 1"})
    error = answer.json()["error"]
    assert error["code"] == "Forbidden"
    assert "View data" in error["message"]
    assert "Security Reader" in error["message"]
    directory = person().post("/v1.0/applications", {"displayName": "Heron"}).json()["error"]
    assert directory["code"] == "Authorization_RequestDenied"


@pytest.mark.parametrize(("name", "status"), [("boss@contoso.test", 403), ("temp@contoso.test", 204)])
def test_a_user_administrator_does_not_touch_those_with_roles(person, name: str, status: int) -> None:
    client = person("User Administrator")
    body = {"passwordProfile": {"password": "another-Harbour-72"}}
    assert client.patch(f"/v1.0/users/{name}", body).status == status
    assert client.send("DELETE", f"/v1.0/users/{name}").status == status
    assert person("Global Administrator").patch("/v1.0/users/boss@contoso.test", body).status == 204
