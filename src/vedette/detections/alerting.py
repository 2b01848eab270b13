"""From hits to alerts: one alert for each asset that a run of a rule newly found something about."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from vedette.detections.entities import ENTITY_FIELDS, EntityMapping, EntityType
from vedette.detections.hits import Hit, Row
from vedette.detections.rules import Rule
from vedette.incidents.alerts import AlertDetails, NewAlert
from vedette.incidents.evidence import (
    DeviceEvidence,
    Evidence,
    FileDetails,
    FileEvidence,
    IpEvidence,
    MailboxEvidence,
    MailMessageEvidence,
    ProcessEvidence,
    RegistryValueEvidence,
    UrlEvidence,
    UserAccount,
    UserEvidence,
)

MAX_EVIDENCE = 100
"""Pieces of evidence of one alert; of a rule that hits more, the first are kept."""

Fields = Mapping[str, object]


def to_alerts(rule: Rule, hits: Iterable[Hit], now: int) -> list[NewAlert]:
    """Alerts of new hits, oldest activity first. `now` (ticks) stands in where a row has no Timestamp."""
    groups: dict[object, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(_asset(rule, hit.row), []).append(hit)
    alerts = [_to_alert(rule, group, now) for group in groups.values()]
    return sorted(alerts, key=lambda alert: alert.first_activity)


def to_evidence(mapping: EntityMapping, row: Row) -> Evidence | None:
    """The entity that a row names; None where a field it cannot do without is empty."""
    fields = {field: row[column] for field, column in mapping.columns.items() if row.get(column) is not None}
    if any(required and field not in fields for field, required in ENTITY_FIELDS[mapping.type].items()):
        return None
    return _BUILDERS[mapping.type](fields, mapping.impacted)


def _to_alert(rule: Rule, hits: Sequence[Hit], now: int) -> NewAlert:
    times = [hit.timestamp if hit.timestamp is not None else now for hit in hits]
    return NewAlert(
        title=rule.title,
        severity=rule.severity,
        category=rule.category,
        service_source="microsoft365Defender",
        detection_source="customDetection",
        first_activity=min(times),
        last_activity=max(times),
        details=AlertDetails(
            description=rule.description,
            recommended_actions=rule.recommended_actions or None,
            mitre_techniques=rule.techniques,
            detector_id=rule.detector_id,
            custom_details=_custom_details(rule, hits[0].row),
        ),
        evidence=_evidence(rule, hits),
        source_key=f"{rule.id}/{hits[0].key}",
    )


def _custom_details(rule: Rule, row: Row) -> dict[str, str]:
    """What the rule wants to be said with the alert, of the first hit."""
    return {name: str(row[column]) for name, column in rule.custom_details.items() if row.get(column) is not None}


def _evidence(rule: Rule, hits: Sequence[Hit]) -> tuple[Evidence, ...]:
    """Every entity once, assets first, in the order in which the rule names them."""
    found: dict[Evidence, None] = {}
    for mapping in sorted(rule.entities, key=lambda mapping: not mapping.impacted):
        for hit in hits:
            if (entity := to_evidence(mapping, hit.row)) is not None:
                found.setdefault(entity)
    return tuple(found)[:MAX_EVIDENCE]


def _asset(rule: Rule, row: Row) -> object:
    """What alerts of one run are grouped by: the first impacted entity that the row names."""
    for mapping in rule.entities:
        if mapping.impacted and (entity := to_evidence(mapping, row)) is not None:
            return entity
    return None


def _device(fields: Fields, impacted: bool) -> Evidence:
    name = _text(fields, "device_name")
    host, _, domain = (name or "").partition(".")
    return DeviceEvidence(
        device_id=str(fields["device_id"]),
        device_name=name,
        host_name=host or None,
        dns_domain=domain or None,
        is_impacted=impacted,
    )


def _user(fields: Fields, impacted: bool) -> Evidence:
    return UserEvidence(account=_account(fields), is_impacted=impacted)


def _process(fields: Fields, impacted: bool) -> Evidence:
    parent = FileDetails(
        file_name=_text(fields, "parent_file_name"), file_path=_folder(_text(fields, "parent_file_path"))
    )
    account = _account(fields)
    return ProcessEvidence(
        process_id=_number(fields, "process_id"),
        command_line=_text(fields, "command_line"),
        created=_number(fields, "created"),
        image=_file_details(fields),
        parent_process_id=_number(fields, "parent_process_id"),
        parent_created=_number(fields, "parent_created"),
        parent_image=parent if parent.file_name else None,
        account=account if account.account_name else None,
        device_id=_text(fields, "device_id"),
        is_impacted=impacted,
    )


def _file(fields: Fields, impacted: bool) -> Evidence:
    return FileEvidence(file=_file_details(fields), device_id=_text(fields, "device_id"), is_impacted=impacted)


def _ip(fields: Fields, impacted: bool) -> Evidence:
    return IpEvidence(address=str(fields["address"]), is_impacted=impacted)


def _url(fields: Fields, impacted: bool) -> Evidence:
    return UrlEvidence(url=str(fields["url"]), is_impacted=impacted)


def _mailbox(fields: Fields, impacted: bool) -> Evidence:
    return MailboxEvidence(primary_address=str(fields["primary_address"]), is_impacted=impacted)


def _message(fields: Fields, impacted: bool) -> Evidence:
    return MailMessageEvidence(
        network_message_id=str(fields["network_message_id"]),
        recipient=_text(fields, "recipient"),
        sender=_text(fields, "sender"),
        subject=_text(fields, "subject"),
        is_impacted=impacted,
    )


def _registry_value(fields: Fields, impacted: bool) -> Evidence:
    hive, _, key = str(fields["key"]).partition("\\")
    return RegistryValueEvidence(
        hive=hive if key else None,
        key=key or hive,
        value_name=_text(fields, "value_name"),
        value=_text(fields, "value"),
        device_id=_text(fields, "device_id"),
        is_impacted=impacted,
    )


_BUILDERS: Mapping[EntityType, Callable[[Fields, bool], Evidence]] = {
    "device": _device,
    "user": _user,
    "mailbox": _mailbox,
    "mailMessage": _message,
    "process": _process,
    "file": _file,
    "ip": _ip,
    "url": _url,
    "registryValue": _registry_value,
}


def _account(fields: Fields) -> UserAccount:
    return UserAccount(
        account_name=_text(fields, "account_name"),
        domain_name=_text(fields, "domain_name"),
        user_sid=_text(fields, "user_sid"),
        object_id=_text(fields, "object_id"),
        user_principal_name=_text(fields, "user_principal_name"),
    )


def _file_details(fields: Fields) -> FileDetails:
    return FileDetails(
        file_name=_text(fields, "file_name"),
        file_path=_folder(_text(fields, "file_path")),
        sha1=_text(fields, "sha1"),
        sha256=_text(fields, "sha256"),
    )


def _folder(path: str | None) -> str | None:
    """The folder of a full path: hunting rows keep the file name in it, evidence does not."""
    return None if path is None else path.rpartition("\\")[0] or path.rpartition("/")[0] or None


def _text(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    return None if value is None else str(value)


def _number(fields: Fields, name: str) -> int | None:
    value = fields.get(name)
    return value if isinstance(value, int) else None
