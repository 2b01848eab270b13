"""Lists show incidents as single reads do, whatever changed since they were last written out."""

from collections.abc import Callable

import pytest

from vedette.api.written_incidents import ENTRY, WrittenIncidents
from vedette.incidents.alert_devices import AlertDevices
from vedette.incidents.alerts import Alert, AlertChange, Alerts
from vedette.incidents.incidents import IncidentChange, IncidentVersion
from vedette.incidents.triage import By, change_incident, merge_incidents, move_alerts

from .conftest import Application
from .test_paging_under_change import HOME, new_alert

BY = By("ann", 0)
DEVICE = f"{1:040x}"

CHANGES: dict[str, Callable[..., object]] = {
    "comment": lambda connection, _: change_incident(connection, HOME, 1, IncidentChange(comment="seen"), BY),
    "tags": lambda connection, _: change_incident(connection, HOME, 1, IncidentChange(custom_tags=("a",)), BY),
    "alert": lambda connection, alert: Alerts(connection, HOME).change(alert, AlertChange(comment="odd"), By("ann", 0)),
    "resolved": lambda connection, _: change_incident(connection, HOME, 1, IncidentChange(status="resolved"), BY),
    "moved": lambda connection, alert: move_alerts(connection, HOME, [alert], 2, BY),
    "merged": lambda connection, _: merge_incidents(connection, HOME, [1, 2], None, BY),
    "regrouped": lambda connection, _: AlertDevices(connection, HOME).regroup(DEVICE, 7, "Workstations"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_list_shows_every_change(application: Application, change: str) -> None:
    alert = new_alert(application, 1)
    new_alert(application, 2)
    graph, defender = application.client("graph"), application.client("xdr")
    before = graph.get("/v1.0/security/incidents?$expand=alerts").json()["value"]
    defender.get("/api/incidents")
    graph.get("/v1.0/security/alerts_v2")
    with application.store.begin() as connection:
        CHANGES[change](connection, alert)
    listed = graph.get("/v1.0/security/incidents?$expand=alerts").json()["value"]
    assert listed != before
    for incident in listed:
        single = graph.get(f"/v1.0/security/incidents/{incident['id']}?$expand=alerts").json()
        assert incident == {name: value for name, value in single.items() if name != "@odata.context"}
    for shown in graph.get("/v1.0/security/alerts_v2").json()["value"]:
        single = graph.get(f"/v1.0/security/alerts_v2/{shown['id']}").json()
        assert shown == {name: value for name, value in single.items() if name != "@odata.context"}
    for incident in defender.get("/api/incidents").json()["value"]:
        single = defender.get(f"/api/incidents/{incident['incidentId']}").json()
        assert incident == {name: value for name, value in single.items() if name != "@odata.context"}


def test_forms_are_kept_apart_and_the_oldest_go() -> None:
    written, asked = WrittenIncidents(room=2 * ENTRY + 8), list[int]()

    def write(incident_ids: object) -> dict[int, object]:
        asked.extend(incident_ids)  # type: ignore[call-overload]
        return {each: f"{each}" for each in incident_ids}  # type: ignore[attr-defined]

    first, second, third = (IncidentVersion(each, 1, 1) for each in (1, 2, 3))
    assert [bytes(raw) for raw in written.read(("a",), [first, second], write)] == [b'"1"', b'"2"']
    written.read(("a",), [second, first], write)
    assert asked == [1, 2]
    written.read(("b",), [first], write)
    assert asked == [1, 2, 1]
    written.read(("a",), [first, third], write)  # the second went when the other form came
    assert asked == [1, 2, 1, 3]


def test_what_is_forgotten_is_written_again() -> None:
    written, texts = WrittenIncidents(room=ENTRY + 8), iter(("before", "after"))
    version = IncidentVersion(1, 1, 1)
    write = lambda _: {1: next(texts)}  # noqa: E731
    assert bytes(written.read((), [version], write)[0]) == b'"before"'
    written.forget()
    assert bytes(written.read((), [version], write)[0]) == b'"after"'
    assert bytes(written.read((), [version], write)[0]) == b'"after"'  # room is given back: 7 of 8 bytes are taken


def test_an_alert_is_read_once_however_its_incident_changes(application: Application) -> None:
    new_alert(application, 1)
    written, read = WrittenIncidents(), list[str]()

    def write(alert: Alert) -> str:
        read.append(alert.alert_id)
        return alert.status

    def listed() -> list[bytes]:
        with application.store.connect() as connection:
            found = written.alerts_of(("a",), Alerts(connection, HOME), [1, 2], write)
        return [bytes(raw) for alerts in found.values() for raw in alerts.encoded]

    assert listed() == [b'"new"']
    with application.store.begin() as connection:
        change_incident(connection, HOME, 1, IncidentChange(comment="seen"), BY)
    assert listed() == [b'"new"']
    assert len(read) == 1
    with application.store.begin() as connection:
        Alerts(connection, HOME).change(read[0], AlertChange(status="inProgress"), BY)
    assert listed() == [b'"inProgress"']
    assert len(read) == 2
