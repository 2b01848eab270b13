"""`vedette seed`: what a file describes is there, or nothing of it."""

import json
from pathlib import Path

import pytest

from vedette.errors import InvalidRequestError
from vedette.feeds.resources import Resources
from vedette.ids import RandomIds
from vedette.incidents.alerts import Alerts
from vedette.incidents.incidents import Incidents
from vedette.machines.remediations import Remediations
from vedette.server.data_folder import DataFolder
from vedette.server.seed import seed
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
