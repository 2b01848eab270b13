"""Alerts and what they are about in the Defender for Endpoint API's shape: flat, every key present."""

from collections.abc import Iterable

import msgspec

from vedette.clock import format_ticks
from vedette.contracts.enums import load_enums
from vedette.incidents import alerts as alert_domain
from vedette.incidents import evidence as domain
from vedette.incidents.incidents import Comment as DomainComment


class Comment(msgspec.Struct, frozen=True, rename="camel"):
    """A comment."""

    comment: str
    created_by: str
    created_time: str


class RelatedUser(msgspec.Struct, frozen=True, rename="camel"):
    """The user of an alert."""

    user_name: str
    domain_name: str | None


class AlertEvidence(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One piece of evidence; null where a key does not apply to its type."""

    entity_type: str
    evidence_creation_time: str
    sha1: str | None = None
    sha256: str | None = None
    file_name: str | None = None
    file_path: str | None = None
    process_id: int | None = None
    process_command_line: str | None = None
    process_creation_time: str | None = None
    parent_process_id: int | None = None
    parent_process_creation_time: str | None = None
    parent_process_file_name: str | None = None
    parent_process_file_path: str | None = None
    ip_address: str | None = None
    url: str | None = None
    registry_key: str | None = None
    registry_hive: str | None = None
    registry_value_type: str | None = None
    registry_value: str | None = None
    registry_value_name: str | None = None
    account_name: str | None = None
    domain_name: str | None = None
    user_sid: str | None = None
    aad_user_id: str | None = None
    user_principal_name: str | None = None
    detection_status: str | None = None


class LoggedOnUser(msgspec.Struct, frozen=True, rename="camel"):
    """Who was logged on to the machine of an alert."""

    account_name: str | None
    domain_name: str | None


class Alert(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An alert."""

    id: str
    incident_id: int
    investigation_id: int | None
    assigned_to: str | None
    severity: str
    status: str
    classification: str | None
    determination: str | None
    investigation_state: str
    detection_source: str
    detector_id: str | None
    category: str
    threat_family_name: str | None
    threat_name: str | None
    title: str
    description: str
    alert_creation_time: str
    first_event_time: str
    last_event_time: str
    last_update_time: str
    resolved_time: str | None
    machine_id: str | None
    computer_dns_name: str | None
    rbac_group_name: str | None
    aad_tenant_id: str
    mitre_techniques: tuple[str, ...]
    related_user: RelatedUser | None
    logged_on_users: list[LoggedOnUser]
    comments: list[Comment]
    evidence: list[AlertEvidence]


def to_alert(alert: alert_domain.Alert, tenant_id: str, *, with_evidence: bool) -> Alert:
    """The wire form of an alert."""
    details = alert.details
    device = device_of(alert)
    return Alert(
        id=alert.alert_id,
        incident_id=alert.incident_id,
        investigation_id=details.investigation_id,
        assigned_to=alert.assigned_to,
        severity=_word("alertSeverity", alert.severity),
        status=_word("alertStatus", alert.status),
        classification=_unless_unknown("alertClassification", alert.classification),
        determination=_unless_unknown("alertDetermination", alert.determination),
        investigation_state=_word("investigationState", details.investigation_state),
        detection_source=_word("detectionSource", alert.detection_source),
        detector_id=details.detector_id,
        category=alert.category,
        threat_family_name=details.threat_family_name,
        threat_name=details.threat_display_name,
        title=alert.title,
        description=details.description,
        alert_creation_time=format_ticks(alert.created),
        first_event_time=format_ticks(alert.first_activity),
        last_event_time=format_ticks(alert.last_activity),
        last_update_time=format_ticks(alert.last_update),
        resolved_time=_time(alert.resolved),
        machine_id=device.device_id if device else None,
        computer_dns_name=device.device_name if device else None,
        rbac_group_name=device.rbac_group_name if device else None,
        aad_tenant_id=tenant_id,
        mitre_techniques=details.mitre_techniques,
        related_user=_related_user(alert),
        logged_on_users=[
            LoggedOnUser(each.account_name, each.domain_name) for each in (device.logged_on_users if device else ())
        ],
        comments=[_comment(each) for each in alert.comments],
        evidence=list(_evidence(alert.evidence)) if with_evidence else [],
    )


def device_of(alert: alert_domain.Alert) -> domain.DeviceEvidence | None:
    """The device that an alert is about."""
    return next((item.entity for item in alert.evidence if isinstance(item.entity, domain.DeviceEvidence)), None)


def account_of(alert: alert_domain.Alert) -> domain.UserAccount | None:
    """The user of an alert, or as whom its process ran."""
    accounts = [item.entity.account for item in alert.evidence if isinstance(item.entity, domain.UserEvidence)]
    ran_as = [item.entity.account for item in alert.evidence if isinstance(item.entity, domain.ProcessEvidence)]
    return next((account for account in [*accounts, *ran_as] if account and account.account_name), None)


def _related_user(alert: alert_domain.Alert) -> RelatedUser | None:
    account = account_of(alert)
    return RelatedUser(account.account_name or "", account.domain_name) if account else None


def _comment(comment: DomainComment) -> Comment:
    return Comment(comment.comment, comment.created_by, format_ticks(comment.created))


def _evidence(items: Iterable[domain.RecordedEvidence]) -> Iterable[AlertEvidence]:
    for item in items:
        made = _to_evidence(item.entity, format_ticks(item.created))
        if made is not None:
            yield made


def _to_evidence(entity: domain.Evidence, created: str) -> AlertEvidence | None:
    match entity:
        case domain.UserEvidence():
            return _of_account(AlertEvidence(entity_type="User", evidence_creation_time=created), entity.account)
        case domain.FileEvidence():
            file = _of_file(AlertEvidence(entity_type="File", evidence_creation_time=created), entity.file)
            return msgspec.structs.replace(file, detection_status=_word("detectionStatus", entity.detection_status))
        case domain.ProcessEvidence():
            return _of_process(entity, created)
        case domain.IpEvidence():
            return AlertEvidence(entity_type="Ip", evidence_creation_time=created, ip_address=entity.address)
        case domain.UrlEvidence():
            return AlertEvidence(entity_type="Url", evidence_creation_time=created, url=entity.url)
    return _of_registry(entity, created)


def _of_registry(entity: domain.Evidence, created: str) -> AlertEvidence | None:
    if not isinstance(entity, domain.RegistryKeyEvidence | domain.RegistryValueEvidence):
        return None
    value = entity if isinstance(entity, domain.RegistryValueEvidence) else None
    return AlertEvidence(
        entity_type="Registry",
        evidence_creation_time=created,
        registry_hive=entity.hive,
        registry_key=entity.key,
        registry_value_name=value.value_name if value else None,
        registry_value_type=value.value_type if value else None,
        registry_value=value.value if value else None,
    )


def _of_process(process: domain.ProcessEvidence, created: str) -> AlertEvidence:
    parent = process.parent_image or domain.FileDetails()
    base = AlertEvidence(
        entity_type="Process",
        evidence_creation_time=created,
        process_id=process.process_id,
        process_command_line=process.command_line,
        process_creation_time=_time(process.created),
        parent_process_id=process.parent_process_id,
        parent_process_creation_time=_time(process.parent_created),
        parent_process_file_name=parent.file_name,
        parent_process_file_path=parent.file_path,
        detection_status=_word("detectionStatus", process.detection_status),
    )
    with_image = _of_file(base, process.image or domain.FileDetails())
    return _of_account(with_image, process.account or domain.UserAccount())


def _of_file(base: AlertEvidence, file: domain.FileDetails) -> AlertEvidence:
    return msgspec.structs.replace(
        base, sha1=file.sha1, sha256=file.sha256, file_name=file.file_name, file_path=file.file_path
    )


def _of_account(base: AlertEvidence, account: domain.UserAccount) -> AlertEvidence:
    return msgspec.structs.replace(
        base,
        account_name=account.account_name,
        domain_name=account.domain_name,
        user_sid=account.user_sid,
        aad_user_id=account.object_id,
        user_principal_name=account.user_principal_name,
    )


def _word(enum: str, name: str) -> str:
    return load_enums()[enum].defender(name)


def _unless_unknown(enum: str, name: str) -> str | None:
    return None if name == "unknown" else _word(enum, name)


def _time(ticks: int | None) -> str | None:
    return None if ticks is None else format_ticks(ticks)
