"""Requests at once on one thing: each counts whole, in some order, and none is lost or done twice."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.api_fakes import Application
from tests.asgi import Answer
from tests.unit.api.test_bad_requests import indicator
from tests.unit.api.test_kept_lists import add
from tests.unit.api.test_paging_under_change import new_alert

CALLS = 6
LATER = "2025-11-25T12:00:00Z"
RULE = {
    "displayName": "Rule",
    "queryCondition": {"queryText": "DeviceProcessEvents | project Timestamp, DeviceId, ReportId"},
    "schedule": {"period": "12H"},
    "detectionAction": {
        "alertTemplate": {
            "title": "T",
            "severity": "medium",
            "category": "Execution",
            "impactedAssets": [
                {"@odata.type": "#microsoft.graph.security.impactedDeviceAsset", "identifier": "deviceId"}
            ],
        }
    },
}


def at_once(call: Callable[[int], Answer]) -> list[Answer]:
    """The answers to calls that were let go together."""
    barrier, answers = threading.Barrier(CALLS), [Answer(0, {}, b"")] * CALLS

    def run(number: int) -> None:
        barrier.wait(10)
        answers[number] = call(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CALLS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(0 < answer.status < 500 for answer in answers), answers
    return answers


def value(application: Application, token: str, target: str) -> Any:
    answer = application.client(token).get(target)
    assert answer.status == 200, answer.body
    return answer.json()


def test_comments_of_alerts(application: Application) -> None:
    alert_id = new_alert(application, 1)
    target = f"/v1.0/security/alerts_v2/{alert_id}"
    answers = at_once(lambda n: application.client("graph").post(f"{target}/comments", {"comment": f"c{n}"}))
    assert {answer.status for answer in answers} == {200}
    assert {each["comment"] for each in value(application, "graph", target)["comments"]} == {
        f"c{number}" for number in range(CALLS)
    }


def test_different_properties_of_an_incident(application: Application) -> None:
    new_alert(application, 1)
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("graph", {"assignedTo": "ann@contoso.test"}),
        ("graph", {"customTags": ["a"]}),
        ("xdr", {"comment": "Seen."}),
        ("xdr", {"classification": "TruePositive", "determination": "Malware"}),
        ("graph", {"displayName": "Named"}),
        ("xdr", {"status": "InProgress"}),
    ]
    paths = {"graph": "/v1.0/security/incidents/1", "xdr": "/api/incidents/1"}

    def patch(number: int) -> Answer:
        token, body = bodies[number]
        return application.client(token).patch(paths[token], body)

    assert {answer.status for answer in at_once(patch)} == {200}
    incident = value(application, "graph", paths["graph"])
    assert incident["assignedTo"] == "ann@contoso.test"
    assert (incident["customTags"], incident["displayName"]) == (["a"], "Named")
    assert (incident["classification"], incident["status"]) == ("truePositive", "inProgress")
    assert [each["comment"] for each in incident["comments"]] == ["Seen."]


def test_merges_of_the_same_incidents(application: Application) -> None:
    for number in range(3):
        new_alert(application, number)
    before = sum(
        len(each["alerts"]) for each in value(application, "graph", "/v1.0/security/incidents?$expand=alerts")["value"]
    )
    body = {"incidentIds": ["1", "2", "3"], "incidentComment": "One."}
    answers = at_once(lambda _: application.client("graph").post("/v1.0/security/incidents/mergeIncidents", body))
    assert sorted(answer.status for answer in answers)[0] == 200
    incidents = value(application, "graph", "/v1.0/security/incidents?$expand=alerts")["value"]
    redirected = [each for each in incidents if each["status"] == "redirected"]
    [kept] = [each for each in incidents if each["status"] != "redirected"]
    assert {each["redirectIncidentId"] for each in redirected} == {kept["id"]}
    assert (len(redirected), len(kept["alerts"])) == (2, before)


def test_the_same_indicator(application: Application) -> None:
    answers = at_once(
        lambda n: application.client("endpoint").post("/api/indicators", {**indicator(1), "title": f"t{n}"})
    )
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    [kept] = value(application, "endpoint", "/api/indicators")["value"]
    assert kept["title"] in {f"t{number}" for number in range(CALLS)}


@pytest.mark.parametrize("action", ["runAntiVirusScan", "restrictCodeExecution", "collectInvestigationPackage"])
def test_the_same_machine_action(application: Application, action: str) -> None:
    add(application, 2)
    before = len(value(application, "endpoint", "/api/machineactions")["value"])
    body = {"Comment": "x", **({"ScanType": "Quick"} if action == "runAntiVirusScan" else {})}
    answers = at_once(lambda _: application.client("endpoint").post(f"/api/machines/{2:040x}/{action}", body))
    assert sorted(answer.status for answer in answers) == [201] + [400] * (CALLS - 1)
    assert len(value(application, "endpoint", "/api/machineactions")["value"]) == before + 1


def test_rules_of_one_name(application: Application) -> None:
    target = "/beta/security/rules/detectionRules"
    answers = at_once(lambda _: application.client("graph").post(target, RULE))
    assert sorted(answer.status for answer in answers) == [201] + [409] * (CALLS - 1)
    rule = value(application, "graph", target)["value"][0]
    changes: list[dict[str, Any]] = [
        {"isEnabled": False},
        {"schedule": {"period": "24H"}},
        {"displayName": "Other"},
    ] * 2
    answers = at_once(lambda n: application.client("graph").patch(f"{target}/{rule['id']}", changes[n]))
    assert {answer.status for answer in answers} == {200}
    changed = value(application, "graph", f"{target}/{rule['id']}")
    assert (changed["isEnabled"], changed["schedule"]["period"], changed["displayName"]) == (False, "24H", "Other")


def test_a_subscription_is_renewed_and_ended_once(application: Application) -> None:
    body = {
        "changeType": "updated",
        "notificationUrl": "https://hooks.contoso.test/",
        "resource": "security/alerts_v2",
        "expirationDateTime": LATER,
    }
    made = application.client("graph").post("/v1.0/subscriptions", body).json()
    target = f"/v1.0/subscriptions/{made['id']}"
    renewed = at_once(lambda _: application.client("graph").patch(target, {"expirationDateTime": LATER}))
    assert {answer.status for answer in renewed} == {200}
    ended = at_once(lambda _: application.client("graph").send("DELETE", target))
    assert sorted(answer.status for answer in ended) == [204] + [404] * (CALLS - 1)
