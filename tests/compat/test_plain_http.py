"""A script with nothing but urllib: v1 token, then each hunting endpoint, as the access pages' samples do it."""

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request

import pytest

from .conftest import DemoServer

COUNT = "DeviceProcessEvents | summarize n = count()"


def post(server: DemoServer, path: str, body: bytes, headers: dict[str, str] | None = None):
    request = urllib.request.Request(server.base_url + path, data=body, headers=headers or {})
    context = ssl.create_default_context(cafile=server.ca_file)
    with urllib.request.urlopen(request, context=context, timeout=60) as answer:
        return json.load(answer)


def v1_token(server: DemoServer, resource: str, tenant: str | None = None, kind: str = "confidential") -> str:
    app = server.app(kind)
    form = {
        "resource": resource,
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        "grant_type": "client_credentials",
    }
    answer = post(server, f"/{tenant or server.home['tenant_id']}/oauth2/token", urllib.parse.urlencode(form).encode())
    assert isinstance(answer["expires_in"], str)
    assert answer["resource"] == resource
    return answer["access_token"]


@pytest.mark.parametrize(
    ("resource", "path", "names"),
    [
        ("https://api.security.microsoft.com", "/api/advancedhunting/run", ("Schema", "Name", "Results")),
        ("https://api.securitycenter.microsoft.com", "/api/advancedqueries/run", ("Schema", "Name", "Results")),
        ("https://graph.microsoft.com", "/v1.0/security/runHuntingQuery", ("schema", "name", "results")),
        (
            "https://graph.microsoft.com",
            "/v1.0//security/microsoft.graph.security.runHuntingQuery",
            ("schema", "name", "results"),
        ),
    ],
)
def test_hunting(demo_server: DemoServer, resource: str, path: str, names: tuple[str, str, str]) -> None:
    schema, name, results = names
    answer = post(
        demo_server,
        path,
        json.dumps({"Query": COUNT}).encode(),
        {"Authorization": f"Bearer {v1_token(demo_server, resource)}", "Content-Type": "application/json"},
    )
    assert [column[name] for column in answer[schema]] == ["n"]
    assert answer[results][0]["n"] > 100


def test_customer_tenant_sees_none_of_the_home_tenants_rows(demo_server: DemoServer) -> None:
    token = v1_token(
        demo_server, "https://api.security.microsoft.com", str(demo_server.customer["tenant_id"]), "multitenant"
    )
    answer = post(
        demo_server,
        "/api/advancedhunting/run",
        json.dumps({"Query": COUNT}).encode(),
        {"Authorization": f"Bearer {token}"},
    )
    assert answer["Results"] == [{"n": 0}]


def test_incidents(demo_server: DemoServer) -> None:
    token = v1_token(demo_server, "https://api.security.microsoft.com")
    request = urllib.request.Request(
        demo_server.base_url + "/api/incidents?$filter=lastUpdateTime+ge+2024-01-01T00:00:00.0000000Z",
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
    )
    context = ssl.create_default_context(cafile=demo_server.ca_file)
    with urllib.request.urlopen(request, context=context, timeout=60) as answer:
        incidents = json.load(answer)["value"]
    assert len(incidents) >= 2
    assert all(incident["alerts"] for incident in incidents)


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"Authorization": "Bearer x.y.z"}, 401)])
def test_without_a_token(demo_server: DemoServer, headers: dict[str, str], status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(demo_server, "/api/advancedhunting/run", json.dumps({"Query": COUNT}).encode(), headers)
    assert caught.value.code == status
    assert set(json.load(caught.value)["error"]) >= {"code", "message"}
    caught.value.close()
