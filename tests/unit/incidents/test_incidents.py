"""Incidents and alerts: ids, changes, comments, paging, tenants."""

import sqlite3
from typing import Any

from sqlalchemy import Connection, event, select

from tests.unit.incidents.conftest import HOME, OTHER, CreateAlert
from vedette.clock import ManualClock, now_ticks
from vedette.incidents.alert_devices import AlertDevices
from vedette.incidents.alerts import ALERT_FIELDS, AlertChange, Alerts
from vedette.incidents.changes import By, Changes
from vedette.incidents.evidence import DeviceEvidence
from vedette.incidents.incidents import INCIDENT_FIELDS, IncidentChange, Incidents
from vedette.incidents.tables import ALERTS
from vedette.odata.paging import KEYS_OF_ONE_STATEMENT, Selection
from vedette.store.metadata import METADATA
from vedette.store.tenancy import tables_without_tenant


def device(number: int) -> DeviceEvidence:
    return DeviceEvidence(device_id=f"{number:040x}")


def test_every_table_is_a_tenants() -> None:
    ours = [name for name in METADATA.tables if name.startswith(("incident", "alert"))]
    assert len(ours) >= 7
    assert not set(ours) & set(tables_without_tenant(METADATA))


def test_ids_are_counted_per_tenant(create_alert: CreateAlert) -> None:
    assert [create_alert(device(n)).alert.incident_id for n in range(3)] == [1, 2, 3]
    assert create_alert(device(1), tenant_id=OTHER).alert.incident_id == 1


def test_alert_ids_carry_the_product(create_alert: CreateAlert, clock: ManualClock) -> None:
    alert_id = create_alert().alert.alert_id
    prefix, ticks, number = alert_id[:2], *alert_id[2:].split("_")
    assert prefix == "da"
    assert int(ticks) == now_ticks(clock)
    assert -(2**31) <= int(number) < 2**31


def test_the_same_source_is_the_same_alert(create_alert: CreateAlert) -> None:
    first = create_alert(source_key="rule/1")
    again = create_alert(source_key="rule/1")
    assert not again.is_new
    assert again.alert == first.alert
    assert create_alert(source_key="rule/1", tenant_id=OTHER).is_new


def test_every_change_moves_the_time_of_last_update(
    create_alert: CreateAlert, connection: Connection, clock: ManualClock
) -> None:
    alert = create_alert().alert
    incidents, alerts = Incidents(connection, HOME), Alerts(connection, HOME)
    times = []
    for number in range(3):  # the clock stands still
        incident = incidents.change(alert.incident_id, IncidentChange(comment=f"{number}"), By("ann", now_ticks(clock)))
        assert incident is not None
        times.append(incident.last_update)
    alerts.change(alert.alert_id, AlertChange(status="inProgress"), By("ann", now_ticks(clock)))
    incident = incidents.get(alert.incident_id)
    assert incident is not None
    times.append(incident.last_update)
    create_alert()
    incident = incidents.get(alert.incident_id)
    assert incident is not None
    times.append(incident.last_update)
    assert times == sorted(set(times))
    assert [comment.comment for comment in incident.comments] == ["0", "1", "2"]


def test_a_change_keeps_what_it_does_not_name(
    create_alert: CreateAlert, connection: Connection, clock: ManualClock
) -> None:
    incident_id = create_alert().alert.incident_id
    incidents, now = Incidents(connection, HOME), now_ticks(clock)
    incidents.change(
        incident_id,
        IncidentChange(assigned_to="ann", custom_tags=("vip",), description="d", summary="s"),
        By("ann", now),
    )
    incident = incidents.change(incident_id, IncidentChange(status="resolved", summary=None), By("bob", now))
    assert incident is not None
    assert (incident.assigned_to, incident.custom_tags, incident.status) == ("ann", ("vip",), "resolved")
    assert (incident.details.description, incident.details.summary) == ("d", None)
    assert incident.last_modified_by == "bob"


def test_a_name_given_by_a_person_stays(create_alert: CreateAlert, connection: Connection, clock: ManualClock) -> None:
    incident_id = create_alert().alert.incident_id
    incidents = Incidents(connection, HOME)
    incidents.change(incident_id, IncidentChange(display_name="Operation Heron"), By("ann", now_ticks(clock)))
    create_alert(title="Another")
    incident = incidents.get(incident_id)
    assert incident is not None
    assert incident.display_name == "Operation Heron"


def test_resolving_and_reopening_an_alert(
    create_alert: CreateAlert, connection: Connection, clock: ManualClock
) -> None:
    alerts, alert_id = Alerts(connection, HOME), create_alert().alert.alert_id
    resolved = alerts.change(alert_id, AlertChange(status="resolved", comment="done"), By("ann", now_ticks(clock)))
    assert resolved is not None
    assert resolved.resolved == resolved.last_update
    assert [comment.comment for comment in resolved.comments] == ["done"]
    reopened = alerts.change(alert_id, AlertChange(status="new"), By("ann", now_ticks(clock)))
    assert reopened is not None
    assert reopened.resolved is None


def test_another_tenants_things_do_not_exist(
    create_alert: CreateAlert, connection: Connection, clock: ManualClock
) -> None:
    alert = create_alert().alert
    incidents, alerts, now = Incidents(connection, OTHER), Alerts(connection, OTHER), now_ticks(clock)
    assert incidents.get(alert.incident_id) is None
    assert alerts.get(alert.alert_id) is None
    assert incidents.change(alert.incident_id, IncidentChange(status="resolved"), By("eve", now)) is None
    assert alerts.change(alert.alert_id, AlertChange(status="resolved"), By("eve", now)) is None
    assert incidents.page(Selection(None, ((INCIDENT_FIELDS["incident_id"], True),))) == ([], None)
    assert alerts.of_incidents([alert.incident_id]) == {}
    assert incidents.count(None) == 0
    mine = Alerts(connection, HOME).get(alert.alert_id)
    assert mine == alert


def test_pages_neither_lose_nor_repeat(create_alert: CreateAlert, connection: Connection, clock: ManualClock) -> None:
    for number in range(7):
        create_alert(device(number))
        clock.advance(1)
    incidents = Incidents(connection, HOME)
    order = ((INCIDENT_FIELDS["created"], True), (INCIDENT_FIELDS["incident_id"], True))
    seen, after = [], None
    while True:
        page, after = incidents.page(Selection(None, order, limit=3, after=after))
        seen += [incident.incident_id for incident in page]
        if after is None:
            break
        create_alert(device(100 + len(seen)))  # newer rows appear in front
        clock.advance(1)
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    assert incidents.count(INCIDENT_FIELDS["incident_id"] <= 7) == 7


def test_alerts_of_incidents_are_read_by_incident(create_alert: CreateAlert, connection: Connection) -> None:
    """Without figures about the data SQLite follows an index that gives the order, even one along every alert."""
    alert, asked = create_alert(device(1)).alert, list[tuple[str, Any]]()

    @event.listens_for(connection, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    alerts, by_age = Alerts(connection, HOME), tuple((ALERT_FIELDS[name], False) for name in ("created", "alert_id"))
    assert alerts.of_incidents([alert.incident_id]) == {alert.incident_id: [alert]}
    assert [each.alert_id for each in alerts.versions_of([alert.incident_id])[alert.incident_id]] == [alert.alert_id]
    assert alerts.page(Selection(ALERT_FIELDS["incident_id"] == alert.incident_id, by_age, 10)) == ([alert], None)
    plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all() for text, values in list(asked)]
    steps = [row[-1] for plan in plans for row in plan if "alerts " in row[-1]]
    assert len(steps) == 3
    assert all("(tenant_id=? AND incident_id=?)" in step for step in steps)


def test_a_device_that_stays_in_its_group_changes_no_incident(
    create_alert: CreateAlert, connection: Connection
) -> None:
    create_alert(device(1))
    devices, changes = AlertDevices(connection, HOME), Changes(connection, HOME)
    devices.regroup(f"{1:040x}", 7, "Workstations")
    number = changes.last_number()
    devices.regroup(f"{1:040x}", 7, "Workstations")
    assert changes.last_number() == number
    create_alert(device(1), title="Another")
    devices.regroup(f"{1:040x}", 7, "Workstations")
    groups = {
        item.entity.rbac_group_name
        for alerts in Alerts(connection, HOME).of_incidents([1]).values()
        for alert in alerts
        for item in alert.evidence
        if isinstance(item.entity, DeviceEvidence)
    }
    assert (groups, changes.last_number() > number) == ({"Workstations"}, True)


def test_an_incident_may_have_more_alerts_than_a_statement_can_name(
    create_alert: CreateAlert, connection: Connection
) -> None:
    alert = create_alert(device(1)).alert
    connection.connection.driver_connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, KEYS_OF_ONE_STATEMENT + 100)
    row = connection.execute(select(ALERTS)).mappings().one()
    ids = [f"da{number}" for number in range(KEYS_OF_ONE_STATEMENT + 100)]
    connection.execute(ALERTS.insert(), [{**row, "alert_id": each, "source_key": None} for each in ids])
    alerts = Alerts(connection, HOME)
    assert len(alerts.of_incidents([alert.incident_id])[alert.incident_id]) == len(ids) + 1
    assert len(alerts.of_ids(ids)) == len(ids)
