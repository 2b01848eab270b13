"""Incidents and alerts as `incidentWebUrl` and `alertWebUrl` lead to them: what they are, and what happened to them."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from vedette.api.http import ApiResponse
from vedette.clock import format_ticks
from vedette.identity.services import IdentityServices
from vedette.incidents.alerts import Alert, Alerts
from vedette.incidents.changes import Activity
from vedette.incidents.hunting_rows import entity_type
from vedette.incidents.incidents import INCIDENT_FIELDS, Incident, Incidents
from vedette.machines.visibility import seen_alerts, seen_incidents
from vedette.odata.paging import Selection
from vedette.portal.caller import caller_of
from vedette.portal.rendering import see
from vedette.portal.visit import Page, Visit

SECTION = "incidents"
SHOWN = 100
ACTIVITIES: Mapping[str, str] = {
    "created": "Created",
    "updated": "Changed",
    "commented": "Commented",
    "alertAdded": "Alert added",
    "alertChanged": "Alert changed",
    "alertsMoved": "Alerts moved",
    "moved": "Moved to another incident",
    "merged": "Merged with others",
    "redirected": "Merged into another",
    "reopened": "Opened again by a new alert",
}
UNSHOWN = frozenset(
    ("verdict", "remediation_status", "is_impacted", "detection_status", "onboarding_status", "health_status")
)
TIMES = frozenset(("created", "parent_created", "first_seen", "received"))
"""Members of evidence that are times, in ticks."""


class LogEntry(msgspec.Struct, frozen=True):
    """An entry of an activity log as it is read."""

    at: str
    what: str
    actor: str
    facts: str
    via: str | None


class IncidentPages:
    """Handlers of the section."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def pages(self) -> Mapping[str, Page]:
        """Pages by operation handler name."""
        return {"list_incidents": self.list, "show_incident": self.show, "show_alert": self.show_alert}

    def list(self, visit: Visit) -> ApiResponse:
        """The incidents that changed last; what was merged is seen in what it became part of."""
        caller = caller_of(self._services, visit, "view_data")
        order = ((INCIDENT_FIELDS["last_update"], True), (INCIDENT_FIELDS["incident_id"], True))
        with self._services.store.connect() as connection:
            found, after = Incidents(connection, visit.tenant_id, seen_incidents(caller)).page(
                Selection(INCIDENT_FIELDS["status"] != "redirected", order, limit=SHOWN)
            )
        return visit.show("incidents", "Incidents", section=SECTION, rows=[_row(each) for each in found], more=after)

    def show(self, visit: Visit) -> ApiResponse:
        """One incident with its alerts, comments and activity log. One that was merged leads to what it is part of."""
        caller = caller_of(self._services, visit, "view_data")
        key = visit.path("incident")
        number = int(key) if key.isascii() and key.isdigit() and len(key) <= 18 else -1
        with self._services.store.connect() as connection:
            incidents = Incidents(connection, visit.tenant_id, seen_incidents(caller))
            incident = incidents.get(number)
            if incident is None or not _is_of_tenant(visit):
                return _missing(visit, "incident")
            if incident.redirect_incident_id is not None and not visit.asked("log"):
                return see(f"/portal/incidents/{incident.redirect_incident_id}")
            alerts = Alerts(connection, visit.tenant_id, seen_alerts(caller)).of_incidents([number]).get(number, [])
            log = [_entry(each) for each in reversed(incidents.log(number))]
        title = f"Incident {number}: {incident.display_name}"
        return visit.show(
            "incident", title, section=SECTION, incident=_row(incident), alerts=alerts, log=log, raw=incident
        )

    def show_alert(self, visit: Visit) -> ApiResponse:
        """One alert with its evidence, comments and activity log."""
        caller = caller_of(self._services, visit, "view_data")
        alert_id = visit.request.path_parameters["alert"]
        with self._services.store.connect() as connection:
            alerts = Alerts(connection, visit.tenant_id, seen_alerts(caller))
            alert = alerts.get(alert_id)
            if alert is None or not _is_of_tenant(visit):
                return _missing(visit, "alert")
            log = [_entry(each) for each in reversed(alerts.log(alert_id))]
        evidence = [(entity_type(item.entity), _named(item.entity)) for item in alert.evidence]
        return visit.show(
            "alert", alert.title, section=SECTION, alert=alert, times=_times(alert), evidence=evidence, log=log
        )


def _is_of_tenant(visit: Visit) -> bool:
    """Whether the address is meant for the tenant of the session."""
    return visit.asked("tid") in ("", visit.tenant_id)


def _missing(visit: Visit, kind: str) -> ApiResponse:
    return visit.show("message", "Not found", status=404, text=f"This tenant has no such {kind}.")


def _row(incident: Incident) -> dict[str, Any]:
    times = {"created": format_ticks(incident.created), "last_update": format_ticks(incident.last_update)}
    return {**msgspec.structs.asdict(incident), **times}


def _times(alert: Alert) -> dict[str, str]:
    return {name: format_ticks(getattr(alert, name)) for name in ("created", "first_activity", "last_activity")}


def _entry(activity: Activity) -> LogEntry:
    facts = "; ".join(f"{name.replace('_', ' ')}: {_text(value)}" for name, value in activity.facts.items())
    what = ACTIVITIES.get(activity.activity, activity.activity)
    return LogEntry(format_ticks(activity.at), what, activity.actor, facts, activity.via)


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else "–" if value is None else str(value)


def _named(evidence: msgspec.Struct) -> str:
    """What a piece of evidence says of itself."""
    said = dict(_members(evidence))
    for part, value in msgspec.structs.asdict(evidence).items():
        if isinstance(value, msgspec.Struct):
            said |= {f"{part} {name}" if name in said else name: text for name, text in _members(value)}
    return "; ".join(f"{name.replace('_', ' ')}: {text}" for name, text in said.items())


def _members(part: msgspec.Struct) -> Iterator[tuple[str, str | int]]:
    """Texts and numbers of a piece of evidence that are set and tell what it is."""
    for name, value in msgspec.structs.asdict(part).items():
        if name in UNSHOWN or value == "" or not isinstance(value, str | int):
            continue
        yield name, format_ticks(value) if name in TIMES and isinstance(value, int) else value
