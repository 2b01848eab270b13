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


def test_alerts_take_any_determination_beside_their_classification(filled: Application) -> None:
    """As the documented example of Defender for Endpoint's update does."""
    (alert,) = incident(filled, 1)["alerts"]
    documented = {
        "status": "Resolved",
        "assignedTo": "secop2@contoso.com",
        "classification": "FalsePositive",
        "determination": "Malware",
        "comment": "Resolve my alert and assign to secop2",
    }
    answer = filled.client("endpoint").patch(f"/api/alerts/{alert['id']}", documented)
    assert answer.status == 200
    assert (answer.json()["classification"], answer.json()["determination"]) == ("FalsePositive", "Malware")
    graph = filled.client("graph")
    graph.patch(f"/v1.0/security/alerts_v2/{alert['id']}", {"status": "inProgress"})
    assert incident(filled, 1)["alerts"][0]["determination"] == "malware"
    graph.patch(f"/v1.0/security/alerts_v2/{alert['id']}", {"classification": "informationalExpectedActivity"})
    assert incident(filled, 1)["alerts"][0]["determination"] == "unknown"


def test_who_has_an_incident_has_its_alerts(filled: Application) -> None:
    xdr = filled.client("xdr")
    xdr.patch("/api/incidents/1", {"assignedTo": "secop2@contoso.com"})
    xdr.patch("/api/incidents/1", {"status": "InProgress"})
    document = xdr.get("/api/incidents/1").json()
    assert [alert["assignedTo"] for alert in document["alerts"]] == ["secop2@contoso.com"]
    document = xdr.patch("/api/incidents/1", {"assignedTo": ""}).json()
    assert (document["assignedTo"], document["alerts"][0]["assignedTo"]) == (None, None)


def test_tags_that_are_written_back_stay_whose_they_were(filled: Application) -> None:
    graph, xdr = filled.client("graph"), filled.client("xdr")
    graph.patch("/v1.0/security/incidents/2", {"customTags": ["two"]})
    graph.patch("/v1.0/security/incidents/3", {"customTags": ["three", "two"]})
    graph.post("/v1.0/security/incidents/mergeIncidents", {"incidentIds": ["2", "3"]})
    assert incident(filled, 2)["customTags"] == ["two", "three"]
    source = xdr.get("/api/incidents/3").json()
    assert source["tags"] == ["Redirected"]  # its own went with the alerts
    written = xdr.patch("/api/incidents/3", {"tags": [*source["tags"], "seen", "seen"]}).json()
    assert sorted(written["tags"]) == ["Redirected", "seen"]
    assert incident(filled, 3)["customTags"] == ["seen"]
    assert xdr.patch("/api/incidents/3", {"tags": []}).json()["tags"] == ["Redirected"]


def test_a_merged_incident_is_named_anew(filled: Application) -> None:
    graph = filled.client("graph")
    graph.patch("/v1.0/security/incidents/1", {"displayName": "Operation Heron"})
    graph.post("/v1.0/security/incidents/mergeIncidents", {"incidentIds": ["1", "2"]})
    assert "Heron" not in incident(filled, 1)["displayName"]


def test_what_would_contradict_itself_is_not_merged(filled: Application) -> None:
    graph = filled.client("graph")
    graph.patch("/v1.0/security/incidents/1", {"classification": "falsePositive"})
    graph.patch("/v1.0/security/incidents/2", {"determination": "malware"})
    answer = graph.post("/v1.0/security/incidents/mergeIncidents", {"incidentIds": ["1", "2"]})
    assert (answer.status, incident(filled, 2)["status"]) == (400, "active")


def test_alerts_follow_redirects(filled: Application) -> None:
    graph = filled.client("graph")
    graph.post("/v1.0/security/incidents/mergeIncidents", {"incidentIds": ["1", "2"]})
    (moved,) = incident(filled, 3)["alerts"]
    body = {"alertIds": [moved["id"]], "incidentId": "2"}
    assert graph.post("/v1.0/security/alerts_v2/moveAlerts", body).json()["targetIncidentId"] == "1"
    assert (len(incident(filled, 1)["alerts"]), incident(filled, 3)["redirectIncidentId"]) == (3, "1")
    body = {"title": "By hand", "severity": "low", "category": "Execution", "linkToIncident": 2}
    made = graph.post("/beta/security/alerts_v2/createAlert", body)
    assert made.json()["incidentId"] == "1"


@pytest.mark.parametrize("link", [{}, {"isExcludedFromCorrelation": True}, {"linkToIncident": 4}])
def test_an_alert_made_by_hand_leaves_no_other_incident(filled: Application, link: dict[str, Any]) -> None:
    (known,) = incident(filled, 4)["alerts"]
    entity = {"entityType": "user", "entityIdentifier": "accountName", "identifierValue": "nobody.else"}
    body = {"title": "By hand", "severity": "low", "category": "Execution", "entityDefinitions": [entity], **link}
    made = filled.client("graph").post("/beta/security/alerts_v2/createAlert", body).json()
    assert made["incidentId"] == str(link.get("linkToIncident", 8))
    with filled.store.connect() as connection:
        (entry,) = Alerts(connection, HOME).log(made["id"])
    assert (entry.activity, entry.actor, entry.via) == ("created", "Heron connector", "Microsoft Graph")
    listed = filled.client("graph").get("/v1.0/security/incidents?$expand=alerts").json()["value"]
    assert {each["status"] for each in listed} == {"active"}
    assert sum(len(each["alerts"]) for each in listed) == 8
    assert known["incidentId"] == "4"


def test_comments_are_no_longer_than_documented(filled: Application) -> None:
    xdr, graph = filled.client("xdr"), filled.client("graph")
    (alert,) = incident(filled, 1)["alerts"]
    assert xdr.patch("/api/incidents/1", {"comment": "é" * 30_000}).status == 200
    assert xdr.patch("/api/incidents/1", {"comment": "x" * 30_001, "status": "Resolved"}).status == 400
    assert graph.post("/v1.0/security/incidents/1/comments", {"comment": "x" * 30_001}).status == 400
    assert graph.post(f"/v1.0/security/alerts_v2/{alert['id']}/comments", {"comment": "x" * 30_001}).status == 400
    assert (incident(filled, 1)["status"], len(incident(filled, 1)["comments"])) == ("active", 1)


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
    assert [entry.via for entry in log] == [None, *["Microsoft Graph"] * 3]
    assert (log[3].facts["incident_ids"], len(log[3].facts["names"])) == ([2], 1)
    assert [entry.change_number for entry in log] == sorted(entry.change_number for entry in log)
    assert [entry.activity for entry in alert_log] == ["created", "moved"]
