"""Incidents and alerts of a seed, as Microsoft Graph shows them: kept as they are given, ids and times too."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from vedette.api.graph.evidence_input import from_graph
from vedette.api.graph.values import complete
from vedette.clock import now_ticks
from vedette.contracts.graph_types import SECURITY
from vedette.errors import InvalidRequestError
from vedette.incidents.alerts import ALERT_CREATED, AlertDetails, AlertState, NewAlert, create, put_into
from vedette.incidents.changes import By
from vedette.incidents.described import DescribedIncident, add_incident
from vedette.incidents.incidents import Comment, IncidentDetails, Incidents
from vedette.odata.dates import parse_ticks
from vedette.server.seed_errors import at, invalid
from vedette.server.seed_values import list_of, object_of
from vedette.server.wiring import Services

ACTOR = "vedette seed"
MAX_ID = 64
MAX_DIGITS = 15

Members = Mapping[str, Any]


def seed_incident(
    connection: Connection, tenant_id: str, given: Members, services: Services, path: str
) -> tuple[int, list[str]]:
    """Make an incident with its alerts, exactly as it is described; their ids."""
    now = now_ticks(services.clock)
    with at(path):
        described = _incident({name: value for name, value in given.items() if name != "alerts"}, now)
    alerts = []
    for number, alert in enumerate(list_of(given.get("alerts", []), f"{path}.alerts")):
        with at(f"{path}.alerts[{number}]"):
            alerts.append(_alert(object_of(alert, f"{path}.alerts[{number}]"), now))
    if not alerts and described["display_name"] is None:
        raise invalid(f"{path}.displayName", "expected the name of an incident without alerts")
    with at(path):
        whole = DescribedIncident(alerts=tuple(alerts), **described)
        incident_id, alert_ids = add_incident(connection, tenant_id, whole, By(ACTOR, now), services.ids)
    _tell(connection, tenant_id, alert_ids, services)
    return incident_id, alert_ids


def seed_alert(connection: Connection, tenant_id: str, given: Members, services: Services) -> str:
    """Make an alert: in the incident that it names if that is there, else where it belongs; its id."""
    now = now_ticks(services.clock)
    new, wanted = _alert(given, now), _number(given.get("incidentId"), "incidentId")
    if wanted is not None and (incident := Incidents(connection, tenant_id).get(wanted)) is not None:
        by = By(ACTOR, now)
        alert_id = put_into(connection, tenant_id, new, incident.incident_id, by=by, ids=services.ids)
    else:
        maker = By(ACTOR, now)
        alert_id = create(connection, tenant_id, new, services.clock, services.ids, maker=maker).alert.alert_id
    _tell(connection, tenant_id, [alert_id], services)
    return alert_id


def _tell(connection: Connection, tenant_id: str, alert_ids: list[str], services: Services) -> None:
    for alert_id in alert_ids:
        services.outbox.publish(connection, tenant_id, ALERT_CREATED, {"alert_id": alert_id})


def _incident(given: Members, now: int) -> dict[str, Any]:
    members, named = complete(f"{SECURITY}.incident", given), {name.lower() for name in given}
    return {
        "incident_id": _number(members["id"], "id"),
        "display_name": members["displayName"],
        "severity": members["severity"] if "severity" in named else None,
        "status": members["status"] if "status" in named else "active",
        "classification": members["classification"] or "unknown",
        "determination": members["determination"] or "unknown",
        "assigned_to": members["assignedTo"] or None,
        "created": _ticks(members["createdDateTime"]) if "createddatetime" in named else None,
        "last_update": _ticks(members["lastUpdateDateTime"]) if "lastupdatedatetime" in named else None,
        "last_modified_by": members["lastModifiedBy"],
        "redirect_incident_id": _number(members["redirectIncidentId"], "redirectIncidentId"),
        "custom_tags": tuple(members["customTags"]),
        "system_tags": tuple(members["systemTags"]),
        "details": IncidentDetails(
            description=members["description"],
            summary=members["summary"],
            resolving_comment=members["resolvingComment"],
            priority_score=members["priorityScore"],
        ),
        "comments": _comments(members["comments"], now),
    }


def _alert(given: Members, now: int) -> NewAlert:
    if given.get("additionalData"):
        raise InvalidRequestError("InvalidBodyValue", property="additionalData")  # it would be lost
    evidence = [object_of(each, "evidence") for each in list_of(given.get("evidence") or [], "evidence")]
    members = complete(f"{SECURITY}.alert", {name: given[name] for name in given if name != "evidence"})
    named = {name.lower() for name in given}
    category = members["category"] or next(iter(members["categories"]), "SuspiciousActivity")
    return NewAlert(
        title=members["title"] or "Alert",
        severity=members["severity"] if "severity" in named else "medium",
        category=category,
        service_source=members["serviceSource"] if "servicesource" in named else "microsoft365Defender",
        detection_source=members["detectionSource"] or "manual",
        first_activity=_ticks(members["firstActivityDateTime"]) or now,
        last_activity=_ticks(members["lastActivityDateTime"]) or now,
        details=_details(members),
        evidence=tuple(from_graph(each) for each in evidence),
        state=_state(members, named, [_ticks(each.get("createdDateTime")) for each in evidence], now),
    )


def _details(members: Members) -> AlertDetails:
    return AlertDetails(
        description=members["description"] or "",
        recommended_actions=members["recommendedActions"],
        mitre_techniques=tuple(members["mitreTechniques"]),
        detector_id=members["detectorId"],
        provider_alert_id=members["providerAlertId"],
        alert_policy_id=members["alertPolicyId"],
        product_name=members["productName"],
        actor_display_name=members["actorDisplayName"],
        threat_display_name=members["threatDisplayName"],
        threat_family_name=members["threatFamilyName"],
        investigation_state=members["investigationState"] or "unknown",
        custom_details=members["customDetails"] or {},
        system_tags=tuple(members["systemTags"]),
    )


def _state(members: Members, named: set[str], evidence_created: list[int | None], now: int) -> AlertState:
    status = members["status"] if "status" in named else "new"
    last_update = _ticks(members["lastUpdateDateTime"])
    resolved = _ticks(members["resolvedDateTime"])
    if status == "resolved" and resolved is None:
        resolved = last_update or now
    return AlertState(
        alert_id=_alert_id(members["id"]),
        status=status,
        classification=members["classification"] or "unknown",
        determination=members["determination"] or "unknown",
        assigned_to=members["assignedTo"] or None,
        created=_ticks(members["createdDateTime"]),
        last_update=last_update,
        resolved=resolved,
        comments=_comments(members["comments"], now),
        evidence_created=tuple(evidence_created),
    )


def _comments(given: list[Members], now: int) -> tuple[Comment, ...]:
    """Comments in their order, no two of one moment."""
    comments: list[Comment] = []
    for each in given:
        created = _ticks(each["createdDateTime"]) or now
        taken = {comment.created for comment in comments}
        while created in taken:
            created += 1
        comments.append(Comment(each["comment"] or "", each["createdByDisplayName"] or ACTOR, created))
    return tuple(comments)


def _alert_id(text: str | None) -> str | None:
    if text and len(text) > MAX_ID:
        raise InvalidRequestError("InvalidBodyValue", property="id")
    return text or None


def _number(text: object, name: str) -> int | None:
    """An incident's id, which Graph writes as text."""
    digits = "" if text is None else str(text)
    if digits and not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS and int(digits) > 0):
        raise InvalidRequestError("InvalidBodyValue", property=name)
    return int(digits) if digits else None


def _ticks(text: str | None) -> int | None:
    return parse_ticks(text) if text else None
