"""detectionRules over the API: both shapes, what is refused, and what the engine is given."""

from typing import Any

import pytest

from tests.api_fakes import HOME, Application
from vedette.detections.custom_rules import CustomRules
from vedette.detections.evaluate import RuleRuns, RunOutcome
from vedette.machines.device_groups import DeviceGroups

PATH = "/beta/security/rules/detectionRules"
QUERY = (
    "DeviceProcessEvents | project Timestamp, DeviceId, DeviceName, ReportId, AccountUpn, AccountName, SHA1, FileName"
)

OLD: dict[str, Any] = {
    "displayName": "Hidden commands",
    "isEnabled": True,
    "queryCondition": {"queryText": QUERY},
    "schedule": {"period": "12H"},
    "detectionAction": {
        "alertTemplate": {
            "title": "Hidden command",
            "description": "Somebody hides.",
            "severity": "medium",
            "category": "Execution",
            "recommendedActions": None,
            "mitreTechniques": ["T1059.001"],
            "impactedAssets": [
                {"@odata.type": "#microsoft.graph.security.impactedDeviceAsset", "identifier": "deviceId"}
            ],
        },
        "organizationalScope": None,
        "responseActions": [
            {
                "@odata.type": "#microsoft.graph.security.isolateDeviceResponseAction",
                "identifier": "deviceId",
                "isolationType": "full",
            }
        ],
    },
}
NEW: dict[str, Any] = {
    "id": "hidden-files",
    "displayName": "Hidden files",
    "status": "enabled",
    "queryCondition": {"queryText": QUERY},
    "schedule": {"frequency": "PT30M"},
    "detectionAction": {
        "alertTemplate": {
            "title": "Hidden file",
            "severity": "high",
            "tactics": [
                {
                    "tactic": "defenseEvasion",
                    "techniques": [{"technique": "T1564", "subTechniques": ["T1564.001"]}],
                }
            ],
            "entityMappings": {
                "hosts": [{"deviceIdColumn": "DeviceId", "nameColumn": "DeviceName"}],
                "accounts": [{"upnColumn": "AccountUpn"}],
                "files": [{"nameColumn": "FileName", "sha1Column": "SHA1"}],
            },
            "customDetails": {"File": "FileName"},
        }
    },
}


def changed(rule: dict[str, Any], place: str, value: object) -> dict[str, Any]:
    """A copy of a rule with the value at a dotted place replaced."""
    first, _, rest = place.partition(".")
    return {**rule, first: changed(rule.get(first, {}), rest, value) if rest else value}


def test_the_older_shape(application: Application) -> None:
    graph = application.client("graph")
    answer = graph.post(PATH, OLD)
    assert answer.status == 201
    rule = answer.json()
    assert graph.get(f"{PATH}/{rule['id']}").json() == rule
    assert (rule["status"], rule["isEnabled"]) == ("enabled", True)
    assert (rule["schedule"]["period"], rule["schedule"]["frequency"]) == ("12H", "PT12H")
    template = rule["detectionAction"]["alertTemplate"]
    assert template["tactics"] == [
        {"tactic": "execution", "techniques": [{"technique": "T1059", "subTechniques": ["T1059.001"]}]}
    ]
    assert rule["detectionAction"]["responseActions"] == OLD["detectionAction"]["responseActions"]
    assert rule["lastRunDetails"] == dict.fromkeys(("lastRunDateTime", "status", "failureReason", "errorCode"))
    assert answer.headers["location"] == f"https://localhost{PATH}/{rule['id']}"
    assert "queryCondition" not in graph.get(f"{PATH}/{rule['id']}?$select=displayName").json()
    with application.store.connect() as connection:
        (stored,) = CustomRules(connection, HOME).all()
    runnable = stored.to_rule()
    assert runnable.entities[0].columns == {"device_id": "DeviceId", "device_name": "DeviceName"}
    assert (runnable.schedule.frequency_seconds, runnable.schedule.lookback_seconds) == (43_200, 172_800)


def test_the_shape_of_2026(application: Application) -> None:
    answer = application.client("graph").post(PATH, NEW)
    assert answer.status == 201
    rule = answer.json()
    assert (rule["id"], rule["schedule"]["frequency"], rule["schedule"]["period"]) == ("hidden-files", "PT30M", None)
    template = rule["detectionAction"]["alertTemplate"]
    assert (template["category"], template["mitreTechniques"]) == ("DefenseEvasion", ["T1564", "T1564.001"])
    assert template["entityMappings"] == NEW["detectionAction"]["alertTemplate"]["entityMappings"]
    with application.store.connect() as connection:
        runnable = CustomRules(connection, HOME).all()[0].to_rule()
    assert [entity.type for entity in runnable.entities] == ["device", "user", "file"]
    assert [entity.impacted for entity in runnable.entities] == [True, True, False]
    assert runnable.custom_details == {"File": "FileName"}
    assert runnable.schedule.lookback_seconds == 4 * 1800


def test_a_run_shows_in_the_rule(application: Application) -> None:
    graph = application.client("graph")
    graph.post(PATH, NEW)
    with application.store.begin() as connection:
        key = CustomRules(connection, HOME).all()[0].key
        RuleRuns(connection, HOME).record(RunOutcome(key, error="No such table."), application.clock.time())
    details = graph.get(f"{PATH}/hidden-files").json()["lastRunDetails"]
    assert (details["status"], details["errorCode"]) == ("failed", "queryExecutionFailed")
    assert details["failureReason"] == "No such table."


def test_changing_listing_and_deleting(application: Application) -> None:
    graph = application.client("graph")
    graph.post(PATH, NEW)
    graph.post(PATH, OLD)
    patch = {"status": "disabled", "detectionAction": {"alertTemplate": {"severity": "low"}}}
    answer = graph.patch(f"{PATH}/hidden-files", patch)
    assert (answer.status, answer.json()["isEnabled"]) == (200, False)
    template = answer.json()["detectionAction"]["alertTemplate"]
    assert (template["severity"], template["title"]) == ("low", "Hidden file")
    listed = graph.get(f"{PATH}?$filter=isEnabled eq false&$select=id,displayName").json()
    assert listed["value"] == [
        {"@odata.type": "#microsoft.graph.security.detectionRule", "id": "hidden-files", "displayName": "Hidden files"}
    ]
    first = graph.get(f"{PATH}?$top=1").json()
    assert len(first["value"]) == 1
    assert "@odata.nextLink" in first
    assert graph.send("DELETE", f"{PATH}/hidden-files").status == 204
    assert graph.get(f"{PATH}/hidden-files").status == 404
    assert graph.send("DELETE", f"{PATH}/hidden-files").status == 404


@pytest.mark.parametrize(
    ("rule", "status", "word"),
    [
        (changed(OLD, "queryCondition.queryText", "DeviceProcessEvents | where Fil == 1"), 400, "Fil"),
        (changed(OLD, "queryCondition.queryText", "DeviceProcessEvents | project Timestamp"), 400, "DeviceId"),
        (changed(OLD, "schedule", {"period": "5H"}), 400, "schedule.period"),
        (changed(NEW, "schedule.frequency", "PT1M"), 400, "schedule.frequency"),
        (changed(NEW, "schedule.frequency", "monthly"), 400, "schedule.frequency"),
        (changed(OLD, "detectionAction.alertTemplate.severity", "dire"), 400, "severity"),
        (changed(OLD, "detectionAction.alertTemplate.impactedAssets", []), 400, "impactedAssets"),
        (changed(NEW, "detectionAction.alertTemplate.entityMappings", {"dns": [{"x": "y"}]}), 400, "dns"),
        (changed(NEW, "status", "paused"), 400, "status"),
        (changed(NEW, "id", "../x"), 400, "id"),
        ({name: value for name, value in OLD.items() if name != "displayName"}, 400, "displayName"),
        ({name: value for name, value in OLD.items() if name != "schedule"}, 400, "schedule"),
        ({**OLD, "colour": "red"}, 400, "colour"),
    ],
)
def test_what_is_refused_changes_nothing(
    application: Application, rule: dict[str, Any], status: int, word: str
) -> None:
    graph = application.client("graph")
    answer = graph.post(PATH, rule)
    assert (answer.status, word in answer.json()["error"]["message"]) == (status, True), answer.body
    assert graph.get(PATH).json()["value"] == []


def test_rules_are_a_list(application: Application) -> None:
    graph = application.client("graph")
    for number in range(3):
        graph.post(PATH, {**NEW, "id": f"rule-{number}", "displayName": f"Rule {number}"})
    graph.patch(f"{PATH}/rule-1", {"status": "disabled"})
    page = graph.get(f"{PATH}?$count=true&$top=2&$orderby=displayName%20desc").json()
    assert (page["@odata.count"], [each["id"] for each in page["value"]]) == (3, ["rule-2", "rule-1"])
    assert graph.get(f"{PATH}/$count").body == b"3"
    assert graph.get(f"{PATH}/$count?$filter=status%20eq%20'disabled'").body == b"1"
    found = graph.get(f"{PATH}?$filter=status%20eq%20'enabled'%20and%20displayName%20ne%20'Rule%200'").json()
    assert [each["id"] for each in found["value"]] == ["rule-2"]


@pytest.mark.parametrize(
    "scope", [{"scopeType": "deviceGroup", "scopeNames": ["Servers"]}, {"deviceGroups": ["Servers"]}]
)
def test_rules_of_device_groups(application: Application, scope: dict[str, Any]) -> None:
    graph = application.client("graph")
    rule = changed(NEW, "detectionAction.organizationalScope", scope)
    assert graph.post(PATH, rule).status == 400
    with application.store.begin() as connection:
        DeviceGroups(connection, HOME).create("Servers", ())
    assert graph.post(PATH, rule).json()["detectionAction"]["organizationalScope"] == scope
    with application.store.connect() as connection:
        assert CustomRules(connection, HOME).all()[0].to_rule().device_groups == ("Servers",)
    assert graph.patch(f"{PATH}/hidden-files", {"detectionAction": {"organizationalScope": None}}).status == 200
    for wrong in ({"scopeType": "tag"}, {"deviceGroups": "Servers"}, {"scopeNames": [7]}):
        assert graph.patch(f"{PATH}/hidden-files", {"detectionAction": {"organizationalScope": wrong}}).status == 400


def test_rules_whose_alerts_stay_alone(application: Application) -> None:
    wanted = {"isExcludedFromIncidentCorrelation": True}
    rule = changed(NEW, "detectionAction.incidentConfiguration", wanted)
    assert application.client("graph").post(PATH, rule).json()["detectionAction"]["incidentConfiguration"] == wanted
    with application.store.connect() as connection:
        assert not CustomRules(connection, HOME).all()[0].to_rule().correlated


def test_names_and_ids_are_unique_in_a_tenant(application: Application) -> None:
    graph = application.client("graph")
    assert graph.post(PATH, NEW).status == 201
    assert graph.post(PATH, {**NEW, "displayName": "Another"}).status == 409
    assert graph.post(PATH, {**NEW, "id": "another"}).status == 409


def test_rules_are_the_tenants_own_and_only_in_beta(application: Application) -> None:
    application.client("graph").post(PATH, NEW)
    with application.store.connect() as connection:
        assert CustomRules(connection, "2" * 36).get("hidden-files") is None
    assert application.client("graph-reader").get(PATH).status == 403
    assert application.client("graph").get(PATH.replace("beta", "v1.0")).status == 400
