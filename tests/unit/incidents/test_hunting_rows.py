"""Alerts as rows of AlertInfo and AlertEvidence."""

import json

import msgspec

from tests.unit.incidents.conftest import CreateAlert
from vedette.contracts.tables import load_tables
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
from vedette.incidents.hunting_rows import ENTITY_TYPES, alert_rows

EVERY_KIND: tuple[Evidence, ...] = (
    DeviceEvidence(device_id="d1", device_name="ws-01.contoso.test", is_impacted=True, last_ip_address="10.0.0.4"),
    UserEvidence(account=UserAccount(account_name="ann", domain_name="CONTOSO", user_sid="S-1-5-21-1")),
    FileEvidence(file=FileDetails(file_name="a.exe", file_path="C:\\Temp", sha1="a" * 40, file_size=7), device_id="d1"),
    ProcessEvidence(
        process_id=4, created=5, command_line="a.exe -x", image=FileDetails(file_name="a.exe"), device_id="d1"
    ),
    IpEvidence(address="203.0.113.9"),
    UrlEvidence(url="https://evil.test/"),
    RegistryKeyEvidence(hive="HKEY_LOCAL_MACHINE", key="SOFTWARE\\Run"),
    RegistryValueEvidence(key="HKLM\\SOFTWARE\\Run", value_name="x", value="a.exe", device_id="d1"),
    MailboxEvidence(primary_address="ann@contoso.test"),
    MailMessageEvidence(network_message_id="m1", subject="Invoice"),
    MailClusterEvidence(cluster_by="Subject;SenderIp"),
    SecurityGroupEvidence(group_id="g1", display_name="Admins"),
    CloudApplicationEvidence(app_id=11161, display_name="Office 365"),
    OAuthApplicationEvidence(app_id="o1", display_name="Reader"),
)


def test_every_kind_of_evidence_has_a_row_of_documented_columns(create_alert: CreateAlert) -> None:
    rows = alert_rows(create_alert(*EVERY_KIND).alert)
    assert {type(kind) for kind in EVERY_KIND} == set(ENTITY_TYPES)
    assert [row["EntityType"] for row in rows["AlertEvidence"]] == [ENTITY_TYPES[type(kind)] for kind in EVERY_KIND]
    types = {"datetime": int, "long": int, "int": int, "string": str}
    for table, table_rows in rows.items():
        for row in table_rows:
            for name, value in row.items():
                column = load_tables()[table].column(name)
                assert column is not None, f"{table}.{name}"
                assert isinstance(value, types[column.type]), f"{table}.{name}"


def test_the_texts(create_alert: CreateAlert) -> None:
    alert = create_alert(*EVERY_KIND).alert
    rows = alert_rows(alert)
    assert rows["AlertInfo"] == [
        {
            "Timestamp": alert.created,
            "AlertId": alert.alert_id,
            "Title": "Credential dumping",
            "Category": "CredentialAccess",
            "Severity": "High",
            "ServiceSource": "Microsoft Defender for Endpoint",
            "DetectionSource": "Custom detection",
            "AttackTechniques": '["T1003.001"]',
        }
    ]
    machine, user, *_ = rows["AlertEvidence"]
    assert (machine["EvidenceRole"], user["EvidenceRole"]) == ("Impacted", "Related")
    assert json.loads(str(machine["Categories"])) == ["CredentialAccess"]
    assert machine["DeviceName"] == user["DeviceName"] == "ws-01.contoso.test"


def test_files_and_processes_are_of_the_alerts_threat_family(create_alert: CreateAlert) -> None:
    alert = create_alert(*EVERY_KIND).alert
    details = msgspec.structs.replace(alert.details, threat_family_name="Mimikatz")
    rows = alert_rows(msgspec.structs.replace(alert, details=details))["AlertEvidence"]
    assert [row["EntityType"] for row in rows if row.get("ThreatFamily") == "Mimikatz"] == ["File", "Process"]
