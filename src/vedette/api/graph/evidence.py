"""Evidence as Graph shows it: every documented property, null or empty where nothing is known, and its @odata.type."""

from typing import Any

import msgspec

from vedette.api.graph.values import complete
from vedette.clock import format_ticks
from vedette.contracts.enums import EnumContract, load_enums
from vedette.contracts.graph_types import SECURITY
from vedette.incidents import evidence as domain


class Wording(msgspec.Struct, frozen=True):
    """How enums are to be written: `evolved` if the client asked for members added later."""

    evolved: bool

    def enum(self, name: str, value: str) -> str:
        """The wire text of an enum value."""
        return _enum(name).graph(value, evolved=self.evolved)


class Base(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="@odata.type"):
    """What every piece of evidence has."""

    created_date_time: str
    verdict: str
    remediation_status: str
    remediation_status_details: str | None
    roles: list[str]
    detailed_roles: list[str]
    tags: list[str]


class FileDetails(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """fileDetails."""

    sha1: str | None
    sha256: str | None
    sha256_ac: str | None = None
    md5: str | None
    file_name: str | None
    file_path: str | None
    file_size: int | None
    file_publisher: str | None
    signer: str | None
    issuer: str | None


class UserAccount(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """userAccount."""

    account_name: str | None
    domain_name: str | None
    user_sid: str | None
    azure_ad_user_id: str | None
    user_principal_name: str | None
    display_name: str | None
    active_directory_object_guid: str | None = None
    tenant_id: str | None = None
    resource_access_events: list[object] = []


class LoggedOnUser(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """loggedOnUser."""

    account_name: str | None
    domain_name: str | None


class DeviceEvidence(Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.deviceEvidence"):
    """deviceEvidence."""

    first_seen_date_time: str | None
    mde_device_id: str
    azure_ad_device_id: str | None
    device_dns_name: str | None
    host_name: str | None
    nt_domain: str | None
    dns_domain: str | None
    os_platform: str | None
    os_build: int | None
    version: str | None
    health_status: str
    risk_score: str
    onboarding_status: str
    defender_av_status: str = "unknown"
    rbac_group_id: int | None
    rbac_group_name: str | None
    last_ip_address: str | None
    last_external_ip_address: str | None
    ip_interfaces: list[str]
    logged_on_users: list[LoggedOnUser]
    resource_access_events: list[object] = []
    vm_metadata: None = None


class UserEvidence(Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.userEvidence"):
    """userEvidence."""

    user_account: UserAccount
    stream: None = None


class FileEvidence(Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.fileEvidence"):
    """fileEvidence."""

    file_details: FileDetails
    mde_device_id: str | None
    detection_status: str


class ProcessEvidence(Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.processEvidence"):
    """processEvidence."""

    process_id: int | None
    parent_process_id: int | None
    process_command_line: str | None
    process_creation_date_time: str | None
    parent_process_creation_date_time: str | None
    detection_status: str
    mde_device_id: str | None
    image_file: FileDetails | None
    parent_process_image_file: FileDetails | None
    user_account: UserAccount | None


class IpEvidence(Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.ipEvidence"):
    """ipEvidence."""

    ip_address: str
    country_letter_code: str | None
    location: None = None
    stream: None = None


class UrlEvidence(Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.urlEvidence"):
    """urlEvidence."""

    url: str


class RegistryKeyEvidence(
    Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.registryKeyEvidence"
):
    """registryKeyEvidence."""

    registry_hive: str | None
    registry_key: str


class RegistryValueEvidence(
    Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.registryValueEvidence"
):
    """registryValueEvidence."""

    registry_hive: str | None
    registry_key: str
    registry_value_name: str | None
    registry_value_type: str | None
    registry_value: str | None
    mde_device_id: str | None


class MailboxEvidence(Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.mailboxEvidence"):
    """mailboxEvidence."""

    primary_address: str
    display_name: str | None
    upn: str | None
    user_account: UserAccount | None


class EmailSender(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """emailSender."""

    email_address: str | None
    display_name: str | None = None
    domain_name: str | None


class AnalyzedMessageEvidence(
    Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.analyzedMessageEvidence"
):
    """analyzedMessageEvidence."""

    network_message_id: str
    internet_message_id: str | None
    subject: str | None
    language: str | None = None
    sender_ip: str | None
    recipient_email_address: str | None
    anti_spam_direction: str | None = None
    delivery_action: str | None
    delivery_location: str | None
    urn: str | None = None
    threats: list[str] = []
    threat_detection_methods: list[str] = []
    urls: list[str]
    url_count: int
    attachments_count: int | None = None
    received_date_time: str | None
    p1_sender: EmailSender | None
    p2_sender: EmailSender | None


class MailClusterEvidence(
    Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.mailClusterEvidence"
):
    """mailClusterEvidence."""

    cluster_by: str | None
    cluster_by_value: str | None
    email_count: int | None
    network_message_ids: list[str]
    query: str | None
    urn: str | None = None


class SecurityGroupEvidence(
    Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.securityGroupEvidence"
):
    """securityGroupEvidence."""

    security_group_id: str
    display_name: str | None
    sid: str | None
    distinguished_name: str | None = None
    friendly_name: str | None = None
    active_directory_object_guid: str | None = None


class CloudApplicationEvidence(
    Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.cloudApplicationEvidence"
):
    """cloudApplicationEvidence."""

    app_id: int
    display_name: str | None
    instance_id: int | None = None
    instance_name: str | None = None
    saas_app_id: int | None = None
    stream: None = None


class OauthApplicationEvidence(
    Base, frozen=True, kw_only=True, rename="camel", tag="#microsoft.graph.security.oauthApplicationEvidence"
):
    """oauthApplicationEvidence."""

    app_id: str
    display_name: str | None
    object_id: str | None
    publisher: str | None


_CAMEL = {field.name: field.encode_name for field in msgspec.structs.fields(Base)}


def to_evidence(recorded: domain.RecordedEvidence, wording: Wording) -> Base | dict[str, Any]:
    """The wire form of one piece of evidence."""
    entity = recorded.entity
    if not isinstance(entity, domain.OtherEvidence):
        known = _known(recorded, wording)
        return {**msgspec.to_builtins(known), **msgspec.json.decode(entity.more)} if entity.more else known
    type_name = f"{SECURITY}.{entity.graph_type}"
    base = {_CAMEL[name]: value for name, value in _base(recorded, wording).items()}
    given = {**base, **msgspec.json.decode(entity.more or "{}")}
    members = {"@odata.type": f"#{type_name}", **complete(type_name, given)}
    _stamp(members, format_ticks(recorded.created))
    return members


def _stamp(value: Any, created: str) -> None:
    """Give evidence within evidence the time of the whole."""
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            _stamp(item, created)
    if isinstance(value, dict) and value.get("createdDateTime") == "":
        value["createdDateTime"] = created


def _known(recorded: domain.RecordedEvidence, wording: Wording) -> Base:
    entity, base = recorded.entity, _base(recorded, wording)
    return _device_side(entity, base, wording) or _other(entity, base)


def _base(recorded: domain.RecordedEvidence, wording: Wording) -> dict[str, Any]:
    entity = recorded.entity
    return {
        "created_date_time": format_ticks(recorded.created),
        "verdict": wording.enum("evidenceVerdict", entity.verdict),
        "remediation_status": wording.enum("evidenceRemediationStatus", entity.remediation_status),
        "remediation_status_details": entity.remediation_status_details,
        "roles": [wording.enum("evidenceRole", role) for role in entity.roles],
        "detailed_roles": list(entity.detailed_roles),
        "tags": list(entity.tags),
    }


def _device_side(  # noqa: PLR0911 — one case per kind
    entity: domain.Evidence, base: dict[str, Any], wording: Wording
) -> Base | None:
    match entity:
        case domain.DeviceEvidence():
            return _device(entity, base, wording)
        case domain.UserEvidence():
            return UserEvidence(**base, user_account=_account(entity.account))
        case domain.FileEvidence():
            return FileEvidence(
                **base,
                file_details=_file(entity.file),
                mde_device_id=entity.device_id,
                detection_status=wording.enum("detectionStatus", entity.detection_status),
            )
        case domain.ProcessEvidence():
            return _process(entity, base, wording)
        case domain.RegistryKeyEvidence():
            return RegistryKeyEvidence(**base, registry_hive=entity.hive, registry_key=entity.key)
        case domain.RegistryValueEvidence():
            return RegistryValueEvidence(
                **base,
                registry_hive=entity.hive,
                registry_key=entity.key,
                registry_value_name=entity.value_name,
                registry_value_type=entity.value_type,
                registry_value=entity.value,
                mde_device_id=entity.device_id,
            )
    return None


def _other(entity: domain.Evidence, base: dict[str, Any]) -> Base:  # noqa: PLR0911 — one case per kind
    match entity:
        case domain.IpEvidence():
            return IpEvidence(**base, ip_address=entity.address, country_letter_code=entity.country)
        case domain.UrlEvidence():
            return UrlEvidence(**base, url=entity.url)
        case domain.MailboxEvidence():
            return MailboxEvidence(
                **base,
                primary_address=entity.primary_address,
                display_name=entity.display_name,
                upn=entity.account.user_principal_name if entity.account else None,
                user_account=_account(entity.account) if entity.account else None,
            )
        case domain.MailMessageEvidence():
            return _message(entity, base)
        case domain.MailClusterEvidence():
            return MailClusterEvidence(
                **base,
                cluster_by=entity.cluster_by,
                cluster_by_value=entity.cluster_by_value,
                email_count=entity.email_count,
                network_message_ids=list(entity.network_message_ids),
                query=entity.query,
            )
        case domain.SecurityGroupEvidence():
            return SecurityGroupEvidence(
                **base, security_group_id=entity.group_id, display_name=entity.display_name, sid=entity.sid
            )
        case domain.CloudApplicationEvidence():
            return CloudApplicationEvidence(**base, app_id=entity.app_id, display_name=entity.display_name)
        case domain.OAuthApplicationEvidence():
            return OauthApplicationEvidence(
                **base,
                app_id=entity.app_id,
                display_name=entity.display_name,
                object_id=entity.object_id,
                publisher=entity.publisher,
            )
    raise TypeError(type(entity).__name__)


def _device(device: domain.DeviceEvidence, base: dict[str, Any], wording: Wording) -> DeviceEvidence:
    return DeviceEvidence(
        **base,
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


def _process(process: domain.ProcessEvidence, base: dict[str, Any], wording: Wording) -> ProcessEvidence:
    return ProcessEvidence(
        **base,
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


def _message(message: domain.MailMessageEvidence, base: dict[str, Any]) -> AnalyzedMessageEvidence:
    sender = None
    if message.sender:
        sender = EmailSender(email_address=message.sender, domain_name=message.sender.rpartition("@")[2] or None)
    return AnalyzedMessageEvidence(
        **base,
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


def _enum(name: str) -> EnumContract:
    return load_enums()[name]
