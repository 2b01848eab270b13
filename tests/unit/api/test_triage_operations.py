"""What analysts do, over the API: assess, resolve, merge, move."""

from typing import Any

import pytest

from tests.api_fakes import HOME, Application
from tests.unit.api.test_paging_under_change import new_alert
from vedette.incidents.alerts import Alerts
from vedette.incidents.incidents import Incidents


@pytest.fixture
def filled(application: Application) -> Application:
    for number in range(7):
        new_alert(application, number)
        application.clock.advance(60)
    return application


def incident(application: Application, number: int) -> Any:
    return application.client("graph").get(f"/v1.0/security/incidents/{number}?$expand=alerts").json()


def test_merging_moves_alerts_and_tags_and_redirects(filled: Application) -> None:
    graph = filled.client("graph")
    graph.patch("/v1.0/security/incidents/2", {"customTags": ["two"], "assignedTo": "ann@contoso.test"})
    graph.post("/v1.0/security/incidents/2/comments", {"comment": "stays here"})
    answer = graph.post(
        "/beta/security/incidents/microsoft.graph.security.mergeIncidents",
        {"incidentIds": ["3", "2"], "incidentComment": "one campaign", "mergeReasons": "sameCampaign, sameActor"},
    )
    assert (answer.status, answer.json()["targetIncidentId"]) == (200, "2")
    target, source = incident(filled, 2), incident(filled, 3)
    assert len(target["alerts"]) == 2
    assert {alert["incidentId"] for alert in target["alerts"]} == {"2"}
    assert (target["customTags"], target["assignedTo"]) == (["two"], "ann@contoso.test")
    assert [comment["comment"] for comment in target["comments"]] == ["stays here", "one campaign"]
    assert (source["status"], source["redirectIncidentId"], source["alerts"]) == ("redirected", "2", [])
    assert source["systemTags"] == ["Redirected"]
    graph.post("/v1.0/security/incidents/mergeIncidents", {"incidentIds": ["1", "2"]})
    assert {incident(filled, number)["redirectIncidentId"] for number in (2, 3)} == {"1"}
    assert filled.client("xdr").get("/api/incidents/3").json()["redirectIncidentId"] == 1


@pytest.mark.parametrize(
    ("ids", "status"),
    [(["1"], 400), (["1", "1"], 400), (["1", "2", "3", "4", "5", "6"], 400), (["1", "77"], 404), (["x", "1"], 400)],
)
def test_merges_that_are_refused(filled: Application, ids: list[str], status: int) -> None:
    answer = filled.client("graph").post("/v1.0/security/incidents/mergeIncidents", {"incidentIds": ids})
    assert answer.status == status
    assert incident(filled, 1)["status"] == "active"


@pytest.mark.parametrize(
    "patches",
    [
        ({"status": "resolved"}, {}),
        ({"assignedTo": "ann"}, {"assignedTo": "bob"}),
        ({"classification": "truePositive"}, {"classification": "falsePositive"}),
    ],
)
def test_incidents_that_differ_are_not_merged(filled: Application, patches: tuple[Any, Any]) -> None:
    graph = filled.client("graph")
    for number, patch in enumerate(patches, 1):
        assert graph.patch(f"/v1.0/security/incidents/{number}", patch).status == 200
    assert graph.post("/v1.0/security/incidents/mergeIncidents", {"incidentIds": ["1", "2"]}).status == 400
    assert incident(filled, 2)["status"] != "redirected"


def test_merging_needs_its_permission_and_knows_its_reasons(filled: Application) -> None:
    body = {"incidentIds": ["1", "2"], "mergeReasons": "sameWhatever"}
    assert filled.client("graph").post("/v1.0/security/incidents/mergeIncidents", body).status == 400
    assert filled.client("graph-reader").post("/v1.0/security/incidents/mergeIncidents", body).status == 403


def test_alerts_move_into_another_incident_and_a_new_one(filled: Application) -> None:
    graph = filled.client("graph")
    (moved,) = incident(filled, 4)["alerts"]
    graph.patch("/v1.0/security/incidents/5", {"status": "resolved"})
    body = {"alertIds": [moved["id"]], "incidentId": "5", "alertComment": "same device"}
    assert graph.post("/v1.0/security/alerts_v2/moveAlerts", body).json()["targetIncidentId"] == "5"
    assert incident(filled, 5)["status"] == "active"  # a new alert opens it again
    assert incident(filled, 4)["redirectIncidentId"] == "5"
    body = {"alertIds": [moved["id"]], "incidentId": None}
    target = graph.post("/v1.0/security/alerts_v2/moveAlerts", body).json()["targetIncidentId"]
    assert target == "8"
    assert [alert["id"] for alert in incident(filled, 8)["alerts"]] == [moved["id"]]
    assert incident(filled, 5)["status"] == "active"
    assert graph.post("/v1.0/security/alerts_v2/moveAlerts", {"alertIds": ["da1_1"]}).status == 404


def test_resolving_an_incident_resolves_its_alerts(filled: Application) -> None:
    patch = {"status": "resolved", "classification": "truePositive", "determination": "malware"}
    filled.client("xdr").patch("/api/incidents/1", patch)
    (alert,) = incident(filled, 1)["alerts"]
    assert (alert["status"], alert["classification"], alert["determination"]) == (
        "resolved",
        "truePositive",
        "malware",
    )
    assert alert["resolvedDateTime"] is not None


def test_a_determination_goes_with_its_classification(filled: Application) -> None:
    graph = filled.client("graph")
    wrong = {"classification": "falsePositive", "determination": "malware"}
    assert graph.patch("/v1.0/security/incidents/1", wrong).status == 400
    assert incident(filled, 1)["classification"] == "unknown"
    right = {"classification": "truePositive", "determination": "malware"}
    assert graph.patch("/v1.0/security/incidents/1", right).status == 200
    assert graph.patch("/v1.0/security/incidents/1", {"classification": "FalsePositive"}).status == 200
    assert incident(filled, 1)["determination"] == "unknown"  # what the new classification rules out is forgotten
    (alert,) = incident(filled, 1)["alerts"]
    assert graph.patch(f"/v1.0/security/alerts_v2/{alert['id']}", wrong).status == 400


def test_everything_is_in_the_activity_log(filled: Application) -> None:
    graph = filled.client("graph")
    graph.patch("/v1.0/security/incidents/1", {"assignedTo": "ann", "status": "inProgress"})
    graph.post("/v1.0/security/incidents/1/comments", {"comment": "on it"})
    graph.post("/v1.0/security/incidents/mergeIncidents", {"incidentIds": ["1", "2"]})
    with filled.store.connect() as connection:
        log = Incidents(connection, HOME).log(1)
        alert_log = Alerts(connection, HOME).log(incident(filled, 1)["alerts"][1]["id"])
    assert [entry.activity for entry in log] == ["created", "updated", "commented", "merged"]
    assert log[1].facts == {"assigned_to": "ann", "status": "inProgress"}
    assert log[1].actor == "Heron connector"
    assert [entry.change_number for entry in log] == sorted(entry.change_number for entry in log)
    assert [entry.activity for entry in alert_log] == ["created", "moved"]
