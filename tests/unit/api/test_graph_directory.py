"""Management of the directory over HTTP: applications, consent, people, roles, tenants."""

import base64
import datetime
import hashlib
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select

from tests import api_fakes
from tests.api_fakes import HOME, NOW, OTHER, Application, principal
from tests.asgi import Answer, AsgiClient
from vedette.contracts.operations import load_operations
from vedette.contracts.permissions import load_directory_roles, load_resources
from vedette.identity.directory.tenants import Tenants
from vedette.identity.directory.users import Users
from vedette.identity.provisioning import Provisioning
from vedette.store.secrets import Secret

GRAPH = load_resources()["graph"]
MTP = load_resources()["mtp"]
EVERYTHING = {name for each in load_operations()["graph"].operations for name in each.application}
PASSWORD = "quiet-Harbour-71"


@pytest.fixture
def directory(application: Application, monkeypatch: pytest.MonkeyPatch) -> Application:
    """Two tenants, and callers that may do everything, read, or change only what is theirs."""
    callers = {
        "admin": principal("graph", *EVERYTHING),
        "other": principal("graph", *EVERYTHING, tenant_id=OTHER),
        "reader": principal("graph", "Directory.Read.All"),
        "owner": principal("graph", "Application.ReadWrite.OwnedBy"),
    }
    for name, caller in callers.items():
        monkeypatch.setitem(api_fakes.PRINCIPALS, name, caller)
    with application.store.begin() as connection:
        admin = Provisioning(connection, application.identity)
        admin.create_tenant("Contoso", "contoso.test", tenant_id=HOME, is_home=True)
        admin.create_tenant("Fabrikam", "fabrikam.test", tenant_id=OTHER)
        admin.create_user(HOME, "ada@contoso.test", "Ada", Secret(PASSWORD), roles=["Security Reader"])
    return application


@pytest.fixture
def admin(directory: Application) -> AsgiClient:
    return directory.client("admin")


def made(answer: Answer, status: int = 201) -> Any:
    assert answer.status == status, answer.body
    return answer.json()


def new_application(client: AsgiClient, **members: object) -> Any:
    return made(client.post("/v1.0/applications", {"displayName": "Heron", **members}))


def generation(directory: Application, tenant_id: str = HOME) -> int | None:
    with directory.store.connect() as connection:
        return Tenants(connection).generation(tenant_id)


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["error"]["code"]


def test_an_application_has_the_documented_members_and_defaults(admin: AsgiClient) -> None:
    created = new_application(admin)
    assert created["@odata.context"] == "https://localhost/v1.0/$metadata#applications/$entity"
    assert created["signInAudience"] == "AzureADMyOrg"
    assert created["publisherDomain"] == "contoso.test"
    assert created["api"]["requestedAccessTokenVersion"] is None
    assert created["web"]["implicitGrantSettings"] == {
        "enableAccessTokenIssuance": False,
        "enableIdTokenIssuance": False,
    }
    for target in (f"/v1.0/applications/{created['id']}", f"/v1.0/applications(appId='{created['appId']}')"):
        assert admin.get(target).json() == created
    assert admin.get(f"/v1.0/servicePrincipals(appId='{created['appId']}')").status == 404


def test_an_application_is_changed_member_by_member(admin: AsgiClient) -> None:
    created = new_application(
        admin,
        web={"redirectUris": ["https://heron.test/in"], "homePageUrl": "https://heron.test"},
        publicClient={"redirectUris": ["http://localhost"]},
        description="hunts",
    )
    target = f"/v1.0/applications/{created['id']}"
    patch = {
        "@odata.type": "#microsoft.graph.application",
        "displayName": "Heron 2",
        "spa": {"@odata.type": "microsoft.graph.spaApplication", "redirectUris": ["https://heron.test/app"]},
        "api": {"requestedAccessTokenVersion": 2},
        "identifierUris": ["api://heron"],
        "tags": ["a"],
    }
    assert admin.patch(target, patch).status == 204
    after = admin.get(target).json()
    assert (after["displayName"], after["description"], after["tags"]) == ("Heron 2", "hunts", ["a"])
    assert after["web"]["redirectUris"] == ["https://heron.test/in"]
    assert after["web"]["homePageUrl"] == "https://heron.test"
    assert after["spa"]["redirectUris"] == ["https://heron.test/app"]
    assert after["publicClient"]["redirectUris"] == ["http://localhost"]
    assert after["api"]["requestedAccessTokenVersion"] == 2
    assert admin.send("DELETE", target).status == 204
    assert code(admin.get(target)) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"displayName": ""},
        {"displayName": "x", "signInAudience": "AzureADandPersonalMicrosoftAccount"},
        {"displayName": "x", "web": {"redirectUris": ["http://heron.test/in"]}},
        {"displayName": "x", "web": {"redirectUris": ["https://heron.test/*"]}},
        {"displayName": "x", "web": {"colour": "blue"}},
        {"displayName": "x", "identifierUris": ["heron"]},
        {"displayName": "x", "logo": "aGk="},
        {"displayName": "x", "passwordCredentials": [{"displayName": "p"}]},
        {"displayName": "x", "keyCredentials": [{"key": "aGk=", "type": "AsymmetricX509Cert", "usage": "Verify"}]},
        {"displayName": "x", "requiredResourceAccess": [{"resourceAppId": "y", "resourceAccess": []}, 3]},
        {"displayName": "x", "appRoles": [{"id": "no-guid", "displayName": "r", "value": "r"}]},
        [],
    ],
)
def test_bad_applications_are_refused_and_leave_nothing(admin: AsgiClient, body: object) -> None:
    answer = admin.post("/v1.0/applications", body)
    assert answer.status == 400, answer.body
    assert answer.json()["error"]["code"] in {"Request_BadRequest", "BadRequest"}
    assert admin.get("/v1.0/applications").json()["value"] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("$filter=displayName eq 'App 1'", ["App 1"]),
        ("$filter=startswith(displayName,'App')&$orderby=displayName desc", ["App 3", "App 2", "App 1"]),
        ("$filter=signInAudience eq 'AzureADMultipleOrgs'", ["App 3"]),
        ("$orderby=displayName&$top=2", ["App 1", "App 2"]),
        ("$filter=displayName in ('App 1','App 3')&$orderby=displayName", ["App 1", "App 3"]),
    ],
)
def test_lists(admin: AsgiClient, query: str, expected: list[str]) -> None:
    for number in range(1, 4):
        audience = "AzureADMultipleOrgs" if number == 3 else "AzureADMyOrg"
        made(admin.post("/v1.0/applications", {"displayName": f"App {number}", "signInAudience": audience}))
    document = admin.get(f"/v1.0/applications?{quote(query, safe='$=&')}").json()
    assert [each["displayName"] for each in document["value"]] == expected


def test_pages_counts_and_selection(admin: AsgiClient) -> None:
    wanted = {new_application(admin, displayName=f"App {number}")["appId"] for number in range(5)}
    target: str | None = "/v1.0/applications?$top=2&$select=id,appId&$count=true"
    seen: list[str] = []
    while target:
        document = admin.get(target).json()
        assert document["@odata.count"] == 5
        assert all(set(each) == {"id", "appId"} for each in document["value"])
        seen += [each["appId"] for each in document["value"]]
        target = document.get("@odata.nextLink")
    assert (len(seen), set(seen)) == (5, wanted)
    assert code(admin.get("/v1.0/applications?$top=1000")) == (400, "")
    assert code(admin.get("/v1.0/applications?$search=x")) == (400, "BadRequest")


def test_a_secret_is_shown_once(directory: Application, admin: AsgiClient) -> None:
    application = new_application(admin)
    target = f"/v1.0/applications/{application['id']}"
    body = {"passwordCredential": {"displayName": "first", "endDateTime": "2030-01-01T00:00:00Z"}}
    secret = made(admin.post(f"{target}/addPassword", body), 200)
    assert 16 <= len(secret["secretText"]) <= 64
    assert secret["secretText"].startswith(secret["hint"])
    [shown] = admin.get(target).json()["passwordCredentials"]
    assert shown == {**{n: v for n, v in secret.items() if n != "@odata.context"}, "secretText": None}
    before = generation(directory)
    with directory.store.begin() as connection:
        Provisioning(connection, directory.identity).grant_admin_consent(HOME, application["appId"])
    assert admin.post(f"{target}/removePassword", {"keyId": secret["keyId"]}).status == 204
    assert generation(directory) != before
    assert code(admin.post(f"{target}/removePassword", {"keyId": secret["keyId"]})) == (404, "Request_ResourceNotFound")
    assert made(admin.send("POST", f"{target}/addPassword"), 200)["displayName"] is None


def certificate() -> tuple[rsa.RSAPrivateKey, str]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "heron")])
    start = datetime.datetime.fromtimestamp(NOW - 60, datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=30))
        .sign(key, SHA256())
    )
    return key, base64.b64encode(built.public_bytes(Encoding.DER)).decode()


def proof(key: rsa.RSAPrivateKey, issuer: str, **changes: object) -> str:
    claims = {"aud": "00000002-0000-0000-c000-000000000000", "iss": issuer, "nbf": int(NOW), "exp": int(NOW) + 600}
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return jwt.encode({"alg": "RS256"}, {**claims, **changes}, RSAKey.import_key(pem))


def test_certificates_need_a_proof_once_there_is_one(admin: AsgiClient) -> None:
    application = new_application(admin)
    target, (key, der), (_, second) = f"/v1.0/applications/{application['id']}", certificate(), certificate()
    credential = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": der, "displayName": "one"}
    assert admin.patch(target, {"keyCredentials": [credential]}).status == 204
    [first] = admin.get(target).json()["keyCredentials"]
    assert (
        first["customKeyIdentifier"] == hashlib.sha1(base64.b64decode(der), usedforsecurity=False).hexdigest().upper()
    )
    assert (first["displayName"], first["key"]) == ("one", None)
    body = {"keyCredential": {**credential, "key": second}, "passwordCredential": None}
    for bad in (proof(key, "x"), proof(key, application["id"], exp=int(NOW) + 6000), "a.b.c"):
        assert code(admin.post(f"{target}/addKey", {**body, "proof": bad})) == (400, "Request_BadRequest")
    good = proof(key, application["id"])
    added = made(admin.post(f"{target}/addKey", {**body, "proof": good}), 200)
    assert len(admin.get(target).json()["keyCredentials"]) == 2
    assert admin.post(f"{target}/removeKey", {"keyId": added["keyId"], "proof": good}).status == 204
    assert [each["keyId"] for each in admin.get(target).json()["keyCredentials"]] == [first["keyId"]]


def test_federated_credentials(admin: AsgiClient) -> None:
    application = new_application(admin)
    target = f"/v1.0/applications(appId='{application['appId']}')/federatedIdentityCredentials"
    body = {
        "name": "deploy",
        "issuer": "https://token.issuer.test",
        "subject": "repo:heron",
        "audiences": ["api://AzureADTokenExchange"],
        "description": "from the pipeline",
    }
    created = made(admin.post(target, body))
    assert {name: created[name] for name in body} == body
    assert admin.get(f"{target}/deploy").json() == admin.get(f"{target}/{created['id']}").json()
    assert admin.post(target, body).status == 400
    assert admin.patch(f"{target}/deploy", {"subject": "repo:egret"}).status == 204
    assert admin.get(f"{target}/deploy").json()["subject"] == "repo:egret"
    assert admin.post(target, {**body, "name": "plain", "issuer": "http://issuer.test"}).status == 400
    assert admin.send("DELETE", f"{target}/deploy").status == 204
    assert admin.get(target).json()["value"] == []


def service_principal(client: AsgiClient, app_id: str) -> Any:
    return made(client.post("/v1.0/servicePrincipals", {"appId": app_id}))


def resource(client: AsgiClient, app_id: str) -> Any:
    return client.get(f"/v1.0/servicePrincipals(appId='{app_id}')").json()


def test_consent_by_app_role_assignment(directory: Application, admin: AsgiClient) -> None:
    application = new_application(admin)
    client = service_principal(admin, application["appId"])
    api = resource(admin, MTP.app_id)
    role = next(role for role in api["appRoles"] if role["value"] == "Incident.Read.All")
    body = {"principalId": client["id"], "resourceId": api["id"], "appRoleId": role["id"]}
    before = generation(directory)
    assignment = made(admin.post(f"/v1.0/servicePrincipals/{api['id']}/appRoleAssignedTo", body))
    assert generation(directory) != before
    assert (assignment["principalType"], assignment["principalDisplayName"]) == ("ServicePrincipal", "Heron")
    assert assignment["resourceDisplayName"] == MTP.display_name
    again = admin.post(f"/v1.0/servicePrincipals/{client['id']}/appRoleAssignments", body)
    assert again.json()["error"]["message"] == "Permission being assigned already exists on the object"
    unknown = {**body, "appRoleId": HOME}
    assert code(admin.post(f"/v1.0/servicePrincipals/{api['id']}/appRoleAssignedTo", unknown)) == (
        400,
        "Request_BadRequest",
    )
    wrong_holder = admin.post(f"/v1.0/servicePrincipals/{api['id']}/appRoleAssignments", body)
    assert wrong_holder.status == 404
    for path in (f"{client['id']}/appRoleAssignments", f"{api['id']}/appRoleAssignedTo"):
        assert [each["id"] for each in admin.get(f"/v1.0/servicePrincipals/{path}").json()["value"]] == [
            assignment["id"]
        ]
    one = f"/v1.0/servicePrincipals/{client['id']}/appRoleAssignments/{assignment['id']}"
    assert admin.send("DELETE", one).status == 204
    assert admin.get(one).status == 404


def test_delegated_grants(admin: AsgiClient) -> None:
    application = new_application(admin)
    client, api = service_principal(admin, application["appId"]), resource(admin, MTP.app_id)
    body = {
        "clientId": client["id"],
        "consentType": "AllPrincipals",
        "resourceId": api["id"],
        "scope": "Incident.Read AdvancedHunting.Read",
    }
    grant = made(admin.post("/v1.0/oauth2PermissionGrants", body))
    assert grant["scope"] == "AdvancedHunting.Read Incident.Read"
    assert code(admin.post("/v1.0/oauth2PermissionGrants", body)) == (409, "Request_MultipleObjectsWithSameKeyValue")
    query = quote(f"$filter=clientId eq '{client['id']}'", safe="$=&")
    assert [each["id"] for each in admin.get(f"/v1.0/oauth2PermissionGrants?{query}").json()["value"]] == [grant["id"]]
    target = f"/v1.0/oauth2PermissionGrants/{grant['id']}"
    assert admin.patch(target, {"scope": "Incident.Read"}).status == 204
    assert admin.get(target).json()["scope"] == "Incident.Read"
    assert code(admin.patch(target, {"scope": "Nothing.Read"})) == (400, "Request_BadRequest")
    for change in ({"consentType": "Everybody"}, {"principalId": "x"}, {"consentType": "Principal"}):
        assert admin.post("/v1.0/oauth2PermissionGrants", {**body, **change}).status == 400
    assert admin.send("DELETE", target).status == 204
    assert admin.get(f"/v1.0/servicePrincipals/{client['id']}/oauth2PermissionGrants").json()["value"] == []


def test_service_principals(admin: AsgiClient) -> None:
    application = new_application(admin, identifierUris=["api://heron"])
    principal_ = service_principal(admin, application["appId"])
    assert principal_["servicePrincipalNames"] == ["api://heron", application["appId"]]
    assert code(admin.post("/v1.0/servicePrincipals", {"appId": application["appId"]})) == (400, "Request_BadRequest")
    assert code(admin.post("/v1.0/servicePrincipals", {"appId": HOME})) == (400, "Request_BadRequest")
    query = quote(f"$filter=servicePrincipalNames/any(c:c eq '{application['appId']}')", safe="$=&")
    assert [each["id"] for each in admin.get(f"/v1.0/servicePrincipals?{query}").json()["value"]] == [principal_["id"]]
    target = f"/v1.0/servicePrincipals/{principal_['id']}"
    assert admin.patch(target, {"accountEnabled": False, "tags": ["x"]}).status == 204
    assert admin.get(target).json()["accountEnabled"] is False
    assert admin.send("DELETE", target).status == 204
    graph = resource(admin, GRAPH.app_id)
    assert {role["value"] for role in graph["appRoles"]} >= {"ThreatHunting.Read.All"}
    assert code(admin.send("DELETE", f"/v1.0/servicePrincipals/{graph['id']}")) == (403, "Authorization_RequestDenied")


def test_a_multi_tenant_application_comes_to_another_tenant(directory: Application, admin: AsgiClient) -> None:
    single, multi = new_application(admin), new_application(admin, signInAudience="AzureADMultipleOrgs")
    other = directory.client("other")
    assert other.post("/v1.0/servicePrincipals", {"appId": single["appId"]}).status == 400
    assert service_principal(other, multi["appId"])["appOwnerOrganizationId"] == HOME


def test_tenants_do_not_see_each_other(directory: Application, admin: AsgiClient) -> None:
    other, application = directory.client("other"), new_application(admin)
    user = admin.get("/v1.0/users/ada@contoso.test").json()
    group = made(admin.post("/v1.0/groups", {"displayName": "Hunters", "mailNickname": "hunters"}))
    graph = resource(admin, GRAPH.app_id)
    for path in (
        f"applications/{application['id']}",
        f"applications(appId='{application['appId']}')",
        f"servicePrincipals/{graph['id']}",
        f"users/{user['id']}",
        "users/ada@contoso.test",
        f"groups/{group['id']}",
        f"organization/{HOME}",
        "domains/contoso.test",
    ):
        assert code(other.get(f"/v1.0/{path}")) == (404, "Request_ResourceNotFound"), path
        assert other.send("DELETE", f"/v1.0/{path}").status in (404, 405), path
        assert other.patch(f"/v1.0/{path}", {"displayName": "mine"}).status in (404, 405), path
    assert other.get("/v1.0/applications").json()["value"] == []
    assert other.get("/v1.0/users").json()["value"] == []


def test_permissions(directory: Application, admin: AsgiClient) -> None:
    application = new_application(admin)
    reader, nothing, owner = (directory.client(name) for name in ("reader", "nothing", "owner"))
    assert code(nothing.get("/v1.0/applications")) == (403, "Authorization_RequestDenied")
    assert nothing.get("/v1.0/applications").json()["error"]["message"] == (
        "Insufficient privileges to complete the operation."
    )
    assert reader.get(f"/v1.0/applications/{application['id']}").status == 200
    assert code(reader.post("/v1.0/applications", {"displayName": "x"})) == (403, "Authorization_RequestDenied")
    assert code(reader.get("/v1.0/me")) == (403, "Authorization_RequestDenied")
    own = new_application(owner)
    assert owner.patch(f"/v1.0/applications/{own['id']}", {"displayName": "Mine"}).status == 204
    with directory.store.begin() as connection:
        foreign = Provisioning(connection, directory.identity).create_application(HOME, "Theirs")
    target = f"/v1.0/applications/{foreign.id}"
    assert code(owner.send("POST", f"{target}/addPassword")) == (403, "Authorization_RequestDenied")
    assert code(owner.send("DELETE", target)) == (403, "Authorization_RequestDenied")


def test_users(directory: Application, admin: AsgiClient) -> None:
    body = {
        "accountEnabled": True,
        "displayName": "Grace",
        "mailNickname": "grace",
        "userPrincipalName": "Grace@contoso.test",
        "passwordProfile": {"password": PASSWORD, "forceChangePasswordNextSignIn": False},
        "jobTitle": "Hunter",
    }
    created = made(admin.post("/v1.0/users", body))
    assert created["userPrincipalName"] == "grace@contoso.test"
    assert set(created) - {"@odata.context"} == {
        "id",
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    }
    selected = admin.get("/v1.0/users/grace@contoso.test?$select=accountEnabled,mailNickname").json()
    assert (selected["accountEnabled"], selected["mailNickname"]) == (True, "grace")
    query = quote("$filter=userPrincipalName eq 'GRACE@contoso.test' and jobTitle eq 'Hunter'", safe="$=&")
    assert [each["id"] for each in admin.get(f"/v1.0/users?{query}").json()["value"]] == [created["id"]]
    anywhere = "(mail eq 'x') or (onPremisesSamAccountName eq 'x') or (employeeId eq 'x') or userType ne 'Member'"
    assert admin.get(f"/v1.0/users?{quote('$filter=' + anywhere, safe='$=&')}").json()["value"] == []
    synced = admin.get("/v1.0/users/grace@contoso.test?$select=onPremisesLastSyncDateTime,ageGroup,signInActivity")
    assert (synced.status, set(synced.json().values()) - {synced.json()["@odata.context"]}) == (200, {None})
    managed = admin.get("/v1.0/users/grace@contoso.test?$expand=manager($select=id)")
    assert (managed.status, "manager" in managed.json()) == (200, False)
    listed = admin.get("/v1.0/users?$top=999&$expand=manager($select=id)")
    assert (listed.status, ["manager" in each for each in listed.json()["value"]].count(True)) == (200, 0)
    assert admin.get("/v1.0/users?$expand=weather").status == 400
    assert admin.get("/v1.0/users/grace@contoso.test?$expand=nonsense").status == 400
    change = {"accountEnabled": False, "passwordProfile": {"password": "another-Harbour-72"}}
    before = generation(directory)
    assert admin.patch(f"/v1.0/users/{created['id']}", change).status == 204
    assert generation(directory) != before
    with directory.store.connect() as connection:
        users = Users(connection, HOME)
        user = users.get(created["id"])
        assert not user.account_enabled
        assert users.verify_password(user, Secret("another-Harbour-72"))
        assert user.tokens_valid_from == int(NOW) + 1
    assert admin.send("POST", f"/v1.0/users/{created['id']}/revokeSignInSessions").json()["value"] is True
    assert admin.send("DELETE", f"/v1.0/users/{created['id']}").status == 204
    assert admin.get(f"/v1.0/users/{created['id']}").status == 404
    assert admin.post("/v1.0/users", {**body, "userPrincipalName": "grace@fabrikam.test"}).status == 400
    assert admin.post("/v1.0/users", {**body, "userPrincipalName": "ada@contoso.test"}).status == 400
    assert admin.post("/v1.0/users", {**body, "passwordProfile": {"password": "short"}}).status == 400
    assert admin.post("/v1.0/users", {n: v for n, v in body.items() if n != "passwordProfile"}).status == 400


def test_groups_and_their_members(admin: AsgiClient) -> None:
    body = {"displayName": "Hunters", "mailNickname": "hunters", "mailEnabled": False, "securityEnabled": True}
    group = made(admin.post("/v1.0/groups", body))
    ada = admin.get("/v1.0/users/ada@contoso.test").json()["id"]
    members = f"/v1.0/groups/{group['id']}/members"
    reference = {"@odata.id": f"https://localhost/v1.0/directoryObjects/{ada}"}
    assert admin.post(f"{members}/$ref", reference).status == 204
    assert admin.post(f"{members}/$ref", reference).status == 400
    assert [each["id"] for each in admin.get(members).json()["value"]] == [ada]
    kinds = [each["@odata.type"] for each in admin.get(f"/v1.0/users/{ada}/memberOf").json()["value"]]
    assert kinds == ["#microsoft.graph.directoryRole", "#microsoft.graph.group"]
    for relation in ("memberOf", "transitiveMemberOf"):
        groups = f"/v1.0/users/{ada}/{relation}/microsoft.graph.group"
        cast = admin.get(f"{groups}?$select=id,displayName&$count=true").json()
        assert cast["@odata.context"].endswith("$metadata#groups(id,displayName)")
        assert (cast["@odata.count"], cast["value"]) == (1, [{"id": group["id"], "displayName": "Hunters"}])
    assert len(admin.get(f"/v1.0/users/{ada}/memberOf/graph.directoryRole").json()["value"]) == 1
    assert admin.get(f"/v1.0/users/{ada}/memberOf/microsoft.graph.device").json()["value"] == []
    assert admin.get(f"/v1.0/users/{ada}/memberOf/microsoft.graph.nonsense").status == 400
    assert [each["id"] for each in admin.get(f"{members}/microsoft.graph.user").json()["value"]] == [ada]
    assigned = quote("$filter=NOT(groupTypes/any(c:c eq 'DynamicMembership'))", safe="$=")
    assert len(admin.get(f"/v1.0/users/{ada}/memberOf?{assigned}").json()["value"]) == 2
    dynamic = quote("$filter=groupTypes/any(c:c eq 'DynamicMembership')", safe="$=")
    assert admin.get(f"/v1.0/users/{ada}/memberOf?{dynamic}").json()["value"] == []
    assert admin.send("DELETE", f"{members}/{ada}/$ref").status == 204
    assert admin.send("DELETE", f"{members}/{ada}/$ref").status == 404
    assert admin.post("/v1.0/groups", {**body, "groupTypes": ["Unified"]}).status == 400
    assert admin.send("DELETE", f"/v1.0/groups/{group['id']}").status == 204


@pytest.mark.parametrize("organization", [HOME, HOME.upper(), "contoso.test", "myorganization"])
def test_paths_that_name_the_organization(admin: AsgiClient, organization: str) -> None:
    answer = admin.get(f"/v1.0/{organization}/users/ada@contoso.test?$select=userPrincipalName")
    assert (answer.status, answer.json()["userPrincipalName"]) == (200, "ada@contoso.test")


@pytest.mark.parametrize(
    "path", [f"{OTHER}/users", "fabrikam.test/users", "contoso.test/nonsense", "myorganization/contoso.test/users"]
)
def test_paths_that_name_another_organization(admin: AsgiClient, path: str) -> None:
    answer = admin.get(f"/v1.0/{path}/ada@contoso.test")
    assert (answer.status, answer.json()["error"]["code"]) == (400, "BadRequest")


def test_directory_roles_in_both_dialects(admin: AsgiClient) -> None:
    role = load_directory_roles()["Security Operator"]
    ada = admin.get("/v1.0/users/ada@contoso.test").json()["id"]
    roles = admin.get("/v1.0/directoryRoles").json()["value"]
    assert {each["roleTemplateId"] for each in roles} == {each.id for each in load_directory_roles().values()}
    body = {"roleDefinitionId": role.id, "principalId": ada, "directoryScopeId": "/"}
    assignment = made(admin.post("/v1.0/roleManagement/directory/roleAssignments", body))
    target = f"/v1.0/roleManagement/directory/roleAssignments/{assignment['id']}"
    assert admin.get(target).json()["roleDefinitionId"] == role.id
    query = quote(f"$filter=principalId eq '{ada}' and roleDefinitionId eq '{role.id}'", safe="$=&")
    listed = admin.get(f"/v1.0/roleManagement/directory/roleAssignments?{query}").json()["value"]
    assert [each["id"] for each in listed] == [assignment["id"]]
    expanded = admin.get(f"/v1.0/roleManagement/directory/roleAssignments?{query}&$expand=roleDefinition").json()[
        "value"
    ]
    assert [each["roleDefinition"]["displayName"] for each in expanded] == ["Security Operator"]
    one = admin.get(f"{target}?$select=id&$expand=roleDefinition($select=displayName)").json()
    assert one["roleDefinition"] == {"displayName": "Security Operator"}
    assert admin.get(f"{target}?$expand=weather").status == 400
    members = f"/v1.0/directoryRoles(roleTemplateId='{role.id}')/members"
    assert [each["id"] for each in admin.get(members).json()["value"]] == [ada]
    assert admin.send("DELETE", f"{members}/{ada}/$ref").status == 204
    assert admin.get(target).status == 404
    assert admin.get("/v1.0/roleManagement/directory/roleAssignments/nonsense").status == 404
    assert (
        admin.post("/v1.0/roleManagement/directory/roleAssignments", {**body, "roleDefinitionId": HOME}).status == 400
    )


def test_the_tenant_itself_and_others(admin: AsgiClient) -> None:
    [organization] = admin.get("/v1.0/organization").json()["value"]
    assert (organization["id"], organization["displayName"]) == (HOME, "Contoso")
    assert [each["name"] for each in organization["verifiedDomains"]] == ["contoso.test"]
    assert admin.get("/v1.0/domains/contoso.test").json()["isDefault"] is True
    information = {
        "@odata.context": "https://localhost/v1.0/$metadata#microsoft.graph.tenantInformation",
        "tenantId": OTHER,
        "federationBrandName": None,
        "displayName": "Fabrikam",
        "defaultDomainName": "fabrikam.test",
    }
    root = "/v1.0/tenantRelationships/"
    assert admin.get(f"{root}findTenantInformationByTenantId(tenantId='{OTHER}')").json() == information
    assert admin.get(f"{root}findTenantInformationByDomainName(domainName='fabrikam.test')").json() == information
    assert admin.get(f"{root}findTenantInformationByDomainName(domainName='nobody.test')").status == 404


def test_deleting_an_application_ends_its_tokens(directory: Application, admin: AsgiClient) -> None:
    from vedette.identity.directory.tables import APP_ROLE_ASSIGNMENTS

    application = new_application(admin)
    with directory.store.begin() as connection:
        provisioning = Provisioning(connection, directory.identity)
        provisioning.add_required_permissions(HOME, application["appId"], "mtp", application=["Incident.Read.All"])
        provisioning.grant_admin_consent(HOME, application["appId"])
    before = generation(directory)
    assert admin.send("DELETE", f"/v1.0/applications/{application['id']}").status == 204
    assert generation(directory) != before
    with directory.store.connect() as connection:
        assert connection.execute(select(APP_ROLE_ASSIGNMENTS)).all() == []
