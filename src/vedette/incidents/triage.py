"""What analysts do with incidents: change them, merge them, move alerts between them. One transaction each."""

from collections.abc import Sequence
from typing import NoReturn

import msgspec
from sqlalchemy import Connection

from vedette.errors import InvalidRequestError, NotFoundError
from vedette.incidents.alerts import Alert, AlertChange, Alerts
from vedette.incidents.correlation import Correlation
from vedette.incidents.incidents import OPEN_STATUSES, Incident, IncidentChange, Incidents
from vedette.incidents.tables import INCIDENTS

MAX_MERGED = 5
"""Incidents that one call may merge (MicrosoftDocs/defender-docs defender-xdr/alerts-incidents-correlation.md)."""

REDIRECTED = "Redirected"
"""Tag of an incident whose alerts have gone into another."""


class MergeRefusedError(InvalidRequestError):
    """The incidents may not become one. Field: `reason`."""

    code = "MergeRefused"


class By(msgspec.Struct, frozen=True):
    """Who does something, and when (ticks)."""

    actor: str
    now: int


def change_incident(
    connection: Connection, tenant_id: str, incident_id: int, change: IncidentChange, by: By
) -> Incident | None:
    """Apply a change. Resolving an incident resolves its alerts, with its assessment where they have none."""
    incident = Incidents(connection, tenant_id).change(incident_id, change, by.actor, by.now)
    if incident is not None and change.status == "resolved":
        judged = {"classification": incident.classification, "determination": incident.determination}
        assessment = judged if incident.classification != "unknown" else {}
        Alerts(connection, tenant_id).resolve_open(incident_id, assessment, by.actor, by.now)
    return incident


def merge_incidents(
    connection: Connection, tenant_id: str, incident_ids: Sequence[int], comment: str | None, by: By
) -> int:
    """Merge incidents into the oldest of them; its id. The others keep their comments and point to it.

    Raises NotFoundError for an incident that is not there and MergeRefusedError where the rules forbid it.
    """
    merged = sorted(set(incident_ids))
    incidents = Incidents(connection, tenant_id)
    found = [incidents.get(incident_id) or _missing(incident_id) for incident_id in merged]
    _check_merge(found)
    target, *sources = sorted(found, key=lambda incident: (incident.created, incident.incident_id))
    for source in sources:
        _absorb(connection, tenant_id, target.incident_id, source, by)
    tags = dict.fromkeys(tag for incident in (target, *sources) for tag in incident.custom_tags)
    Correlation(connection, tenant_id).rename(target.incident_id)
    incidents.touch(
        target.incident_id,
        by.now,
        "merged",
        by.actor,
        {"incident_ids": [source.incident_id for source in sources]},
        custom_tags=list(tags),
        **_inherited(found),
    )
    if comment:
        incidents.change(target.incident_id, IncidentChange(comment=comment), by.actor, by.now)
    return target.incident_id


def move_alerts(
    connection: Connection, tenant_id: str, alert_ids: Sequence[str], incident_id: int | None, by: By
) -> int:
    """Move alerts into an incident, or into a new one; its id. Incidents left without alerts point to it.

    Raises NotFoundError for what is not there.
    """
    alerts, incidents = Alerts(connection, tenant_id), Incidents(connection, tenant_id)
    moved = [alerts.get(alert_id) or _missing(alert_id) for alert_id in dict.fromkeys(alert_ids)]
    if incident_id is None:
        target = incidents.add(moved[0].title, moved[0].severity, by.now)
        incidents.keep(target, "created", by.actor, {"alert_ids": list(alert_ids)})
    else:
        target = (incidents.get(incident_id) or _missing(incident_id)).incident_id
    correlation = Correlation(connection, tenant_id)
    for alert in moved:
        alerts.move(alert.alert_id, target, by.actor, by.now)
        incidents.take_in(target, by.now, by.actor, {"alert_id": alert.alert_id})
    correlation.rename(target)
    incidents.touch(target, by.now, "alertsMoved", by.actor, {"alert_ids": [alert.alert_id for alert in moved]})
    for left in sorted({alert.incident_id for alert in moved} - {target}):
        _leave(connection, tenant_id, left, target, by)
    return target


def change_alert(connection: Connection, tenant_id: str, alert_id: str, change: AlertChange, by: By) -> Alert | None:
    """Apply a change to an alert."""
    return Alerts(connection, tenant_id).change(alert_id, change, by.actor, by.now)


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


def _said(incidents: Sequence[Incident], name: str) -> set[str]:
    return {value for incident in incidents if (value := getattr(incident, name)) not in (None, "", "unknown")}


def _inherited(incidents: Sequence[Incident]) -> dict[str, object]:
    """What one of the incidents says and the target may not yet."""
    said = {name: _said(incidents, name) for name in ("assigned_to", "classification", "determination")}
    return {name: values.pop() for name, values in said.items() if values}


def _absorb(connection: Connection, tenant_id: str, target: int, source: Incident, by: By) -> None:
    alerts = Alerts(connection, tenant_id)
    for alert in alerts.of_incidents([source.incident_id]).get(source.incident_id, []):
        alerts.move(alert.alert_id, target, by.actor, by.now)
    _redirect(connection, tenant_id, source.incident_id, target, by)


def _leave(connection: Connection, tenant_id: str, incident_id: int, target: int, by: By) -> None:
    if Alerts(connection, tenant_id).of_incidents([incident_id]):
        Correlation(connection, tenant_id).rename(incident_id)
        Incidents(connection, tenant_id).touch(incident_id, by.now, "alertsMoved", by.actor, {"incident_id": target})
    else:
        _redirect(connection, tenant_id, incident_id, target, by)


def _redirect(connection: Connection, tenant_id: str, incident_id: int, target: int, by: By) -> None:
    """Point an incident to another, and those that pointed to it."""
    incidents = Incidents(connection, tenant_id)
    followers = incidents.select(INCIDENTS).where(INCIDENTS.c.redirect_incident_id == incident_id)
    rows = [row.incident_id for row in connection.execute(followers).all()]
    for follower in (incident_id, *rows):
        source = incidents.get(follower)
        assert source is not None
        tags = [*dict.fromkeys((*source.system_tags, REDIRECTED))]
        incidents.touch(
            follower,
            by.now,
            "redirected",
            by.actor,
            {"redirect_incident_id": target},
            status="redirected",
            redirect_incident_id=target,
            system_tags=tags,
        )


def _missing(key: int | str) -> NoReturn:
    raise NotFoundError(resource=str(key))
