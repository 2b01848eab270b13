"""Graph's types of evidence: every documented property, in order; what nothing here knows is null or empty.

None of them can be part of a cycle, and pages have thousands: the collector does not follow them.
"""

import msgspec


class Base(msgspec.Struct, frozen=True, rename="camel", tag_field="@odata.type", gc=False):
    """What every piece of evidence has."""

    created_date_time: str
    verdict: str
    remediation_status: str
    remediation_status_details: str | None
    roles: list[str]
    detailed_roles: list[str]
    tags: list[str]


class FileDetails(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
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


class UserAccount(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
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


class LoggedOnUser(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """loggedOnUser."""

    account_name: str | None
    domain_name: str | None


class DeviceEvidence(
    Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.deviceEvidence"
):
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


class UserEvidence(
    Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.userEvidence"
):
    """userEvidence."""

    user_account: UserAccount
    stream: None = None


class FileEvidence(
    Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.fileEvidence"
):
    """fileEvidence."""

    file_details: FileDetails
    mde_device_id: str | None
    detection_status: str


class ProcessEvidence(
    Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.processEvidence"
):
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


class IpEvidence(Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.ipEvidence"):
    """ipEvidence."""

    ip_address: str
    country_letter_code: str | None
    location: None = None
    stream: None = None


class UrlEvidence(
    Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.urlEvidence"
):
    """urlEvidence."""

    url: str


class RegistryKeyEvidence(
    Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.registryKeyEvidence"
):
    """registryKeyEvidence."""

    registry_hive: str | None
    registry_key: str


class RegistryValueEvidence(
    Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.registryValueEvidence"
):
    """registryValueEvidence."""

    registry_hive: str | None
    registry_key: str
    registry_value_name: str | None
    registry_value_type: str | None
    registry_value: str | None
    mde_device_id: str | None


class MailboxEvidence(
    Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.mailboxEvidence"
):
    """mailboxEvidence."""

    primary_address: str
    display_name: str | None
    upn: str | None
    user_account: UserAccount | None


class EmailSender(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """emailSender."""

    email_address: str | None
    display_name: str | None = None
    domain_name: str | None


class AnalyzedMessageEvidence(
    Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.analyzedMessageEvidence"
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
    Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.mailClusterEvidence"
):
    """mailClusterEvidence."""

    cluster_by: str | None
    cluster_by_value: str | None
    email_count: int | None
    network_message_ids: list[str]
    query: str | None
    urn: str | None = None


class SecurityGroupEvidence(
    Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.securityGroupEvidence"
):
    """securityGroupEvidence."""

    security_group_id: str
    display_name: str | None
    sid: str | None
    distinguished_name: str | None = None
    friendly_name: str | None = None
    active_directory_object_guid: str | None = None


class CloudApplicationEvidence(
    Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.cloudApplicationEvidence"
):
    """cloudApplicationEvidence."""

    app_id: int
    display_name: str | None
    instance_id: int | None = None
    instance_name: str | None = None
    saas_app_id: int | None = None
    stream: None = None


class OauthApplicationEvidence(
    Base, frozen=True, kw_only=True, gc=False, rename="camel", tag="#microsoft.graph.security.oauthApplicationEvidence"
):
    """oauthApplicationEvidence."""

    app_id: str
    display_name: str | None
    object_id: str | None
    publisher: str | None
