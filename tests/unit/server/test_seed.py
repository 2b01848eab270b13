"""`vedette seed`: what a file describes is there, or nothing of it."""

import json
from pathlib import Path

import pytest

from vedette.clock import format_ticks, now_ticks
from vedette.errors import InvalidRequestError
from vedette.feeds.resources import Resources
from vedette.ids import RandomIds
from vedette.incidents.alerts import Alerts
from vedette.incidents.incidents import Incidents
from vedette.machines.remediations import Remediations
from vedette.server.data_folder import DataFolder
from vedette.server.seed import parse, seed
from vedette.server.wiring import Services
from vedette.settings import Settings
from vedette.store.metadata import METADATA

TENANT = "11111111-1111-1111-1111-111111111111"
DOCUMENT = {
    "incidents": [
        {
            "displayName": "Rehearsal",
            "status": "inProgress",
            "assignedTo": "ann@contoso.test",
            "customTags": ["test"],
            "alerts": [
                {
                    "title": "Pod escaped",
                    "severity": "high",
                    "evidence": [{"@odata.type": "#microsoft.graph.security.kubernetesPodEvidence", "name": "web-1"}],
                },
                {"title": "Second", "mitreTechniques": ["T1059"]},
            ],
        }
    ],
    "alerts": [{"title": "Alone", "status": "resolved"}],
}


def test_what_is_described_is_there(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), DataFolder(tmp_path), ids=RandomIds())
    METADATA.create_all(services.store.engine)
    with services.store.begin() as connection:
        made = seed(connection, TENANT, json.loads(json.dumps(DOCUMENT)), services)
    with services.store.connect() as connection:
        incident = Incidents(connection, TENANT).get(made.incidents[0])
        alerts = [Alerts(connection, TENANT).get(alert_id) for alert_id in made.alerts]
    services.close()
    assert incident is not None
    assert (incident.display_name, incident.status, incident.assigned_to) == (
        "Rehearsal",
        "inProgress",
        "ann@contoso.test",
    )
    assert [alert.title for alert in alerts if alert] == ["Pod escaped", "Second", "Alone"]
    assert [alert.status for alert in alerts if alert] == ["new", "new", "resolved"]
    assert {alert.incident_id for alert in alerts[:2] if alert} == {incident.incident_id}
    assert [alert.assigned_to for alert in alerts if alert] == [None, None, None]  # as given, and no more


RECORDED = {
    "id": "2972395",
    "tenantId": "b3c1b5fc-828c-45fa-a1e1-10d74f6d6e9c",
    "incidentWebUrl": "https://security.microsoft.com/incidents/2972395?tid=12f988bf-16f1-11af-11ab-1d7cd011db47",
    "redirectIncidentId": None,
    "displayName": "Multi-stage incident involving Initial access & Command and control on multiple endpoints",
    "createdDateTime": "2021-08-13T08:43:35.5533333Z",
    "lastUpdateDateTime": "2021-09-30T09:35:45.1133333Z",
    "assignedTo": "KaiC@contoso.com",
    "classification": "truePositive",
    "determination": "multiStagedAttack",
    "status": "active",
    "severity": "medium",
    "customTags": ["Demo"],
    "systemTags": ["Defender Experts"],
    "comments": [
        {
            "comment": "Demo incident",
            "createdByDisplayName": "DavidS@contoso.com",
            "createdDateTime": "2021-09-30T12:07:37.2756993Z",
        }
    ],
    "alerts": [
        {
            "id": "da637551227677560813_-961444813",
            "incidentId": "2972395",
            "status": "resolved",
            "severity": "low",
            "classification": "unknown",
            "determination": "unknown",
            "serviceSource": "microsoftDefenderForEndpoint",
            "detectionSource": "antivirus",
            "detectorId": "e0da400f-affd-43ef-b1d5-afc2eb6f2756",
            "actorDisplayName": "BORON",
            "threatFamilyName": "Mimikatz",
            "investigationState": "unsupportedOs",
            "title": "Suspicious execution of hidden file",
            "category": "DefenseEvasion",
            "createdDateTime": "2021-04-27T12:19:27.7211305Z",
            "lastUpdateDateTime": "2021-05-02T14:19:01.3266667Z",
            "resolvedDateTime": "2021-05-01T00:00:00Z",
            "firstActivityDateTime": "2021-04-26T07:45:50.116Z",
            "lastActivityDateTime": "2021-05-02T07:56:58.222Z",
            "comments": [],
            "evidence": [
                {
                    "@odata.type": "#microsoft.graph.security.deviceEvidence",
                    "createdDateTime": "2021-04-27T12:19:27.9966667Z",
                    "mdeDeviceId": "73e7e2de709dff64ef64b1d0c30e67fab63279db",
                    "deviceDnsName": "yonif-lap3.middleeast.corp.microsoft.com",
                }
            ],
        }
    ],
}


def test_an_incident_is_exactly_what_is_described(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), DataFolder(tmp_path), ids=RandomIds())
    METADATA.create_all(services.store.engine)
    alike = {**DOCUMENT, "incidents": [RECORDED, {**RECORDED, "id": "7", "alerts": [_other_alert()]}], "alerts": []}
    with services.store.begin() as connection:
        seed(connection, TENANT, alike, services)
        made = seed(connection, TENANT, {"alerts": [{"title": "later"}]}, services)
    with services.store.connect() as connection:
        incidents, alerts = Incidents(connection, TENANT), Alerts(connection, TENANT)
        incident, alert = incidents.get(2972395), alerts.get("da637551227677560813_-961444813")
        log, later = incidents.log(2972395), alerts.get(made.alerts[0])
        total = incidents.count(None)
    services.close()
    assert incident is not None
    assert alert is not None
    assert later is not None
    assert (total, later.incident_id) == (3, 2972396)  # no stub, and ids go on behind the highest
    assert (incident.status, incident.redirect_incident_id, incident.severity) == ("active", None, "medium")
    assert (incident.display_name, incident.classification) == (RECORDED["displayName"], "truePositive")
    assert (incident.custom_tags, incident.system_tags) == (("Demo",), ("Defender Experts",))
    assert format_ticks(incident.created) == RECORDED["createdDateTime"]
    assert format_ticks(incident.last_update) == RECORDED["lastUpdateDateTime"]
    assert [(each.comment, each.created_by) for each in incident.comments] == [("Demo incident", "DavidS@contoso.com")]
    assert [(entry.activity, entry.actor) for entry in log] == [("created", "vedette seed")]
    assert (alert.incident_id, alert.status, alert.details.threat_family_name) == (2972395, "resolved", "Mimikatz")
    assert (format_ticks(alert.created), format_ticks(alert.resolved or 0)) == (
        "2021-04-27T12:19:27.7211305Z",
        "2021-05-01T00:00:00.0000000Z",
    )
    assert format_ticks(alert.evidence[0].created) == "2021-04-27T12:19:27.9966667Z"


def test_what_has_no_times_is_of_the_moment(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), DataFolder(tmp_path), ids=RandomIds())
    METADATA.create_all(services.store.engine)
    before = now_ticks(services.clock)
    with services.store.begin() as connection:
        made = seed(connection, TENANT, {"incidents": [{"displayName": "First"}]}, services)
        incident = Incidents(connection, TENANT).get(made.incidents[0])
    services.close()
    assert incident is not None
    assert min(incident.created, incident.last_update) >= before


def _other_alert() -> dict[str, object]:
    """An alert on the same device."""
    return {"title": "Another", "evidence": RECORDED["alerts"][0]["evidence"]}  # type: ignore[index]


@pytest.mark.parametrize(
    ("incident", "path"),
    [
        ({"id": "x", "displayName": "a"}, "incidents[0]"),
        ({"id": "2", "displayName": "a", "status": "shut"}, "incidents[0]"),
        ({"id": "2"}, "incidents[0].displayName"),
        ({"id": "1", "displayName": "taken"}, "incidents[0]"),
        ({"alerts": [{"id": "y" * 65}]}, "incidents[0].alerts[0]"),
        ({"alerts": [{"additionalData": {"a": 1}}]}, "incidents[0].alerts[0]"),
    ],
)
def test_what_cannot_be_kept_is_refused(tmp_path: Path, incident: dict[str, object], path: str) -> None:
    services = Services(Settings(data=tmp_path), DataFolder(tmp_path), ids=RandomIds())
    METADATA.create_all(services.store.engine)
    with services.store.begin() as connection:
        seed(connection, TENANT, {"incidents": [{"id": "1", "displayName": "First"}]}, services)
    with pytest.raises(InvalidRequestError) as caught, services.store.begin() as connection:
        seed(connection, TENANT, {"incidents": [incident]}, services)
    assert str(caught.value.fields["path"]).startswith(path)
    with services.store.connect() as connection:
        assert Incidents(connection, TENANT).count(None) == 1
    services.close()


def test_an_alert_joins_the_incident_that_it_names(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), DataFolder(tmp_path), ids=RandomIds())
    METADATA.create_all(services.store.engine)
    document = {
        "incidents": [{"id": "5", "displayName": "First"}],
        "alerts": [{"incidentId": "5"}, {"incidentId": "9"}],
    }
    with services.store.begin() as connection:
        made = seed(connection, TENANT, document, services)
        found = [Alerts(connection, TENANT).get(alert_id) for alert_id in made.alerts]
    services.close()
    assert [alert.incident_id for alert in found if alert] == [5, 6]


def test_a_wrong_property_is_named(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), DataFolder(tmp_path), ids=RandomIds())
    METADATA.create_all(services.store.engine)
    with pytest.raises(InvalidRequestError) as caught, services.store.begin() as connection:
        seed(connection, TENANT, {"alerts": [{"title": "a"}, {"colour": "red"}]}, services)
    assert caught.value.fields["path"] == "alerts[1]"
    assert "colour" in str(caught.value.fields["reason"])
    with services.store.connect() as connection:
        assert Alerts(connection, TENANT).count(None) == 0
    services.close()


def test_tasks_and_resources_of_feeds(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), DataFolder(tmp_path), ids=RandomIds())
    METADATA.create_all(services.store.engine)
    document = {
        "remediationTasks": [
            {"recommendationId": "va-_-google-_-chrome", "title": "Update Chrome", "machineIds": ["a" * 40]}
        ],
        "resources": {"identities/sensors": [{"id": "dc1", "displayName": "dc-01"}]},
    }
    with services.store.begin() as connection:
        made = seed(connection, TENANT, document, services)
        task = Remediations(connection, TENANT).get(made.tasks[0])
        sensor = Resources(connection, TENANT).get("identities/sensors", made.resources[0])
    with pytest.raises(InvalidRequestError), services.store.begin() as connection:
        seed(connection, TENANT, {"remediationTasks": [{"title": "no recommendation"}]}, services)
    services.close()
    assert task is not None
    assert (task.details.software, task.machine_ids) == (("google", "chrome"), ("a" * 40,))
    assert sensor is not None
    assert sensor.document["displayName"] == "dc-01"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 3_000,
        b"{" * 1_000,
        b"x: " + b"9" * 6_000,
        b"a: !!python/object/apply:os.system ['id']",
        b"- 1",
    ],
)
def test_what_is_no_document_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="SeedInvalid"):
        parse(content)
