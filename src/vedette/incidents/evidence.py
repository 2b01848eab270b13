"""Evidence of alerts: one frozen struct per kind of entity, kept as tagged JSON.

Names follow Graph's alertEvidence types where those have one; enums are in Graph's spelling, times are ticks.
"""

from typing import TypeAlias

import msgspec


class UserAccount(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """An account, as far as known."""

    account_name: str | None = None
    domain_name: str | None = None
    user_sid: str | None = None
    object_id: str | None = None
    user_principal_name: str | None = None
    display_name: str | None = None


class FileDetails(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A file, as far as known. `file_path` is the folder."""

    file_name: str | None = None
    file_path: str | None = None
    file_size: int | None = None
    file_publisher: str | None = None
    sha1: str | None = None
    sha256: str | None = None
    md5: str | None = None
    signer: str | None = None
    issuer: str | None = None


class AlertEvidence(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag_field="kind"):
    """What every kind has. Evidence is *impacted* (AlertEvidence.EvidenceRole) if it is an asset of the alert."""

    roles: tuple[str, ...] = ()
    detailed_roles: tuple[str, ...] = ()
    verdict: str = "unknown"
    remediation_status: str = "none"
    remediation_status_details: str | None = None
    tags: tuple[str, ...] = ()
    is_impacted: bool = False
    more: str = ""
    """What was given and no field holds: members of Graph's type as a JSON object."""


class DeviceEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="device"):
    """A device."""

    device_id: str
    device_name: str | None = None
    host_name: str | None = None
    nt_domain: str | None = None
    dns_domain: str | None = None
    aad_device_id: str | None = None
    os_platform: str | None = None
    os_version: str | None = None
    os_build: int | None = None
    os_processor: str | None = None
    health_status: str = "unknown"
    risk_score: str = "none"
    onboarding_status: str = "onboarded"
    rbac_group_id: int | None = None
    rbac_group_name: str | None = None
    first_seen: int | None = None
    last_ip_address: str | None = None
    last_external_ip_address: str | None = None
    ip_interfaces: tuple[str, ...] = ()
    logged_on_users: tuple[UserAccount, ...] = ()


class UserEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="user"):
    """A user."""

    account: UserAccount


class FileEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="file"):
    """A file on a device."""

    file: FileDetails
    device_id: str | None = None
    detection_status: str = "detected"


class ProcessEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="process"):
    """A process on a device."""

    process_id: int | None = None
    command_line: str | None = None
    created: int | None = None
    image: FileDetails | None = None
    parent_process_id: int | None = None
    parent_created: int | None = None
    parent_image: FileDetails | None = None
    account: UserAccount | None = None
    device_id: str | None = None
    detection_status: str = "detected"


class IpEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="ip"):
    """An IP address."""

    address: str
    country: str | None = None


class UrlEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="url"):
    """A URL or a host name."""

    url: str


class RegistryKeyEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="registryKey"):
    """A registry key."""

    hive: str | None = None
    key: str


class RegistryValueEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="registryValue"):
    """A value of a registry key."""

    hive: str | None = None
    key: str
    value_name: str | None = None
    value_type: str | None = None
    value: str | None = None
    device_id: str | None = None


class MailboxEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="mailbox"):
    """A mailbox."""

    primary_address: str
    display_name: str | None = None
    account: UserAccount | None = None


class MailMessageEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="mailMessage"):
    """A mail message."""

    network_message_id: str
    internet_message_id: str | None = None
    subject: str | None = None
    sender: str | None = None
    sender_ip: str | None = None
    recipient: str | None = None
    delivery_action: str | None = None
    delivery_location: str | None = None
    received: int | None = None
    urls: tuple[str, ...] = ()


class MailClusterEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="mailCluster"):
    """Messages that are alike."""

    cluster_by: str | None = None
    cluster_by_value: str | None = None
    email_count: int | None = None
    network_message_ids: tuple[str, ...] = ()
    query: str | None = None


class SecurityGroupEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="securityGroup"):
    """A security group."""

    group_id: str
    display_name: str | None = None
    sid: str | None = None


class CloudApplicationEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="cloudApplication"):
    """An application in the cloud."""

    app_id: int
    display_name: str | None = None


class OAuthApplicationEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="oauthApplication"):
    """An application registered with the identity provider."""

    app_id: str
    display_name: str | None = None
    object_id: str | None = None
    publisher: str | None = None


class OtherEvidence(AlertEvidence, frozen=True, kw_only=True, omit_defaults=True, tag="other"):
    """Evidence that nothing here reasons about: the name of Graph's type; its members are in `more`."""

    graph_type: str


Evidence: TypeAlias = (
    DeviceEvidence
    | UserEvidence
    | FileEvidence
    | ProcessEvidence
    | IpEvidence
    | UrlEvidence
    | RegistryKeyEvidence
    | RegistryValueEvidence
    | MailboxEvidence
    | MailMessageEvidence
    | MailClusterEvidence
    | SecurityGroupEvidence
    | CloudApplicationEvidence
    | OAuthApplicationEvidence
    | OtherEvidence
)


class RecordedEvidence(msgspec.Struct, frozen=True, gc=False):
    """Evidence as stored: when it was attached, and the entity."""

    created: int
    entity: Evidence


_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Evidence] = msgspec.json.Decoder(Evidence)


def encode_evidence(evidence: Evidence) -> str:
    """The stored form."""
    return _ENCODER.encode(evidence).decode()


def decode_evidence(text: str) -> Evidence:
    """From the stored form."""
    return _DECODER.decode(text)


def kind_of(evidence: Evidence) -> str:
    """The tag of a kind of evidence: `device`, `user` …"""
    return str(evidence.__struct_config__.tag)
