"""Evidence that clients and seeds give in Graph's shape: all of Graph's types, into what the domain keeps."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from vedette.api.graph.evidence import Wording, to_evidence
from vedette.api.graph.values import Members, complete, odata_type, sparse
from vedette.contracts.graph_types import EVIDENCE
from vedette.incidents import evidence as domain
from vedette.odata.dates import parse_ticks

_BASE = frozenset(
    {"createdDateTime", "verdict", "remediationStatus", "remediationStatusDetails", "roles", "detailedRoles", "tags"}
)
_IMPACTED = frozenset({"deviceEvidence", "userEvidence", "mailboxEvidence"})
"""Kinds that are assets of the alert unless they are only context."""


def from_graph(given: Mapping[str, Any]) -> domain.Evidence:
    """One piece of evidence. Raises InvalidRequestError for what is not of its type."""
    type_name = odata_type(given, EVIDENCE)
    members = complete(type_name, given)
    kind = type_name.rpartition(".")[2]
    shared: dict[str, Any] = {
        "verdict": members["verdict"],
        "remediation_status": members["remediationStatus"],
        "remediation_status_details": members["remediationStatusDetails"],
        "roles": tuple(members["roles"]),
        "detailed_roles": tuple(members["detailedRoles"]),
        "tags": tuple(members["tags"]),
        "is_impacted": kind in _IMPACTED and "contextual" not in members["roles"],
    }
    build = _BUILDERS.get(kind)
    entity = build(members, shared) if build else None
    if entity is None:
        rest = {name: value for name, value in members.items() if name not in _BASE}
        return domain.OtherEvidence(graph_type=kind, more=_text(sparse(rest)), **shared)
    return msgspec.structs.replace(entity, more=_text(_lost(members, entity)))


def _lost(members: Members, entity: domain.Evidence) -> Members:
    """Members that the domain's struct would forget."""
    shown = msgspec.to_builtins(to_evidence(domain.RecordedEvidence(0, entity), Wording(evolved=True)))
    return {
        name: value
        for name, value in members.items()
        if name not in _BASE and value not in (None, []) and shown.get(name) != value
    }


def _text(members: Members) -> str:
    return msgspec.json.encode(members).decode() if members else ""


def _device(given: Members, shared: dict[str, Any]) -> domain.Evidence | None:
    if not given["mdeDeviceId"]:
        return None
    return domain.DeviceEvidence(
        **shared,
        device_id=given["mdeDeviceId"],
        device_name=given["deviceDnsName"],
        host_name=given["hostName"],
        nt_domain=given["ntDomain"],
        dns_domain=given["dnsDomain"],
        aad_device_id=given["azureAdDeviceId"],
        os_platform=given["osPlatform"],
        os_version=given["version"],
        os_build=given["osBuild"],
        health_status=given["healthStatus"] or "unknown",
        risk_score=given["riskScore"] or "none",
        onboarding_status=given["onboardingStatus"] or "onboarded",
        rbac_group_id=given["rbacGroupId"],
        rbac_group_name=given["rbacGroupName"],
        first_seen=_ticks(given["firstSeenDateTime"]),
        last_ip_address=given["lastIpAddress"],
        last_external_ip_address=given["lastExternalIpAddress"],
        ip_interfaces=tuple(given["ipInterfaces"]),
        logged_on_users=tuple(
            domain.UserAccount(account_name=user["accountName"], domain_name=user["domainName"])
            for user in given["loggedOnUsers"]
        ),
    )


def _user(given: Members, shared: dict[str, Any]) -> domain.Evidence | None:
    return domain.UserEvidence(**shared, account=_account(given["userAccount"])) if given["userAccount"] else None


def _file_evidence(given: Members, shared: dict[str, Any]) -> domain.Evidence | None:
    if not given["fileDetails"]:
        return None
    return domain.FileEvidence(
        **shared,
        file=_file(given["fileDetails"]),
        device_id=given["mdeDeviceId"],
        detection_status=given["detectionStatus"] or "detected",
    )


def _process(given: Members, shared: dict[str, Any]) -> domain.Evidence:
    image, parent, account = given["imageFile"], given["parentProcessImageFile"], given["userAccount"]
    return domain.ProcessEvidence(
        **shared,
        process_id=given["processId"],
        command_line=given["processCommandLine"],
        created=_ticks(given["processCreationDateTime"]),
        image=_file(image) if image else None,
        parent_process_id=given["parentProcessId"],
        parent_created=_ticks(given["parentProcessCreationDateTime"]),
        parent_image=_file(parent) if parent else None,
        account=_account(account) if account else None,
        device_id=given["mdeDeviceId"],
        detection_status=given["detectionStatus"] or "detected",
    )


def _ip(given: Members, shared: dict[str, Any]) -> domain.Evidence | None:
    if not given["ipAddress"]:
        return None
    return domain.IpEvidence(**shared, address=given["ipAddress"], country=given["countryLetterCode"])


def _url(given: Members, shared: dict[str, Any]) -> domain.Evidence | None:
    return domain.UrlEvidence(**shared, url=given["url"]) if given["url"] else None


def _registry_key(given: Members, shared: dict[str, Any]) -> domain.Evidence | None:
    if not given["registryKey"]:
        return None
    return domain.RegistryKeyEvidence(**shared, hive=given["registryHive"], key=given["registryKey"])


def _registry_value(given: Members, shared: dict[str, Any]) -> domain.Evidence | None:
    if not given["registryKey"]:
        return None
    return domain.RegistryValueEvidence(
        **shared,
        hive=given["registryHive"],
        key=given["registryKey"],
        value_name=given["registryValueName"],
        value_type=given["registryValueType"],
        value=given["registryValue"],
        device_id=given["mdeDeviceId"],
    )


def _mailbox(given: Members, shared: dict[str, Any]) -> domain.Evidence | None:
    if not given["primaryAddress"]:
        return None
    account = given["userAccount"]
    return domain.MailboxEvidence(
        **shared,
        primary_address=given["primaryAddress"],
        display_name=given["displayName"],
        account=_account(account) if account else None,
    )


def _message(given: Members, shared: dict[str, Any]) -> domain.Evidence | None:
    if not given["networkMessageId"]:
        return None
    sender = given["p2Sender"] or given["p1Sender"] or {}
    return domain.MailMessageEvidence(
        **shared,
        network_message_id=given["networkMessageId"],
        internet_message_id=given["internetMessageId"],
        subject=given["subject"],
        sender=sender.get("emailAddress"),
        sender_ip=given["senderIp"],
        recipient=given["recipientEmailAddress"],
        delivery_action=given["deliveryAction"],
        delivery_location=given["deliveryLocation"],
        received=_ticks(given["receivedDateTime"]),
        urls=tuple(given["urls"]),
    )


def _cluster(given: Members, shared: dict[str, Any]) -> domain.Evidence:
    return domain.MailClusterEvidence(
        **shared,
        cluster_by=given["clusterBy"],
        cluster_by_value=given["clusterByValue"],
        email_count=given["emailCount"],
        network_message_ids=tuple(given["networkMessageIds"]),
        query=given["query"],
    )


def _group(given: Members, shared: dict[str, Any]) -> domain.Evidence | None:
    if not given["securityGroupId"]:
        return None
    return domain.SecurityGroupEvidence(
        **shared, group_id=given["securityGroupId"], display_name=given["displayName"], sid=given["sid"]
    )


def _cloud_application(given: Members, shared: dict[str, Any]) -> domain.Evidence | None:
    if given["appId"] is None:
        return None
    return domain.CloudApplicationEvidence(**shared, app_id=given["appId"], display_name=given["displayName"])


def _oauth_application(given: Members, shared: dict[str, Any]) -> domain.Evidence | None:
    if not given["appId"]:
        return None
    return domain.OAuthApplicationEvidence(
        **shared,
        app_id=given["appId"],
        display_name=given["displayName"],
        object_id=given["objectId"],
        publisher=given["publisher"],
    )


_BUILDERS: Mapping[str, Callable[[Members, dict[str, Any]], domain.Evidence | None]] = {
    "deviceEvidence": _device,
    "userEvidence": _user,
    "fileEvidence": _file_evidence,
    "processEvidence": _process,
    "ipEvidence": _ip,
    "urlEvidence": _url,
    "registryKeyEvidence": _registry_key,
    "registryValueEvidence": _registry_value,
    "mailboxEvidence": _mailbox,
    "analyzedMessageEvidence": _message,
    "mailClusterEvidence": _cluster,
    "securityGroupEvidence": _group,
    "cloudApplicationEvidence": _cloud_application,
    "oauthApplicationEvidence": _oauth_application,
}


def _account(given: Members) -> domain.UserAccount:
    return domain.UserAccount(
        account_name=given["accountName"],
        domain_name=given["domainName"],
        user_sid=given["userSid"],
        object_id=given["azureAdUserId"],
        user_principal_name=given["userPrincipalName"],
        display_name=given["displayName"],
    )


def _file(given: Members) -> domain.FileDetails:
    return domain.FileDetails(
        file_name=given["fileName"],
        file_path=given["filePath"],
        file_size=given["fileSize"],
        file_publisher=given["filePublisher"],
        sha1=given["sha1"],
        sha256=given["sha256"],
        md5=given["md5"],
        signer=given["signer"],
        issuer=given["issuer"],
    )


def _ticks(text: str | None) -> int | None:
    return parse_ticks(text) if text else None
