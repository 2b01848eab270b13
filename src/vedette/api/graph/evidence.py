"""Evidence as Graph shows it: from what is stored to the types that Graph publishes."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from vedette.api.graph.evidence_types import (
    AnalyzedMessageEvidence,
    Base,
    CloudApplicationEvidence,
    DeviceEvidence,
    EmailSender,
    FileDetails,
    FileEvidence,
    IpEvidence,
    LoggedOnUser,
    MailboxEvidence,
    MailClusterEvidence,
    OauthApplicationEvidence,
    ProcessEvidence,
    RegistryKeyEvidence,
    RegistryValueEvidence,
    SecurityGroupEvidence,
    UrlEvidence,
    UserAccount,
    UserEvidence,
)
from vedette.api.graph.values import complete
from vedette.clock import format_ticks
from vedette.contracts.enums import load_enums
from vedette.contracts.graph_types import SECURITY
from vedette.incidents import evidence as domain


class Wording(msgspec.Struct, frozen=True):
    """How enums are to be written: `evolved` if the client asked for members added later."""

    evolved: bool

    def enum(self, name: str, value: str) -> str:
        """The wire text of an enum value."""
        return _texts(name, self.evolved)[value]


@functools.cache
def _texts(name: str, evolved: bool) -> Mapping[str, str]:
    return load_enums()[name].graph_texts(evolved=evolved)


Common = tuple[str, str, str, str | None, list[str], list[str], list[str]]
"""The fields of `Base`, in their order."""

_COMMON_NAMES = [field.encode_name for field in msgspec.structs.fields(Base)]


def to_evidence(recorded: domain.RecordedEvidence, wording: Wording) -> Base | dict[str, Any]:
    """The wire form of one piece of evidence."""
    entity, common = recorded.entity, _common(recorded, wording)
    if isinstance(entity, domain.OtherEvidence):
        return _other(entity, common)
    written = _WRITERS[type(entity)](entity, common, wording)
    return {**msgspec.to_builtins(written), **msgspec.json.decode(entity.more)} if entity.more else written


def _common(recorded: domain.RecordedEvidence, wording: Wording) -> Common:
    entity = recorded.entity
    return (
        format_ticks(recorded.created),
        wording.enum("evidenceVerdict", entity.verdict),
        wording.enum("evidenceRemediationStatus", entity.remediation_status),
        entity.remediation_status_details,
        [wording.enum("evidenceRole", role) for role in entity.roles],
        list(entity.detailed_roles),
        list(entity.tags),
    )


def _other(entity: domain.OtherEvidence, common: Common) -> dict[str, Any]:
    type_name = f"{SECURITY}.{entity.graph_type}"
    given = {**dict(zip(_COMMON_NAMES, common, strict=True)), **msgspec.json.decode(entity.more or "{}")}
    members = {"@odata.type": f"#{type_name}", **complete(type_name, given)}
    _stamp(members, common[0])
    return members


def _stamp(value: Any, created: str) -> None:
    """Give evidence within evidence the time of the whole."""
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            _stamp(item, created)
    if isinstance(value, dict) and value.get("createdDateTime") == "":
        value["createdDateTime"] = created


def _device(device: domain.DeviceEvidence, common: Common, wording: Wording) -> DeviceEvidence:
    return DeviceEvidence(
        *common,
        first_seen_date_time=_time(device.first_seen),
        mde_device_id=device.device_id,
        azure_ad_device_id=device.aad_device_id,
        device_dns_name=device.device_name,
        host_name=device.host_name,
        nt_domain=device.nt_domain,
        dns_domain=device.dns_domain,
        os_platform=device.os_platform,
        os_build=device.os_build,
        version=device.os_version,
        health_status=wording.enum("deviceHealthStatus", device.health_status),
        risk_score=wording.enum("deviceRiskScore", device.risk_score),
        onboarding_status=wording.enum("onboardingStatus", device.onboarding_status),
        rbac_group_id=device.rbac_group_id,
        rbac_group_name=device.rbac_group_name,
        last_ip_address=device.last_ip_address,
        last_external_ip_address=device.last_external_ip_address,
        ip_interfaces=list(device.ip_interfaces),
        logged_on_users=[
            LoggedOnUser(account_name=user.account_name, domain_name=user.domain_name)
            for user in device.logged_on_users
        ],
    )


def _user(user: domain.UserEvidence, common: Common, _: Wording) -> UserEvidence:
    return UserEvidence(*common, user_account=_account(user.account))


def _file_evidence(file: domain.FileEvidence, common: Common, wording: Wording) -> FileEvidence:
    return FileEvidence(
        *common,
        file_details=_file(file.file),
        mde_device_id=file.device_id,
        detection_status=wording.enum("detectionStatus", file.detection_status),
    )


def _process(process: domain.ProcessEvidence, common: Common, wording: Wording) -> ProcessEvidence:
    return ProcessEvidence(
        *common,
        process_id=process.process_id,
        parent_process_id=process.parent_process_id,
        process_command_line=process.command_line,
        process_creation_date_time=_time(process.created),
        parent_process_creation_date_time=_time(process.parent_created),
        detection_status=wording.enum("detectionStatus", process.detection_status),
        mde_device_id=process.device_id,
        image_file=_file(process.image) if process.image else None,
        parent_process_image_file=_file(process.parent_image) if process.parent_image else None,
        user_account=_account(process.account) if process.account else None,
    )


def _ip(ip: domain.IpEvidence, common: Common, _: Wording) -> IpEvidence:
    return IpEvidence(*common, ip_address=ip.address, country_letter_code=ip.country)


def _url(url: domain.UrlEvidence, common: Common, _: Wording) -> UrlEvidence:
    return UrlEvidence(*common, url=url.url)


def _registry_key(key: domain.RegistryKeyEvidence, common: Common, _: Wording) -> RegistryKeyEvidence:
    return RegistryKeyEvidence(*common, registry_hive=key.hive, registry_key=key.key)


def _registry_value(value: domain.RegistryValueEvidence, common: Common, _: Wording) -> RegistryValueEvidence:
    return RegistryValueEvidence(
        *common,
        registry_hive=value.hive,
        registry_key=value.key,
        registry_value_name=value.value_name,
        registry_value_type=value.value_type,
        registry_value=value.value,
        mde_device_id=value.device_id,
    )


def _mailbox(mailbox: domain.MailboxEvidence, common: Common, _: Wording) -> MailboxEvidence:
    return MailboxEvidence(
        *common,
        primary_address=mailbox.primary_address,
        display_name=mailbox.display_name,
        upn=mailbox.account.user_principal_name if mailbox.account else None,
        user_account=_account(mailbox.account) if mailbox.account else None,
    )


def _message(message: domain.MailMessageEvidence, common: Common, _: Wording) -> AnalyzedMessageEvidence:
    sender = None
    if message.sender:
        sender = EmailSender(email_address=message.sender, domain_name=message.sender.rpartition("@")[2] or None)
    return AnalyzedMessageEvidence(
        *common,
        network_message_id=message.network_message_id,
        internet_message_id=message.internet_message_id,
        subject=message.subject,
        sender_ip=message.sender_ip,
        recipient_email_address=message.recipient,
        delivery_action=message.delivery_action,
        delivery_location=message.delivery_location,
        urls=list(message.urls),
        url_count=len(message.urls),
        received_date_time=_time(message.received),
        p1_sender=None,
        p2_sender=sender,
    )


def _mail_cluster(cluster: domain.MailClusterEvidence, common: Common, _: Wording) -> MailClusterEvidence:
    return MailClusterEvidence(
        *common,
        cluster_by=cluster.cluster_by,
        cluster_by_value=cluster.cluster_by_value,
        email_count=cluster.email_count,
        network_message_ids=list(cluster.network_message_ids),
        query=cluster.query,
    )


def _security_group(group: domain.SecurityGroupEvidence, common: Common, _: Wording) -> SecurityGroupEvidence:
    return SecurityGroupEvidence(
        *common, security_group_id=group.group_id, display_name=group.display_name, sid=group.sid
    )


def _cloud_application(
    application: domain.CloudApplicationEvidence, common: Common, _: Wording
) -> CloudApplicationEvidence:
    return CloudApplicationEvidence(*common, app_id=application.app_id, display_name=application.display_name)


def _oauth_application(
    application: domain.OAuthApplicationEvidence, common: Common, _: Wording
) -> OauthApplicationEvidence:
    return OauthApplicationEvidence(
        *common,
        app_id=application.app_id,
        display_name=application.display_name,
        object_id=application.object_id,
        publisher=application.publisher,
    )


_WRITERS: Mapping[type[domain.AlertEvidence], Callable[[Any, Common, Wording], Base]] = {
    domain.DeviceEvidence: _device,
    domain.UserEvidence: _user,
    domain.FileEvidence: _file_evidence,
    domain.ProcessEvidence: _process,
    domain.IpEvidence: _ip,
    domain.UrlEvidence: _url,
    domain.RegistryKeyEvidence: _registry_key,
    domain.RegistryValueEvidence: _registry_value,
    domain.MailboxEvidence: _mailbox,
    domain.MailMessageEvidence: _message,
    domain.MailClusterEvidence: _mail_cluster,
    domain.SecurityGroupEvidence: _security_group,
    domain.CloudApplicationEvidence: _cloud_application,
    domain.OAuthApplicationEvidence: _oauth_application,
}
"""By kind; for all but those that nothing here reasons about."""


def _file(file: domain.FileDetails) -> FileDetails:
    return FileDetails(
        sha1=file.sha1,
        sha256=file.sha256,
        md5=file.md5,
        file_name=file.file_name,
        file_path=file.file_path,
        file_size=file.file_size,
        file_publisher=file.file_publisher,
        signer=file.signer,
        issuer=file.issuer,
    )


def _account(account: domain.UserAccount) -> UserAccount:
    return UserAccount(
        account_name=account.account_name,
        domain_name=account.domain_name,
        user_sid=account.user_sid,
        azure_ad_user_id=account.object_id,
        user_principal_name=account.user_principal_name,
        display_name=account.display_name,
    )


def _time(ticks: int | None) -> str | None:
    return None if ticks is None else format_ticks(ticks)
