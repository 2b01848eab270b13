"""A small, fixed set of incidents for the wire documents: one of two alerts with every kind of evidence, one plain."""

from tests.api_fakes import HOME, OTHER, TICKS_2025, Application
from vedette.clock import ManualClock
from vedette.ids import Ids
from vedette.incidents.alerts import AlertChange, AlertDetails, Alerts, NewAlert, create
from vedette.incidents.changes import By
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
    ProcessEvidence,
    RegistryKeyEvidence,
    RegistryValueEvidence,
    SecurityGroupEvidence,
    UrlEvidence,
    UserAccount,
    UserEvidence,
)
from vedette.incidents.incidents import IncidentChange, Incidents

ANN = UserAccount(
    account_name="ann",
    domain_name="CONTOSO",
    user_sid="S-1-5-21-1-2-3-1105",
    object_id="77777777-7777-7777-7777-777777777777",
    user_principal_name="ann@contoso.test",
    display_name="Ann",
)
TOOL = FileDetails(
    file_name="tool.exe", file_path="C:\\Temp", file_size=7168, sha1="a" * 40, sha256="b" * 64, md5="c" * 32
)

EVIDENCE: tuple[Evidence, ...] = (
    DeviceEvidence(
        device_id="d" * 40,
        device_name="ws-01.contoso.test",
        host_name="ws-01",
        dns_domain="contoso.test",
        nt_domain="CONTOSO",
        os_platform="Windows10",
        os_version="22H2",
        os_build=19045,
        os_processor="x64",
        health_status="active",
        risk_score="high",
        rbac_group_id=0,
        rbac_group_name="Unassigned",
        first_seen=TICKS_2025,
        last_ip_address="10.0.0.4",
        ip_interfaces=("10.0.0.4",),
        logged_on_users=(UserAccount(account_name="ann", domain_name="CONTOSO"),),
        roles=("attacked",),
        is_impacted=True,
    ),
    UserEvidence(account=ANN, roles=("compromised",), is_impacted=True),
    ProcessEvidence(
        process_id=4711,
        command_line="tool.exe sekurlsa::logonpasswords",
        created=TICKS_2025 + 1_234_567,
        image=TOOL,
        parent_process_id=812,
        parent_created=TICKS_2025,
        parent_image=FileDetails(file_name="powershell.exe", file_path="C:\\Windows"),
        account=ANN,
        device_id="d" * 40,
        verdict="malicious",
    ),
    FileEvidence(file=TOOL, device_id="d" * 40, verdict="suspicious", remediation_status="active", tags=("vip",)),
    IpEvidence(address="203.0.113.9", roles=("commandAndControl",)),
    UrlEvidence(url="https://evil.test/a"),
    RegistryKeyEvidence(hive="HKEY_LOCAL_MACHINE", key="SOFTWARE\\Run"),
    RegistryValueEvidence(
        hive="HKEY_LOCAL_MACHINE",
        key="SOFTWARE\\Run",
        value_name="x",
        value_type="String",
        value="tool.exe",
        device_id="d" * 40,
    ),
    MailboxEvidence(primary_address="ann@contoso.test", display_name="Ann", account=ANN),
    MailMessageEvidence(
        network_message_id="m-1",
        subject="Invoice",
        sender="eve@evil.test",
        sender_ip="203.0.113.9",
        recipient="ann@contoso.test",
        delivery_action="Delivered",
        received=TICKS_2025,
        urls=("https://evil.test/a",),
    ),
    MailClusterEvidence(cluster_by="Subject;P2SenderDomain;ContentType", email_count=2, network_message_ids=("m-1",)),
    SecurityGroupEvidence(group_id="g-1", display_name="Admins", sid="S-1-5-32-544"),
    CloudApplicationEvidence(app_id=11161, display_name="Office 365"),
    OAuthApplicationEvidence(app_id="o-1", display_name="Reader", object_id="o-2", publisher="Evil"),
)


def alert(title: str, category: str, *evidence: Evidence, severity: str = "high", at: int = TICKS_2025) -> NewAlert:
    return NewAlert(
        title=title,
        severity=severity,
        category=category,
        service_source="microsoftDefenderForEndpoint",
        detection_source="customDetection",
        first_activity=at,
        last_activity=at + 10_000_000,
        details=AlertDetails(
            description="Memory of LSASS was read.",
            recommended_actions="Isolate the device.",
            mitre_techniques=("T1003.001",),
            detector_id="rule-1",
            custom_details={"Tool": "tool.exe"},
        ),
        evidence=evidence,
    )


def fill(application: Application, ids: Ids) -> list[str]:
    """Incidents 1 (two alerts, a comment, resolved) and 2 (one alert) of the home tenant, 1 of another; alert ids."""
    clock: ManualClock = application.clock
    made: list[str] = []
    with application.store.begin() as connection:
        for new in (
            alert("Credential dumping", "CredentialAccess", *EVIDENCE),
            alert("Encoded command", "Execution", EVIDENCE[0], severity="medium", at=TICKS_2025 - 600_000_000),
            alert("Beacon", "CommandAndControl", DeviceEvidence(device_id="e" * 40), severity="low"),
        ):
            made.append(create(connection, HOME, new, clock, ids).alert.alert_id)
            clock.advance(60)
        now = TICKS_2025 + 9_000_000_000_000
        change = IncidentChange(
            status="resolved",
            classification="truePositive",
            determination="compromisedAccount",
            assigned_to="ann@contoso.test",
            custom_tags=("vip", "rehearsal"),
            summary="Contained.",
            comment="Looking at it.",
        )
        Incidents(connection, HOME).change(1, change, By("Ann", now))
        Alerts(connection, HOME).change(
            made[0], AlertChange(status="resolved", classification="truePositive", comment="Done."), By("Ann", now)
        )
        made.append(create(connection, OTHER, alert("Elsewhere", "Impact", EVIDENCE[0]), clock, ids).alert.alert_id)
    return made
