"""Alerts in the shape of `microsoft.graph.alert`: states of hosts, users, files and the rest in place of evidence."""

from collections.abc import Callable, Mapping
from typing import Any

from vedette.api.graph.entities import Shape
from vedette.api.graph.values import complete
from vedette.clock import format_ticks
from vedette.contracts.graph_types import GRAPH, load_graph_types
from vedette.incidents.alerts import Alert
from vedette.incidents.evidence import (
    DeviceEvidence,
    Evidence,
    FileDetails,
    FileEvidence,
    IpEvidence,
    ProcessEvidence,
    RegistryKeyEvidence,
    RegistryValueEvidence,
    UrlEvidence,
    UserAccount,
    UserEvidence,
)

STATUSES: Mapping[str, str] = {
    "unknown": "unknown",
    "new": "newAlert",
    "inProgress": "inProgress",
    "resolved": "resolved",
}
"""Stored status → name in this shape."""

FEEDBACK: Mapping[str, str] = {
    "unknown": "unknown",
    "truePositive": "truePositive",
    "falsePositive": "falsePositive",
    "informationalExpectedActivity": "benignPositive",
}
"""Stored classification → feedback."""

PROVIDERS: Mapping[str, str] = {
    "microsoftDefenderForEndpoint": "Microsoft Defender ATP",
    "microsoftDefenderForIdentity": "Azure Advanced Threat Protection",
    "microsoftDefenderForCloudApps": "MCAS",
    "microsoftDefenderForOffice365": "Office 365 Security and Compliance",
    "azureAdIdentityProtection": "IPC",
    "microsoftDefenderForCloud": "ASC",
    "microsoftSentinel": "Azure Sentinel",
    "microsoft365Defender": "Microsoft 365 Defender",
}
"""Service → `vendorInformation.provider`, as connectors filter by it."""

ALERT = f"{GRAPH}.alert"
States = dict[str, list[dict[str, Any]]]


def to_legacy_alert(alert: Alert, shape: Shape) -> dict[str, Any]:
    """The wire form. What this shape asks for and no evidence says stays null or empty."""
    details = alert.details
    members: dict[str, Any] = {
        "id": alert.alert_id,
        "azureTenantId": shape.tenant_id,
        "assignedTo": alert.assigned_to,
        "activityGroupName": details.actor_display_name,
        "category": alert.category,
        "closedDateTime": None if alert.resolved is None else format_ticks(alert.resolved),
        "comments": [each.comment for each in alert.comments],
        "createdDateTime": format_ticks(alert.created),
        "description": details.description,
        "detectionIds": [details.detector_id] if details.detector_id else [],
        "eventDateTime": format_ticks(alert.first_activity),
        "feedback": FEEDBACK.get(alert.classification, "unknown"),
        "incidentIds": [str(alert.incident_id)],
        "lastEventDateTime": format_ticks(alert.last_activity),
        "lastModifiedDateTime": format_ticks(alert.last_update),
        "recommendedActions": [details.recommended_actions] if details.recommended_actions else [],
        "severity": alert.severity,
        "sourceMaterials": [shape.alert_url(alert.alert_id)],
        "status": STATUSES[alert.status],
        "tags": list(details.system_tags),
        "title": alert.title,
        "vendorInformation": {
            "provider": PROVIDERS.get(alert.service_source, PROVIDERS["microsoft365Defender"]),
            "vendor": "Microsoft",
            "subProvider": details.product_name,
        },
    }
    if details.threat_display_name or details.threat_family_name:
        family = {"name": details.threat_display_name, "family": details.threat_family_name}
        members["malwareStates"] = [family]
    for name, states in _states(alert).items():
        members[name] = states
    return complete(ALERT, members)


def _states(alert: Alert) -> States:
    found: States = {}
    for item in alert.evidence:
        build = _BUILDERS.get(type(item.entity))
        if build is not None:
            name, state = build(item.entity)
            found.setdefault(name, []).append({key: value for key, value in state.items() if value is not None})
    return found


def _host(device: DeviceEvidence) -> tuple[str, dict[str, Any]]:
    name = device.device_name
    return "hostStates", {
        "fqdn": name if name and "." in name else None,
        "netBiosName": device.host_name or (name or "").partition(".")[0] or None,
        "os": device.os_platform,
        "privateIpAddress": device.last_ip_address,
        "publicIpAddress": device.last_external_ip_address,
        "riskScore": device.risk_score,
    }


def _user(user: UserEvidence) -> tuple[str, dict[str, Any]]:
    return "userStates", _account(user.account)


def _account(account: UserAccount) -> dict[str, Any]:
    return {
        "aadUserId": account.object_id,
        "accountName": account.account_name,
        "domainName": account.domain_name,
        "onPremisesSecurityIdentifier": account.user_sid,
        "userPrincipalName": account.user_principal_name,
    }


def _file(evidence: FileEvidence) -> tuple[str, dict[str, Any]]:
    file = evidence.file
    return "fileStates", {"name": file.file_name, "path": _path(file), "fileHash": _hash(file)}


def _process(evidence: ProcessEvidence) -> tuple[str, dict[str, Any]]:
    image, parent = evidence.image or FileDetails(), evidence.parent_image or FileDetails()
    return "processes", {
        "accountName": evidence.account.account_name if evidence.account else None,
        "commandLine": evidence.command_line,
        "createdDateTime": None if evidence.created is None else format_ticks(evidence.created),
        "fileHash": _hash(image),
        "name": image.file_name,
        "path": _path(image),
        "processId": evidence.process_id,
        "parentProcessId": evidence.parent_process_id,
        "parentProcessName": parent.file_name,
        "parentProcessCreatedDateTime": None
        if evidence.parent_created is None
        else format_ticks(evidence.parent_created),
    }


def _connection(evidence: IpEvidence) -> tuple[str, dict[str, Any]]:
    return "networkConnections", {"destinationAddress": evidence.address}


def _url(evidence: UrlEvidence) -> tuple[str, dict[str, Any]]:
    return "networkConnections", {"destinationUrl": evidence.url}


def _key(evidence: RegistryKeyEvidence) -> tuple[str, dict[str, Any]]:
    return "registryKeyStates", {"hive": _hive(evidence.hive), "key": evidence.key}


def _value(evidence: RegistryValueEvidence) -> tuple[str, dict[str, Any]]:
    return "registryKeyStates", {
        "hive": _hive(evidence.hive),
        "key": evidence.key,
        "valueName": evidence.value_name,
        "valueData": evidence.value,
    }


def _hive(text: str | None) -> str:
    """registryHive: `HKEY_LOCAL_MACHINE\\SOFTWARE` is localMachineSoftware; a hive alone is not among its members."""
    words = (text or "").upper().removeprefix("HKEY_").replace("\\", "_").split("_")
    name = "".join(word.capitalize() for word in words)
    return load_graph_types().enums[f"{GRAPH}.registryHive"].parse(name) or "unknown"


def _path(file: FileDetails) -> str | None:
    if file.file_path is None:
        return None
    return "\\".join(part for part in (file.file_path.rstrip("\\"), file.file_name) if part)


def _hash(file: FileDetails) -> dict[str, str] | None:
    for kind, value in (("sha256", file.sha256), ("sha1", file.sha1), ("md5", file.md5)):
        if value:
            return {"hashType": kind, "hashValue": value}
    return None


_BUILDERS: Mapping[type[Evidence], Callable[[Any], tuple[str, dict[str, Any]]]] = {
    DeviceEvidence: _host,
    UserEvidence: _user,
    FileEvidence: _file,
    ProcessEvidence: _process,
    IpEvidence: _connection,
    UrlEvidence: _url,
    RegistryKeyEvidence: _key,
    RegistryValueEvidence: _value,
}
