"""Calls of the APIs: their ids come back from every surface, and each is a row that can be hunted."""

import uuid
from typing import Any

import httpx2
import pytest

from .conftest import GRAPH, MDE, XDR, Demo, eventually

CALLS = (
    ("GET", "/v1.0/security/incidents?$top=1", GRAPH, 200),
    ("GET", "/v1.0/security/incidents/999999", GRAPH, 404),
    ("GET", "/beta/security/incidents?$top=500", GRAPH, 400),
    ("GET", "/api/incidents", XDR, 200),
    ("GET", "/api/incidents/999999", XDR, 404),
    ("GET", "/api/incidents?$filter=nothing", XDR, 400),
    ("GET", "/api/indicators", MDE, 200),
    ("GET", "/api/v1.0/machines/nobody", MDE, 404),
    ("GET", "/api/indicators?$filter=nothing", MDE, 400),
)
"""Method, path, resource of the token, and the status."""

OTHERS = (
    ("/healthz", 200),
    ("/openapi", 200),
    ("/ingest/v1/events", 405),
    ("/vedette/v1/faults", 401),
    ("/portal/nothing", 404),
    ("/nowhere/at/all", 404),
)


def columns(rows: list[dict[str, Any]], name: str) -> list[object]:
    return [row[name] for row in rows]


def test_every_call_is_a_row_that_can_be_hunted(demo: Demo) -> None:
    run = uuid.uuid4().hex
    for number, (method, path, resource, status) in enumerate(CALLS):
        answer = demo.ask(method, path, resource, headers={"client-request-id": f"{run}-{number}"})
        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["client-request-id"] == f"{run}-{number}"
    query = (
        f"GraphAPIAuditEvents | where ClientRequestId startswith '{run}' | order by ClientRequestId asc"
        " | project RequestMethod, ResponseStatusCode, TargetWorkload, RequestUri, ApplicationId, Timestamp"
    )
    assert eventually(lambda: len(demo.hunt(query)) == len(CALLS))
    rows = demo.hunt(query)
    assert columns(rows, "RequestMethod") == [method for method, *_ in CALLS]
    assert columns(rows, "ResponseStatusCode") == [str(status) for *_, status in CALLS]
    assert columns(rows, "TargetWorkload") == ["Microsoft.Graph.Security"] * 3 + ["Microsoft.Defender"] * 6
    assert all(str(row["RequestUri"]).endswith(path) for row, (_, path, *_) in zip(rows, CALLS, strict=True))
    assert set(columns(rows, "ApplicationId")) == {demo.document["apps"][0]["client_id"]}


def test_no_tenant_sees_calls_of_another(demo: Demo) -> None:
    other = demo.document["apps"][0]["tenant_id"]
    assert demo.hunt(f"GraphAPIAuditEvents | where TenantId != '{other}' | take 1") == []


@pytest.mark.parametrize(("path", "status"), OTHERS)
def test_every_surface_repeats_the_clients_request_id(demo: Demo, path: str, status: int) -> None:
    with demo.server.client() as client:
        answer = client.get(path, headers={"client-request-id": "mine-1"})
    assert (answer.status_code, answer.headers["client-request-id"]) == (status, "mine-1")


def test_the_token_endpoint_repeats_it_where_it_is_asked_to(demo: Demo) -> None:
    mine = str(uuid.uuid4())
    headers = {"client-request-id": mine, "return-client-request-id": "true"}
    tenant_id = demo.document["tenants"][0]["tenant_id"]
    with demo.server.client() as client:
        found = client.get(f"/{tenant_id}/v2.0/.well-known/openid-configuration", headers=headers)
        refused = client.post(f"/{tenant_id}/oauth2/v2.0/token", data={"grant_type": "nothing"}, headers=headers)
    assert (found.status_code, refused.status_code) == (200, 400)
    assert [answer.headers["client-request-id"] for answer in (found, refused)] == [mine, mine]


def test_calls_are_counted_by_tenant(demo: Demo) -> None:
    def counted(client: httpx2.Client, tenant_id: str) -> float:
        start = f'vedette_tenant_requests_total{{surface="graph",tenant="{tenant_id}"}} '
        lines = client.get("/metrics").text.splitlines()
        return sum(float(line.removeprefix(start)) for line in lines if line.startswith(start))

    tenant_id = demo.document["apps"][0]["tenant_id"]
    with demo.server.client() as client:
        before = counted(client, tenant_id)
        for path in ("/v1.0/security/incidents", "/v1.0/security/incidents/999999"):
            demo.ask("GET", path, GRAPH)
        assert counted(client, tenant_id) == before + 2


def test_refused_calls_can_be_hunted(demo: Demo) -> None:
    admin = (demo.server.data / "run" / "administrator.token").read_text()
    mine = {"client-request-id": f"refused-{uuid.uuid4()}"}
    with demo.server.client(headers={"Authorization": f"Bearer {admin}"}) as client:
        fault = {"kind": "429", "operation": "graph.list_alerts", "count": 1}
        assert client.post("/vedette/v1/faults", json=fault).status_code == 201
    throttled = demo.ask("GET", "/v1.0/security/alerts_v2", GRAPH, headers=mine)
    misdirected = demo.ask("GET", "/v1.0/security/alerts_v2", XDR, headers=mine)  # its token is for something else
    assert (throttled.status_code, misdirected.status_code) == (429, 401)
    query = (
        f"GraphAPIAuditEvents | where ClientRequestId == '{mine['client-request-id']}'"
        " | summarize Statuses = make_set(ResponseStatusCode), Apps = dcount(ApplicationId)"
    )
    assert eventually(lambda: sorted(demo.hunt(query)[0]["Statuses"]) == ["401", "429"])
    assert demo.hunt(query)[0]["Apps"] == 1
