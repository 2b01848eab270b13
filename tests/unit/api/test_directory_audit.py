"""Every kind of change over the management API is told to the audit, with who made it and what it is about."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from tests import api_fakes
from tests.api_fakes import HOME, Application, principal
from tests.asgi import AsgiClient
from vedette.contracts.directory_changes import load_directory_changes
from vedette.contracts.operations import load_operations
from vedette.contracts.permissions import load_directory_roles, load_resources
from vedette.contracts.tables import load_tables
from vedette.identity.audit import CHANGE_TABLES, TOPIC, Event
from vedette.identity.audit_rows import row_of
from vedette.jobs.tables import OUTBOX

from .test_graph_directory import EVERYTHING, PASSWORD, admin, certificate, directory, made, new_application, proof

__all__ = ["admin", "directory"]

WRITES = {
    operation.handler: operation
    for operation in load_operations()["graph"].operations
    if operation.part == "directory" and operation.method != "GET"
}
MTP = load_resources()["mtp"]
ROLE = {
    "id": "11111111-2222-4333-8444-555555555555",
    "value": "Heron.Read",
    "displayName": "Read herons",
    "description": "Read herons",
    "allowedMemberTypes": ["User"],
    "isEnabled": True,
}


def rows(application: Application) -> dict[str, list[dict[str, Any]]]:
    """What the worker would write, by table."""
    found: dict[str, list[dict[str, Any]]] = {table: [] for table in CHANGE_TABLES}
    with application.store.connect() as connection:
        for payload in connection.scalars(select(OUTBOX.c.payload).where(OUTBOX.c.topic == TOPIC)):
            for event in payload["events"]:
                found[event["table"]].append(row_of(Event(**event)))
    return found


class Administrator:
    """Does everything once; `done` says which operations that were."""

    def __init__(self, client: AsgiClient) -> None:
        self._client = client
        self.done: set[str] = set()

    def call(self, handler: str, path: str, body: object = None) -> Any:
        operation = WRITES[handler]
        content = None if body is None else json.dumps(body).encode()
        answer = self._client.send(operation.method, f"/v1.0{path}", body=content or b"")
        assert answer.status < 300, (handler, answer.body)
        self.done.add(handler)
        return answer.json() if answer.body else None

    def everything(self) -> None:
        self._applications()
        self._principals()
        self._people()

    def _applications(self) -> None:
        application = self.call("create_application", "/applications", {"displayName": "Wren"})
        target = f"/applications/{application['id']}"
        self.call("update_application", target, {"displayName": "Wren 2"})
        secret = self.call("add_application_password", f"{target}/addPassword")
        self.call("remove_application_password", f"{target}/removePassword", {"keyId": secret["keyId"]})
        self._keys("application", target, application["id"], "update_application")
        audience = "api://AzureADTokenExchange"
        federated = {"name": "deploy", "issuer": "https://ci.example", "subject": "s", "audiences": [audience]}
        credentials = f"{target}/federatedIdentityCredentials"
        made_ = self.call("create_federated_credential", credentials, federated)
        self.call("update_federated_credential", f"{credentials}/{made_['id']}", {"subject": "t"})
        self.call("delete_federated_credential", f"{credentials}/{made_['id']}")
        deleted = f"/directory/deletedItems/{application['id']}"
        self.call("delete_application", target)
        self.call("restore_deleted_item", f"{deleted}/restore")
        self.call("delete_application", target)
        self.call("delete_deleted_item", deleted)

    def _keys(self, kind: str, target: str, object_id: str, first: str) -> None:
        key, pem = certificate()
        credential = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": pem}
        self.call(first, target, {"keyCredentials": [credential]})
        vouched = {"proof": proof(key, object_id)}
        added = self.call(f"add_{kind}_key", f"{target}/addKey", {"keyCredential": credential, **vouched})
        self.call(f"remove_{kind}_key", f"{target}/removeKey", {"keyId": added["keyId"], **vouched})

    def _principals(self) -> None:
        application = new_application(self._client, appRoles=[ROLE])
        client = self.call("create_service_principal", "/servicePrincipals", {"appId": application["appId"]})
        target = f"/servicePrincipals/{client['id']}"
        self.call("update_service_principal", target, {"notes": "x"})
        secret = self.call("add_principal_password", f"{target}/addPassword")
        self.call("remove_principal_password", f"{target}/removePassword", {"keyId": secret["keyId"]})
        self._keys("principal", target, client["id"], "update_service_principal")
        api = self._client.get(f"/v1.0/servicePrincipals(appId='{MTP.app_id}')").json()
        body = {"principalId": client["id"], "resourceId": api["id"], "appRoleId": MTP.app_roles[0].id}
        held = self.call("create_role_assignment", f"{target}/appRoleAssignments", body)
        self.call("delete_role_assignment", f"{target}/appRoleAssignments/{held['id']}")
        given = f"/servicePrincipals/{api['id']}/appRoleAssignedTo"
        held = self.call("create_assigned_role", given, body)
        self.call("delete_assigned_role", f"{given}/{held['id']}")
        grant = {"clientId": client["id"], "consentType": "AllPrincipals", "resourceId": api["id"]}
        made_ = self.call("create_grant", "/oauth2PermissionGrants", {**grant, "scope": "Incident.Read"})
        self.call("update_grant", f"/oauth2PermissionGrants/{made_['id']}", {"scope": "Incident.ReadWrite"})
        self.call("delete_grant", f"/oauth2PermissionGrants/{made_['id']}")
        self._given_to_people(client["id"])
        self.call("delete_service_principal", target)

    def _given_to_people(self, resource_id: str) -> None:
        user = self._client.get("/v1.0/users/ada@contoso.test").json()
        group = made(self._client.post("/v1.0/groups", {"displayName": "G", "mailNickname": "g"}))
        for kind, collection, holder in (("user", "users", user), ("group", "groups", group)):
            target = f"/{collection}/{holder['id']}/appRoleAssignments"
            body = {"principalId": holder["id"], "resourceId": resource_id, "appRoleId": ROLE["id"]}
            held = self.call(f"create_{kind}_role", target, body)
            self.call(f"delete_{kind}_role", f"{target}/{held['id']}")

    def _people(self) -> None:
        profile = {"password": PASSWORD, "forceChangePasswordNextSignIn": False}
        person = {"accountEnabled": True, "displayName": "Bea", "mailNickname": "bea", "passwordProfile": profile}
        user = self.call("create_user", "/users", {**person, "userPrincipalName": "bea@contoso.test"})
        target = f"/users/{user['id']}"
        for change in ({"jobTitle": "x"}, {"accountEnabled": False}, {"accountEnabled": True}):
            self.call("update_user", target, change)
        self.call("update_user", target, {"passwordProfile": profile})
        self.call("revoke_sign_in_sessions", f"{target}/revokeSignInSessions")
        group = self.call("create_group", "/groups", {"displayName": "H", "mailNickname": "h"})
        members, reference = f"/groups/{group['id']}", {"@odata.id": f"https://localhost/v1.0/users/{user['id']}"}
        self.call("update_group", members, {"description": "x"})
        self.call("add_group_member", f"{members}/members/$ref", reference)
        self.call("remove_group_member", f"{members}/members/{user['id']}/$ref")
        self.call("delete_group", members)
        role = load_directory_roles()["Security Reader"].id
        by_template = f"/directoryRoles(roleTemplateId='{role}')/members"
        self.call("add_directory_role_member", f"{by_template}/$ref", reference)
        self.call("remove_directory_role_member", f"{by_template}/{user['id']}/$ref")
        assignment = {"principalId": user["id"], "roleDefinitionId": role, "directoryScopeId": "/"}
        assignments = "/roleManagement/directory/roleAssignments"
        made_ = self.call("create_directory_role_assignment", assignments, assignment)
        self.call("delete_directory_role_assignment", f"{assignments}/{made_['id']}")
        self.call("delete_user", target)


@pytest.fixture
def administrator(admin: AsgiClient) -> Iterator[Administrator]:
    administrator = Administrator(admin)
    administrator.everything()
    return administrator


def test_every_writing_operation_is_a_change_that_has_a_name() -> None:
    named = {name for change in load_directory_changes().values() for name in change.operations}
    assert named == set(WRITES)


def test_every_change_is_told_in_both_tables(administrator: Administrator, directory: Application) -> None:
    assert administrator.done == set(WRITES)
    found = rows(directory)
    told = {row["ActionType"] for row in found["IdentityDirectoryEvents"]}
    by_api = [each for each in load_directory_changes().values() if each.operations]
    on_accounts = [load_directory_changes()[key] for key in ("enable_user", "disable_user", "reset_password")]
    assert told >= {change.action.strip() for change in (*by_api, *on_accounts)}
    assert {row["ActionType"].rstrip(". ") for row in found["CloudAppEvents"]} == told
    for table in CHANGE_TABLES:
        known = {column.name for column in load_tables()[table].columns}
        assert all(set(row) <= known for row in found[table])


def test_no_secret_is_told(administrator: Administrator, directory: Application) -> None:
    assert administrator.done
    assert PASSWORD not in json.dumps(rows(directory))
    assert "secretText" not in json.dumps(rows(directory))


def test_a_row_says_who_with_what_and_about_whom(
    directory: Application, admin: AsgiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = admin.get("/v1.0/users/ada@contoso.test").json()
    caller = principal("graph", scopes=tuple(EVERYTHING), kind="user", directory_roles=administrators())
    monkeypatch.setitem(api_fakes.PRINCIPALS, "person", _with_id(caller, ada["id"]))
    group = made(directory.client("person").post("/v1.0/groups", {"displayName": "Herons", "mailNickname": "h"}))
    [row] = rows(directory)["IdentityDirectoryEvents"]
    assert (row["AccountUpn"], row["AccountObjectId"], row["AccountDomain"]) == (
        "ada@contoso.test",
        ada["id"],
        "contoso.test",
    )
    assert (row["ActionType"], row["TargetAccountDisplayName"]) == ("Add group", "Herons")
    assert json.loads(row["AdditionalFields"])["TARGET_OBJECT.ID"] == group["id"]
    [activity] = rows(directory)["CloudAppEvents"]
    assert (activity["ActionType"], activity["ObjectName"], activity["AccountId"]) == (
        "Add group.",
        "Herons",
        "ada@contoso.test",
    )
    assert activity["AccountType"] == "Regular"
    assert activity["OAuthAppId"] == caller.app_id


def test_a_refused_change_is_not_told(directory: Application) -> None:
    assert directory.client("reader").post("/v1.0/groups", {"displayName": "H", "mailNickname": "h"}).status == 403
    assert rows(directory) == {table: [] for table in CHANGE_TABLES}


def administrators() -> tuple[str, ...]:
    return (load_directory_roles()["Global Administrator"].id,)


def _with_id(caller: Any, object_id: str) -> Any:

    assert caller.tenant_id == HOME
    return msgspec.structs.replace(caller, object_id=object_id)
