"""Who gets in, and the words for those who do not."""

import pytest

from tests.api_fakes import APP, HOME, Application

GRAPH = "/v1.0/security/incidents"
XDR = "/api/incidents"


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (None, "Access token is empty."),
        ("expired", "Lifetime validation failed, the token is expired."),
        ("xdr", "Access token validation failure. Invalid audience."),
        ("graph-lost", "Access token validation failure. Invalid signature."),
    ],
)
def test_graph_401(application: Application, token: str | None, message: str) -> None:
    answer = application.client(token).get(GRAPH)
    assert answer.status == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert answer.json()["error"]["message"] == message
    assert answer.headers["www-authenticate"].startswith('Bearer realm="", authorization_uri="https://localhost/')


@pytest.mark.parametrize("header", ["Basic Zm9vOmJhcg==", "Bearer", "Bearer   ", "graph", ""])
def test_what_is_no_bearer_token(application: Application, header: str) -> None:
    answer = application.client().get(XDR, authorization=header)
    assert answer.status == 401
    assert answer.json() == {
        "error": {
            "code": "Unauthorized",
            "message": "The access token is missing.",
            "target": answer.headers["request-id"],
        }
    }
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_without_its_scheme_is_read_as_a_token(application: Application) -> None:
    answer = application.client().get(GRAPH, authorization="not.a.token")
    assert (answer.status, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert answer.json()["error"]["message"] != "Access token is empty."


def test_graph_403_lists_the_missing_roles(application: Application) -> None:
    answer = application.client("graph-user").get(GRAPH)
    assert answer.status == 403
    answer = application.client("nothing").get(GRAPH)
    assert answer.status == 403
    assert answer.json()["error"]["code"] == "Forbidden"
    assert answer.json()["error"]["message"] == (
        "Missing application roles. API required roles: SecurityIncident.Read.All,SecurityIncident.ReadWrite.All, "
        "application roles: ."
    )
    assert "www-authenticate" not in answer.headers


def test_defender_403(application: Application) -> None:
    answer = application.client("mde").patch(f"{XDR}/1", {"status": "Resolved"})
    assert answer.status == 403
    assert answer.json()["error"]["message"] == (
        "The application does not have any of the required application permissions (Incident.ReadWrite.All) "
        "to access the resource."
    )


@pytest.mark.parametrize(
    ("token", "method", "path", "status"),
    [
        ("graph", "GET", GRAPH, 200),
        ("graph-reader", "GET", GRAPH, 200),
        ("graph-reader", "PATCH", f"{GRAPH}/1", 403),
        ("graph-reader", "GET", "/v1.0/security/alerts_v2", 200),
        ("graph-reader", "POST", "/v1.0/security/runHuntingQuery", 403),
        ("graph-user", "POST", "/v1.0/security/runHuntingQuery", 200),
        ("xdr", "GET", XDR, 200),
        ("mde", "GET", XDR, 200),
        ("graph", "GET", XDR, 401),
        ("mde", "POST", "/api/advancedqueries/run", 200),
        ("mde", "POST", "/api/advancedhunting/run", 403),
        ("xdr", "POST", "/api/advancedhunting/run", 200),
        ("xdr", "POST", "/api/advancedqueries/run", 403),
    ],
)
def test_permissions(application: Application, token: str, method: str, path: str, status: int) -> None:
    client = application.client(token)
    assert client.send(method, path, body=b'{"Query":"print 1"}').status == status


def test_the_tenant_is_the_tokens(application: Application) -> None:
    application.client("graph-user").post(
        "/v1.0/security/runHuntingQuery?tenantId=x", {"query": "print 1", "tenantId": "x"}, x_tenant="x"
    )
    assert [tenant for tenant, *_ in application.hunting.asked] == [HOME]


def test_what_is_reported_of_a_request(application: Application) -> None:
    application.client("xdr").get(XDR)
    record = application.records[-1]
    assert (record.operation, record.status, record.tenant_id, record.app_id) == (
        "defender.list_incidents",
        200,
        HOME,
        APP,
    )
    application.client("nothing").get(GRAPH)
    record = application.records[-1]
    assert (record.operation, record.status, record.error_code) == ("graph.list_incidents", 403, "Forbidden")
    assert record.error is None
