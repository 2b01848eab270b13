"""Incidents as a whole, as somebody describes them: stored as they are, and correlated with nothing.

What comes later finds them by what they share, as it finds all others.
"""

import msgspec
from sqlalchemy import Connection

from vedette.errors import ConflictError
from vedette.ids import Ids
from vedette.incidents.alerts import Alerts, NewAlert
from vedette.incidents.changes import By
from vedette.incidents.correlation import Correlation
from vedette.incidents.incidents import Comment, IncidentDetails, Incidents


class DescribedIncident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident. What is None follows from its alerts, or is as in an incident that has just begun."""

    alerts: tuple[NewAlert, ...]
    incident_id: int | None = None
    display_name: str | None = None
    severity: str | None = None
    status: str = "active"
    classification: str = "unknown"
    determination: str = "unknown"
    assigned_to: str | None = None
    created: int | None = None
    last_update: int | None = None
    last_modified_by: str | None = None
    redirect_incident_id: int | None = None
    custom_tags: tuple[str, ...] = ()
    system_tags: tuple[str, ...] = ()
    details: IncidentDetails = IncidentDetails()
    comments: tuple[Comment, ...] = ()


def add_incident(
    connection: Connection, tenant_id: str, described: DescribedIncident, by: By, ids: Ids
) -> tuple[int, list[str]]:
    """Store an incident with its alerts: exactly this one. Its id and theirs. Raises ConflictError for taken ids."""
    incidents, alerts = Incidents(connection, tenant_id), Alerts(connection, tenant_id)
    if described.incident_id is not None and incidents.get(described.incident_id) is not None:
        raise ConflictError("IdTaken", id=described.incident_id)
    incident_id = incidents.add("", "unknown", by.now, **_columns(described, by))
    alert_ids = [alerts.add(incident_id, each, by, ids) for each in described.alerts]
    if alert_ids:
        Correlation(connection, tenant_id).rename(incident_id)
    incidents.rename(incident_id, described.display_name, described.severity)
    for comment in described.comments:
        incidents.comment(incident_id, comment)
    incidents.keep(incident_id, "created", by, {"alert_ids": alert_ids})
    return incident_id, alert_ids


def _columns(described: DescribedIncident, by: By) -> dict[str, object]:
    skipped = ("alerts", "comments", "display_name", "severity", "details")
    values = {name: getattr(described, name) for name in described.__struct_fields__ if name not in skipped}
    known = {name: value for name, value in values.items() if value is not None}
    return {
        **known,
        "last_update": by.now if described.last_update is None else described.last_update,
        "custom_tags": list(described.custom_tags),
        "system_tags": list(described.system_tags),
        "details": msgspec.to_builtins(described.details),
    }
