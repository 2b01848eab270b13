"""What analysts do with incidents: change them, merge them, move alerts between them. One transaction each."""

import functools
from collections.abc import Sequence
from typing import Any, NoReturn

import msgspec
from sqlalchemy import Connection, Row

from vedette.errors import InvalidRequestError, NotFoundError
from vedette.incidents.alerts import Alert, AlertChange, Alerts
from vedette.incidents.changes import By
from vedette.incidents.correlation import Correlation
from vedette.incidents.determinations import goes_with
from vedette.incidents.incidents import OPEN_STATUSES, Incident, IncidentChange, Incidents
from vedette.incidents.tables import INCIDENTS

MAX_MERGED = 5
"""Incidents that one call may merge (MicrosoftDocs/defender-docs defender-xdr/alerts-incidents-correlation.md)."""

REDIRECTED = "Redirected"
"""Tag of an incident whose alerts have gone into another."""


class MergeRefusedError(InvalidRequestError):
    """The incidents may not become one. Field: `reason`."""

    code = "MergeRefused"


def change_incident(
    connection: Connection, tenant_id: str, incident_id: int, change: IncidentChange, by: By
) -> Incident | None:
    """Apply a change. Whoever an incident is assigned to has its alerts too; resolving it resolves them, with its
    assessment where they have none (defender-xdr/manage-incidents.md).
    """
    incident = Incidents(connection, tenant_id).change(incident_id, change, by)
    if incident is not None:
        Alerts(connection, tenant_id).follow(incident_id, functools.partial(_followed, incident, change), by)
    return incident


def _followed(incident: Incident, change: IncidentChange, alert: Row[Any]) -> dict[str, object]:
    """What a change of an incident makes of one of its alerts."""
    values: dict[str, object] = {}
    if change.assigned_to is not msgspec.UNSET:
        values["assigned_to"] = incident.assigned_to
    if change.status == "resolved" and alert.status != "resolved":
        values["status"] = "resolved"
        if incident.classification != "unknown" and alert.classification == "unknown":
            values |= {"classification": incident.classification, "determination": incident.determination}
    return values


def merge_incidents(
    connection: Connection, tenant_id: str, incident_ids: Sequence[int], comment: str | None, by: By
) -> int:
    """Merge incidents into the oldest of them; its id. The others keep their comments and point to it.

    The target is named anew, even if a person had named it (defender-xdr/manage-incidents.md). Raises NotFoundError for
    an incident that is not there and MergeRefusedError where the rules forbid it.
    """
    merged = sorted(set(incident_ids))
    incidents = Incidents(connection, tenant_id)
    found = [incidents.get(incident_id) or _missing(incident_id) for incident_id in merged]
    _check_merge(found)
    target, *sources = sorted(found, key=lambda incident: (incident.created, incident.incident_id))
    for source in sources:
        _absorb(connection, tenant_id, target.incident_id, source, by)
    tags = dict.fromkeys(tag for incident in (target, *sources) for tag in incident.custom_tags)
    Correlation(connection, tenant_id).rename(target.incident_id, anew=True)
    facts = {
        "incident_ids": [source.incident_id for source in sources],
        "names": [source.display_name for source in sources],
    }
    inherited = _inherited(found)
    incidents.touch(target.incident_id, "merged", by, facts, custom_tags=list(tags), **inherited)
    if comment:
        incidents.change(target.incident_id, IncidentChange(comment=comment), by)
    return target.incident_id


def move_alerts(
    connection: Connection, tenant_id: str, alert_ids: Sequence[str], incident_id: int | None, by: By
) -> int:
    """Move alerts into an incident, or into a new one; its id. Incidents left without alerts point to it.

    One that was merged stands for what it is part of. Raises NotFoundError for what is not there.
    """
    alerts, incidents = Alerts(connection, tenant_id), Incidents(connection, tenant_id)
    moved = [alerts.get(alert_id) or _missing(alert_id) for alert_id in dict.fromkeys(alert_ids)]
    if incident_id is None:
        target = incidents.add(moved[0].title, moved[0].severity, by.now)
        incidents.keep(target, "created", by, {"alert_ids": list(alert_ids)})
    else:
        target = current_incident(connection, tenant_id, incident_id)
    correlation = Correlation(connection, tenant_id)
    for alert in moved:
        alerts.move(alert.alert_id, target, by)
        incidents.take_in(target, by, {"alert_id": alert.alert_id})
    correlation.rename(target)
    incidents.touch(target, "alertsMoved", by, {"alert_ids": [alert.alert_id for alert in moved]})
    for left in sorted({alert.incident_id for alert in moved} - {target}):
        _leave(connection, tenant_id, left, target, by)
    return target


def current_incident(connection: Connection, tenant_id: str, incident_id: int) -> int:
    """An incident, or what it has become part of. Raises NotFoundError."""
    incident = Incidents(connection, tenant_id).get(incident_id) or _missing(incident_id)
    return incident.redirect_incident_id or incident.incident_id


def change_alert(connection: Connection, tenant_id: str, alert_id: str, change: AlertChange, by: By) -> Alert | None:
    """Apply a change to an alert."""
    return Alerts(connection, tenant_id).change(alert_id, change, by)


def _check_merge(incidents: Sequence[Incident]) -> None:
    if len(incidents) < 2:
        raise MergeRefusedError(reason="At least two incidents are needed.")
    if len(incidents) > MAX_MERGED:
        raise MergeRefusedError(reason=f"At most {MAX_MERGED} incidents can be merged.")
    for incident in incidents:
        if incident.status not in OPEN_STATUSES:
            raise MergeRefusedError(reason=f"Incident {incident.incident_id} is {incident.status}.")
    for name in ("assigned_to", "classification", "determination"):
        if len(_said(incidents, name)) > 1:
            raise MergeRefusedError(reason=f"The incidents differ in {name.replace('_', ' ')}.")
    inherited = {"classification": "unknown", "determination": "unknown", **_inherited(incidents)}
    if not goes_with(str(inherited["classification"]), str(inherited["determination"])):
        raise MergeRefusedError(reason="The determination of one contradicts the classification of another.")


def _said(incidents: Sequence[Incident], name: str) -> set[str]:
    return {value for incident in incidents if (value := getattr(incident, name)) not in (None, "", "unknown")}


def _inherited(incidents: Sequence[Incident]) -> dict[str, object]:
    """What one of the incidents says and the target may not yet."""
    said = {name: _said(incidents, name) for name in ("assigned_to", "classification", "determination")}
    return {name: values.pop() for name, values in said.items() if values}


def _absorb(connection: Connection, tenant_id: str, target: int, source: Incident, by: By) -> None:
    alerts = Alerts(connection, tenant_id)
    for alert in alerts.of_incidents([source.incident_id]).get(source.incident_id, []):
        alerts.move(alert.alert_id, target, by)
    _redirect(connection, tenant_id, source.incident_id, target, by, custom_tags=[])


def _leave(connection: Connection, tenant_id: str, incident_id: int, target: int, by: By) -> None:
    if Alerts(connection, tenant_id).of_incidents([incident_id]):
        Correlation(connection, tenant_id).rename(incident_id)
        Incidents(connection, tenant_id).touch(incident_id, "alertsMoved", by, {"incident_id": target})
    else:
        _redirect(connection, tenant_id, incident_id, target, by)


def _redirect(connection: Connection, tenant_id: str, incident_id: int, target: int, by: By, **values: object) -> None:
    """Point an incident to another, and those that pointed to it; `values`: what else it becomes."""
    incidents = Incidents(connection, tenant_id)
    followers = incidents.select(INCIDENTS).where(INCIDENTS.c.redirect_incident_id == incident_id)
    rows = [row.incident_id for row in connection.execute(followers).all()]
    for follower in (incident_id, *rows):
        source = incidents.get(follower)
        assert source is not None
        tags = [*dict.fromkeys((*source.system_tags, REDIRECTED))]
        incidents.touch(
            follower,
            "redirected",
            by,
            {"redirect_incident_id": target},
            status="redirected",
            redirect_incident_id=target,
            system_tags=tags,
            **(values if follower == incident_id else {}),
        )


def _missing(key: int | str) -> NoReturn:
    raise NotFoundError(resource=str(key))
