"""Incidents, alerts, comments and hunting answers in Graph's shape."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from vedette.api.graph.evidence import Wording, to_evidence
from vedette.api.graph.evidence_types import Base
from vedette.clock import format_ticks
from vedette.contracts.enums import load_enums
from vedette.contracts.hunting_answers import load_hunting_answers
from vedette.hunting.results import Results
from vedette.incidents import alerts as alert_domain
from vedette.incidents import incidents as incident_domain


class Shape(msgspec.Struct, frozen=True):
    """Everything besides the entity that its wire form depends on."""

    base_url: str
    tenant_id: str
    wording: Wording

    @property
    def form(self) -> tuple[str, ...]:
        """All of it, as texts."""
        return self.tenant_id, self.base_url, str(self.wording.evolved)

    def incident_url(self, incident_id: int) -> str:
        """Where a person looks at an incident."""
        return f"{self.base_url}/portal/incidents/{incident_id}?tid={self.tenant_id}"

    def alert_url(self, alert_id: str) -> str:
        """Where a person looks at an alert."""
        return f"{self.base_url}/portal/alerts/{alert_id}?tid={self.tenant_id}"


class AlertComment(msgspec.Struct, frozen=True, rename="camel"):
    """alertComment."""

    comment: str
    created_by_display_name: str
    created_date_time: str


class Alert(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """alert."""

    odata_type: str = msgspec.field(default="#microsoft.graph.security.alert", name="@odata.type")
    id: str
    provider_alert_id: str
    incident_id: str
    status: str
    severity: str
    classification: str
    determination: str
    service_source: str
    detection_source: str
    product_name: str
    detector_id: str | None
    tenant_id: str
    title: str
    description: str
    recommended_actions: str | None
    category: str
    categories: list[str]
    assigned_to: str | None
    alert_web_url: str
    incident_web_url: str
    actor_display_name: str | None
    threat_display_name: str | None
    threat_family_name: str | None
    mitre_techniques: list[str]
    investigation_state: str
    created_date_time: str
    last_update_date_time: str
    resolved_date_time: str | None
    first_activity_date_time: str
    last_activity_date_time: str
    system_tags: list[str]
    alert_policy_id: str | None
    additional_data: None = None
    custom_details: dict[str, str] | None
    comments: list[AlertComment]
    evidence: list[Base | dict[str, Any]]


class Incident(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """incident. `alerts` is there only if expanded."""

    id: str
    tenant_id: str
    status: str
    incident_web_url: str
    redirect_incident_id: str | None
    display_name: str
    created_date_time: str
    last_update_date_time: str
    assigned_to: str | None
    classification: str
    determination: str
    severity: str
    custom_tags: list[str]
    system_tags: list[str]
    description: str | None
    last_modified_by: str | None
    resolving_comment: str | None
    summary: str | None
    priority_score: int | None
    comments: list[AlertComment]
    alerts: Sequence[Alert] | Sequence[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


def to_incident(
    incident: incident_domain.Incident, shape: Shape, alerts: list[alert_domain.Alert] | None = None
) -> Incident:
    """The wire form of an incident, with its alerts if given."""
    words = shape.wording
    return Incident(
        id=str(incident.incident_id),
        tenant_id=shape.tenant_id,
        status=words.enum("incidentStatus", incident.status),
        incident_web_url=shape.incident_url(incident.incident_id),
        redirect_incident_id=None if incident.redirect_incident_id is None else str(incident.redirect_incident_id),
        display_name=incident.display_name,
        created_date_time=format_ticks(incident.created),
        last_update_date_time=format_ticks(incident.last_update),
        assigned_to=incident.assigned_to,
        classification=words.enum("alertClassification", incident.classification),
        determination=words.enum("alertDetermination", incident.determination),
        severity=words.enum("alertSeverity", incident.severity),
        custom_tags=list(incident.custom_tags),
        system_tags=list(incident.system_tags),
        description=incident.details.description,
        last_modified_by=incident.last_modified_by,
        resolving_comment=incident.details.resolving_comment,
        summary=incident.details.summary,
        priority_score=incident.details.priority_score,
        comments=to_comments(incident.comments),
        alerts=msgspec.UNSET if alerts is None else [to_alert(alert, shape) for alert in alerts],
    )


def to_alert(alert: alert_domain.Alert, shape: Shape) -> Alert:
    """The wire form of an alert."""
    words, details = shape.wording, alert.details
    return Alert(
        id=alert.alert_id,
        provider_alert_id=details.provider_alert_id or alert.alert_id,
        incident_id=str(alert.incident_id),
        status=words.enum("alertStatus", alert.status),
        severity=words.enum("alertSeverity", alert.severity),
        classification=words.enum("alertClassification", alert.classification),
        determination=words.enum("alertDetermination", alert.determination),
        service_source=words.enum("serviceSource", alert.service_source),
        detection_source=words.enum("detectionSource", alert.detection_source),
        product_name=details.product_name or load_enums()["serviceSource"].hunting(alert.service_source),
        detector_id=details.detector_id,
        tenant_id=shape.tenant_id,
        title=alert.title,
        description=details.description,
        recommended_actions=details.recommended_actions,
        category=alert.category,
        categories=[alert.category],
        assigned_to=alert.assigned_to,
        alert_web_url=shape.alert_url(alert.alert_id),
        incident_web_url=shape.incident_url(alert.incident_id),
        actor_display_name=details.actor_display_name,
        threat_display_name=details.threat_display_name,
        threat_family_name=details.threat_family_name,
        mitre_techniques=list(details.mitre_techniques),
        investigation_state=words.enum("investigationState", details.investigation_state),
        created_date_time=format_ticks(alert.created),
        last_update_date_time=format_ticks(alert.last_update),
        resolved_date_time=None if alert.resolved is None else format_ticks(alert.resolved),
        first_activity_date_time=format_ticks(alert.first_activity),
        last_activity_date_time=format_ticks(alert.last_activity),
        system_tags=list(details.system_tags),
        alert_policy_id=details.alert_policy_id,
        custom_details=dict(details.custom_details) or None,
        comments=to_comments(alert.comments),
        evidence=[to_evidence(item, words) for item in alert.evidence],
    )


def to_comments(comments: tuple[incident_domain.Comment, ...]) -> list[AlertComment]:
    """The wire form of comments, oldest first."""
    return [AlertComment(each.comment, each.created_by, format_ticks(each.created)) for each in comments]


def to_mapping(entity: msgspec.Struct) -> dict[str, object]:
    """An entity's members by wire name."""
    return cast(dict[str, object], msgspec.to_builtins(entity))


def to_hunting_answer(results: Results, context_url: str) -> Mapping[str, object]:
    """huntingQueryResults: lower-case names, no statistics."""
    facts = load_hunting_answers()
    schema = [{"name": column.name, "type": facts.type_names[column.type].graph} for column in results.columns]
    return {"@odata.context": context_url, "schema": schema, "results": results.rows(facts.dynamic_values.graph)}
