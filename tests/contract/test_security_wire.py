"""What incidents, alerts and hunting look like on the wire, document by document.

The documents lie in `wire/`. To accept a change, run with VEDETTE_WRITE_WIRE=1 and read the difference.
"""

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api_fakes import Application, CountingIds, assemble
from tests.asgi import AsgiClient
from tests.contract.graph_types import GraphTypes
from tests.contract.security_data import fill

WIRE = Path(__file__).parent / "wire"


@dataclasses.dataclass
class World:
    application: Application
    alert_ids: list[str]

    def client(self, token: str) -> AsgiClient:
        return self.application.client(token)


@pytest.fixture
def world() -> Iterator[World]:
    application = assemble()
    yield World(application, fill(application, CountingIds()))
    application.close()


def same_as_file(name: str, document: Any) -> None:
    path = WIRE / f"{name}.json"
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("VEDETTE_WRITE_WIRE") == "1":
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize(
    ("name", "token", "target"),
    [
        ("graph_incidents", "graph", "/v1.0/security/incidents"),
        ("graph_incidents_with_alerts", "graph", "/v1.0/security/incidents?$expand=alerts&$top=50&$count=true"),
        ("graph_incident", "graph", "/v1.0/security/incidents/1"),
        ("graph_incident_selected", "graph", "/beta/security/incidents/1?$select=id,displayName&$expand=alerts"),
        ("graph_incident_alerts", "graph", "/v1.0/security/incidents/2/alerts"),
        ("graph_alerts", "graph", "/v1.0/security/alerts_v2?$filter=severity eq 'low'"),
        ("graph_incident_of_another_tenant", "graph", "/v1.0/security/incidents/77"),
        ("graph_top_exceeded", "graph", "/v1.0/security/incidents?$top=100"),
        ("graph_legacy_alerts", "graph", "/v1.0/security/alerts"),
        ("graph_filter_error", "graph", "/v1.0/security/incidents?$filter=status eq"),
        ("xdr_incidents", "xdr", "/api/incidents"),
        ("xdr_incident", "xdr", "/api/incidents/1"),
        ("xdr_incident_not_found", "xdr", "/api/incidents/77"),
        ("xdr_filter_error", "xdr", "/api/incidents?$filter=severity eq 'High'"),
        ("xdr_top_exceeded", "xdr", "/api/incidents?$top=101"),
    ],
)
def test_reading(world: World, name: str, token: str, target: str) -> None:
    same_as_file(name, world.client(token).get(target.replace(" ", "%20")).json())


def test_graph_alert(world: World) -> None:
    same_as_file("graph_alert", world.client("graph").get(f"/v1.0/security/alerts_v2/{world.alert_ids[0]}").json())


def test_graph_comments(world: World) -> None:
    body = {"@odata.type": "microsoft.graph.security.alertComment", "comment": "And one more."}
    answer = world.client("graph").post("/v1.0/security/incidents/1/comments", body)
    assert answer.status == 200
    same_as_file("graph_incident_comments", answer.json())


@pytest.mark.parametrize(
    ("name", "token", "target"),
    [
        ("graph_hunting", "graph", "/v1.0//security/microsoft.graph.security.runHuntingQuery"),
        ("xdr_hunting", "xdr", "/api/advancedhunting/run"),
        ("mde_hunting", "mde", "/api/advancedqueries/run"),
    ],
)
def test_hunting(world: World, name: str, token: str, target: str) -> None:
    same_as_file(name, world.client(token).post(target, {"Query": "DeviceProcessEvents | take 1"}).json())


def test_graph_entities_are_of_their_published_types(world: World, shared: Path) -> None:
    types = GraphTypes(shared)
    client = world.client("graph")
    incidents = client.get("/v1.0/security/incidents?$expand=alerts").json()["value"]
    assert [len(incident["alerts"]) for incident in incidents] == [1, 2]
    for incident in incidents:
        assert list(types.problems(incident, "incident")) == []
        for alert in incident["alerts"]:
            assert list(types.problems(alert, "alert")) == []
    kinds = {
        item["@odata.type"] for incident in incidents for alert in incident["alerts"] for item in alert["evidence"]
    }
    assert len(kinds) == 14


def test_xdr_entities_have_every_documented_key(world: World, shared: Path) -> None:
    yaml = pytest.importorskip("yaml")
    contract = yaml.safe_load((shared / "contract" / "xdr_api.yaml").read_text())["incidents"]
    incidents = world.client("xdr").get("/api/incidents").json()["value"]
    entities = [entity for incident in incidents for alert in incident["alerts"] for entity in alert["entities"]]
    assert {entity["entityType"] for entity in entities} == set(contract["entity"]["entityType"]["values"])
    for entity in entities:
        assert list(entity) == contract["entity"]["keys"]
    for incident in incidents:
        assert set(incident) == set(contract["resource"])
        for alert in incident["alerts"]:
            assert set(alert) == set(contract["alert"])
            for device in alert["devices"]:
                assert set(device) == set(contract["device"])
