"""Alerts as rows of the hunting tables AlertInfo and AlertEvidence. Datetimes are ticks; what is unknown has no key."""

import json
from collections.abc import Iterator, Mapping

from vedette.contracts.enums import load_enums
from vedette.incidents.alerts import Alert
from vedette.incidents.evidence import (
    CloudApplicationEvidence,
    DeviceEvidence,
    Evidence,
    FileDetails,
    FileEvidence,
    IpEvidence,
    MailboxEvidence,
    MailClusterEvidence,
    MailMessageEvidence,
    OAuthApplicationEvidence,
    OtherEvidence,
    ProcessEvidence,
    RegistryKeyEvidence,
    RegistryValueEvidence,
    SecurityGroupEvidence,
    UrlEvidence,
    UserAccount,
    UserEvidence,
)

HuntingRow = dict[str, object]

ENTITY_TYPES: Mapping[type[Evidence], str] = {
    DeviceEvidence: "Machine",
    UserEvidence: "User",
    FileEvidence: "File",
    ProcessEvidence: "Process",
    IpEvidence: "Ip",
    UrlEvidence: "Url",
    RegistryKeyEvidence: "RegistryKey",
    RegistryValueEvidence: "RegistryValue",
    MailboxEvidence: "Mailbox",
    MailMessageEvidence: "MailMessage",
    MailClusterEvidence: "MailCluster",
    SecurityGroupEvidence: "SecurityGroup",
    CloudApplicationEvidence: "CloudApplication",
    OAuthApplicationEvidence: "OAuthApplication",
}
"""`AlertEvidence.EntityType` of the kinds of evidence that have one of their own."""


def entity_type(entity: Evidence) -> str:
    """`AlertEvidence.EntityType` of a piece of evidence."""
    if isinstance(entity, OtherEvidence):
        name = entity.graph_type.removesuffix("Evidence")
        return name[:1].upper() + name[1:]
    return ENTITY_TYPES[type(entity)]


def alert_rows(alert: Alert) -> Mapping[str, list[HuntingRow]]:
    """Rows by table: one of AlertInfo, one of AlertEvidence per piece of evidence."""
    shared = _shared(alert)
    info = {**shared, "Category": alert.category}
    return {"AlertInfo": [info], "AlertEvidence": list(_evidence_rows(alert, shared))}


def _shared(alert: Alert) -> HuntingRow:
    enums = load_enums()
    return {
        "Timestamp": alert.created,
        "AlertId": alert.alert_id,
        "Title": alert.title,
        "Severity": enums["alertSeverity"].hunting(alert.severity),
        "ServiceSource": enums["serviceSource"].hunting(alert.service_source),
        "DetectionSource": enums["detectionSource"].hunting(alert.detection_source),
        "AttackTechniques": json.dumps(alert.details.mitre_techniques) if alert.details.mitre_techniques else "",
    }


def _evidence_rows(alert: Alert, shared: HuntingRow) -> Iterator[HuntingRow]:
    device = next((item.entity for item in alert.evidence if isinstance(item.entity, DeviceEvidence)), None)
    names = {
        item.entity.device_id: item.entity.device_name
        for item in alert.evidence
        if isinstance(item.entity, DeviceEvidence)
    }
    for item in alert.evidence:
        entity = item.entity
        columns = _columns(entity)
        device_id = columns.get("DeviceId") or (device.device_id if device else None)
        columns |= {"DeviceId": device_id, "DeviceName": names.get(str(device_id))}
        if isinstance(entity, FileEvidence | ProcessEvidence):
            columns["ThreatFamily"] = alert.details.threat_family_name
        columns |= {
            "Categories": json.dumps([alert.category]),
            "EntityType": entity_type(entity),
            "EvidenceRole": "Impacted" if entity.is_impacted else "Related",
        }
        yield {**shared, **{name: value for name, value in columns.items() if value is not None}}


def _columns(entity: Evidence) -> HuntingRow:  # noqa: PLR0911 — one case per kind
    match entity:
        case DeviceEvidence():
            return {"DeviceId": entity.device_id, "LocalIP": entity.last_ip_address}
        case UserEvidence():
            return _account(entity.account)
        case FileEvidence():
            return {**_file(entity.file), "DeviceId": entity.device_id}
        case ProcessEvidence():
            return {
                **_file(entity.image or FileDetails()),
                **_account(entity.account or UserAccount()),
                "ProcessCommandLine": entity.command_line,
                "DeviceId": entity.device_id,
            }
        case RegistryKeyEvidence():
            return {"RegistryKey": _registry_path(entity.hive, entity.key)}
        case RegistryValueEvidence():
            return {
                "RegistryKey": _registry_path(entity.hive, entity.key),
                "RegistryValueName": entity.value_name,
                "RegistryValueData": entity.value,
                "DeviceId": entity.device_id,
            }
    return _network_or_cloud(entity)


def _network_or_cloud(entity: Evidence) -> HuntingRow:  # noqa: PLR0911 — one case per kind
    match entity:
        case IpEvidence():
            return {"RemoteIP": entity.address}
        case UrlEvidence():
            return {"RemoteUrl": entity.url}
        case MailboxEvidence():
            return {"AccountUpn": entity.primary_address, "AccountName": entity.display_name}
        case MailMessageEvidence():
            return {"NetworkMessageId": entity.network_message_id, "EmailSubject": entity.subject}
        case CloudApplicationEvidence():
            return {"Application": entity.display_name, "ApplicationId": entity.app_id}
        case OAuthApplicationEvidence():
            return {"Application": entity.display_name, "OAuthApplicationId": entity.app_id}
    return {"AdditionalFields": _additional(entity)}


def _additional(entity: Evidence) -> str:
    match entity:
        case SecurityGroupEvidence():
            return json.dumps({"SecurityGroupId": entity.group_id, "FriendlyName": entity.display_name})
        case MailClusterEvidence():
            return json.dumps({"ClusterBy": entity.cluster_by, "ClusterByValue": entity.cluster_by_value})
        case OtherEvidence():
            return entity.more or "{}"
    raise TypeError(type(entity).__name__)


def _account(account: UserAccount) -> HuntingRow:
    return {
        "AccountName": account.account_name,
        "AccountDomain": account.domain_name,
        "AccountSid": account.user_sid,
        "AccountObjectId": account.object_id,
        "AccountUpn": account.user_principal_name,
    }


def _file(file: FileDetails) -> HuntingRow:
    return {
        "FileName": file.file_name,
        "FolderPath": file.file_path,
        "SHA1": file.sha1,
        "SHA256": file.sha256,
        "FileSize": file.file_size,
    }


def _registry_path(hive: str | None, key: str) -> str:
    return f"{hive}\\{key}" if hive else key
