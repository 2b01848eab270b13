"""Incidents, alerts, devices, entities and hunting answers in the Defender XDR API's shape: flat, every key present."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from vedette.clock import format_ticks
from vedette.contracts.enums import load_enums
from vedette.contracts.hunting_answers import load_hunting_answers
from vedette.hunting.results import QueryStatistics, Results, format_timespan
from vedette.incidents import alerts as alert_domain
from vedette.incidents import evidence as domain
from vedette.incidents import incidents as incident_domain


class Comment(msgspec.Struct, frozen=True, rename="camel"):
    """A comment."""

    comment: str
    created_by: str
    created_time: str


class Device(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A device of an alert."""

    mdatp_device_id: str
    aad_device_id: str | None
    device_dns_name: str | None
    os_platform: str | None
    version: str | None
    os_processor: str | None
    os_build: int | None
    health_status: str
    risk_score: str
    rbac_group_name: str | None
    rbac_group_id: int | None
    first_seen: str | None


class Entity(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An entity of an alert; null where a key does not apply to its type."""

    entity_type: str
    sha1: str | None = None
    sha256: str | None = None
    file_name: str | None = None
    file_path: str | None = None
    process_id: int | None = None
    process_command_line: str | None = None
    process_creation_time: str | None = None
    parent_process_id: int | None = None
    parent_process_creation_time: str | None = None
    ip_address: str | None = None
    url: str | None = None
    account_name: str | None = None
    domain_name: str | None = None
    user_sid: str | None = None
    aad_user_id: str | None = None
    user_principal_name: str | None = None
    mailbox_display_name: str | None = None
    mailbox_address: str | None = None
    cluster_by: str | None = None
    sender: str | None = None
    recipient: str | None = None
    subject: str | None = None
    delivery_action: str | None = None
    security_group_id: str | None = None
    security_group_name: str | None = None
    registry_hive: str | None = None
    registry_key: str | None = None
    registry_value_type: str | None = None
    registry_value: str | None = None
    device_id: str | None = None


class Alert(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An alert of an incident."""

    alert_id: str
    incident_id: int
    service_source: str
    creation_time: str
    last_updated_time: str
    resolved_time: str | None
    first_activity: str
    last_activity: str
    title: str
    description: str
    category: str
    status: str
    severity: str
    investigation_id: int | None
    investigation_state: str
    classification: str | None
    determination: str | None
    detection_source: str
    assigned_to: str | None
    actor_name: str | None
    threat_family_name: str | None
    mitre_techniques: list[str]
    devices: list[Device]
    entities: list[Entity]


class Incident(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An incident with everything in it."""

    incident_id: int
    redirect_incident_id: int | None
    incident_name: str
    created_time: str
    last_update_time: str
    assigned_to: str | None
    classification: str
    determination: str
    detection_source: str | None
    status: str
    severity: str
    tags: list[str]
    comments: list[Comment]
    alerts: Sequence[Alert] | Sequence[msgspec.Raw]


def to_incident(incident: incident_domain.Incident, alerts: list[alert_domain.Alert]) -> Incident:
    """The wire form of an incident."""
    return Incident(
        incident_id=incident.incident_id,
        redirect_incident_id=incident.redirect_incident_id,
        incident_name=incident.display_name,
        created_time=format_ticks(incident.created),
        last_update_time=format_ticks(incident.last_update),
        assigned_to=incident.assigned_to,
        classification=_word("alertClassification", incident.classification),
        determination=_word("alertDetermination", incident.determination),
        detection_source=detection_sources(alert.detection_source for alert in alerts),
        status=_word("incidentStatus", incident.status),
        severity=_word("alertSeverity", incident.severity),
        tags=[*incident.custom_tags, *incident.system_tags],
        comments=[Comment(each.comment, each.created_by, format_ticks(each.created)) for each in incident.comments],
        alerts=[to_alert(alert) for alert in alerts],
    )


def detection_sources(names: Iterable[str]) -> str | None:
    """What the alerts of an incident were detected by, each once."""
    return ", ".join(dict.fromkeys(_word("detectionSource", name) for name in names)) or None


def to_alert(alert: alert_domain.Alert) -> Alert:
    """The wire form of an alert."""
    details = alert.details
    evidence = [item.entity for item in alert.evidence]
    return Alert(
        alert_id=alert.alert_id,
        incident_id=alert.incident_id,
        service_source=_word("serviceSource", alert.service_source),
        creation_time=format_ticks(alert.created),
        last_updated_time=format_ticks(alert.last_update),
        resolved_time=_time(alert.resolved),
        first_activity=format_ticks(alert.first_activity),
        last_activity=format_ticks(alert.last_activity),
        title=alert.title,
        description=details.description,
        category=alert.category,
        status=_word("alertStatus", alert.status),
        severity=_word("alertSeverity", alert.severity),
        investigation_id=details.investigation_id,
        investigation_state=_word("investigationState", details.investigation_state),
        classification=_unless_unknown("alertClassification", alert.classification),
        determination=_unless_unknown("alertDetermination", alert.determination),
        detection_source=_word("detectionSource", alert.detection_source),
        assigned_to=alert.assigned_to,
        actor_name=details.actor_display_name,
        threat_family_name=details.threat_family_name,
        mitre_techniques=list(details.mitre_techniques),
        devices=[_device(entity) for entity in evidence if isinstance(entity, domain.DeviceEvidence)],
        entities=[entity for entity in map(to_entity, evidence) if entity is not None],
    )


def to_entity(entity: domain.Evidence) -> Entity | None:  # noqa: PLR0911 — one case per kind
    """The wire form of an entity; None for kinds that this API does not know as entities (devices, applications)."""
    match entity:
        case domain.UserEvidence():
            return Entity(entity_type="User", **_account(entity.account))
        case domain.FileEvidence():
            return Entity(entity_type="File", **_file(entity.file), device_id=entity.device_id)
        case domain.ProcessEvidence():
            return _process(entity)
        case domain.IpEvidence():
            return Entity(entity_type="Ip", ip_address=entity.address)
        case domain.UrlEvidence():
            return Entity(entity_type="Url", url=entity.url)
        case domain.RegistryKeyEvidence():
            return Entity(entity_type="Registry", registry_hive=entity.hive, registry_key=entity.key)
        case domain.RegistryValueEvidence():
            return Entity(
                entity_type="Registry",
                registry_hive=entity.hive,
                registry_key=entity.key,
                registry_value_type=entity.value_type,
                registry_value=entity.value,
                device_id=entity.device_id,
            )
        case domain.SecurityGroupEvidence():
            return Entity(
                entity_type="SecurityGroup",
                security_group_id=entity.group_id,
                security_group_name=entity.display_name,
            )
    return _mail_entity(entity)


def _mail_entity(entity: domain.Evidence) -> Entity | None:
    match entity:
        case domain.MailboxEvidence():
            return Entity(
                entity_type="MailBox",
                mailbox_display_name=entity.display_name,
                mailbox_address=entity.primary_address,
                **_account(entity.account or domain.UserAccount()),
            )
        case domain.MailMessageEvidence():
            return Entity(
                entity_type="MailMessage",
                sender=entity.sender,
                recipient=entity.recipient,
                subject=entity.subject,
                delivery_action=entity.delivery_action,
                user_principal_name=entity.recipient,
            )
        case domain.MailClusterEvidence():
            return Entity(entity_type="MailCluster", cluster_by=entity.cluster_by)
    return None


def _process(process: domain.ProcessEvidence) -> Entity:
    return Entity(
        entity_type="Process",
        **_file(process.image or domain.FileDetails()),
        **_account(process.account or domain.UserAccount()),
        process_id=process.process_id,
        process_command_line=process.command_line,
        process_creation_time=_time(process.created),
        parent_process_id=process.parent_process_id,
        parent_process_creation_time=_time(process.parent_created),
        device_id=process.device_id,
    )


def _device(device: domain.DeviceEvidence) -> Device:
    return Device(
        mdatp_device_id=device.device_id,
        aad_device_id=device.aad_device_id,
        device_dns_name=device.device_name,
        os_platform=device.os_platform,
        version=device.os_version,
        os_processor=device.os_processor,
        os_build=device.os_build,
        health_status=_word("deviceHealthStatus", device.health_status),
        risk_score=_word("deviceRiskScore", device.risk_score),
        rbac_group_name=device.rbac_group_name,
        rbac_group_id=device.rbac_group_id,
        first_seen=_time(device.first_seen),
    )


def _account(account: domain.UserAccount) -> dict[str, Any]:
    return {
        "account_name": account.account_name,
        "domain_name": account.domain_name,
        "user_sid": account.user_sid,
        "aad_user_id": account.object_id,
        "user_principal_name": account.user_principal_name,
    }


def _file(file: domain.FileDetails) -> dict[str, Any]:
    return {"sha1": file.sha1, "sha256": file.sha256, "file_name": file.file_name, "file_path": file.file_path}


def _word(enum: str, name: str) -> str:
    return load_enums()[enum].defender(name)


def _unless_unknown(enum: str, name: str) -> str | None:
    return None if name == "unknown" else _word(enum, name)


def _time(ticks: int | None) -> str | None:
    return None if ticks is None else format_ticks(ticks)


def to_hunting_answer(results: Results) -> Mapping[str, object]:
    """The answer of both hunting operations: Stats, Schema, Results."""
    facts = load_hunting_answers()
    schema = [{"Name": column.name, "Type": facts.type_names[column.type].defender} for column in results.columns]
    return {
        "Stats": _statistics(results.statistics),
        "Schema": schema,
        "Results": results.rows(facts.dynamic_values.defender),
    }


def _statistics(statistics: QueryStatistics) -> Mapping[str, object]:
    cache = {"hits": 0, "misses": 0, "total": 0}
    cpu = format_timespan(round(statistics.cpu * 1_000_000) * 10)
    return {
        "ExecutionTime": statistics.elapsed,
        "resource_usage": {
            "cache": {"memory": cache, "disk": cache},
            "cpu": {"user": cpu, "kernel": "00:00:00", "total cpu": cpu},
            "memory": {"peak_per_node": statistics.peak_memory},
        },
        "dataset_statistics": [{"table_row_count": statistics.rows, "table_size": statistics.size}],
    }
