"""Hits become alerts: grouped by asset, with each entity once, and without what a row does not say."""

from typing import Any

from vedette.detections.alerting import to_alerts, to_evidence
from vedette.detections.entities import EntityMapping
from vedette.detections.hits import Hit, hit_key
from vedette.detections.rules import parse_rule
from vedette.incidents.evidence import DeviceEvidence, FileDetails, ProcessEvidence, RegistryValueEvidence, UserEvidence

RULE = parse_rule(
    """
id: a-rule
title: A rule
description: What it finds.
severity: high
category: Execution
techniques: [T1059.001]
query: DeviceProcessEvents
schedule: {frequency: PT1H, lookback: PT4H}
entities:
  - {type: user, columns: {account_name: AccountName, domain_name: AccountDomain}}
  - {type: device, impacted: true, columns: {device_id: DeviceId, device_name: DeviceName}}
  - type: process
    columns: {command_line: ProcessCommandLine, file_name: FileName, file_path: FolderPath, device_id: DeviceId}
""",
    "a-rule.yaml",
)


def hit(device: str = "d1", at: int = 100, **more: Any) -> Hit:
    row = {
        "Timestamp": at,
        "ReportId": at,
        "DeviceId": device,
        "DeviceName": f"{device}.corp.example",
        "AccountName": "ann",
        "AccountDomain": "corp",
        "ProcessCommandLine": f"x {at}",
        "FileName": "x.exe",
        "FolderPath": r"C:\Temp\x.exe",
        **more,
    }
    return Hit(row, hit_key(row))


def test_one_alert_per_asset_spanning_its_activity() -> None:
    first, second = to_alerts(RULE, [hit("d1", 300), hit("d2", 50), hit("d1", 100)], now=999)
    assert (first.first_activity, first.last_activity) == (50, 50)
    assert (second.first_activity, second.last_activity) == (100, 300)
    assert (second.title, second.severity, second.category) == ("A rule", "high", "Execution")
    assert second.details.mitre_techniques == ("T1059.001",)


def test_every_entity_is_there_once_assets_first() -> None:
    (alert,) = to_alerts(RULE, [hit(at=1), hit(at=2)], now=999)
    kinds = [type(entity) for entity in alert.evidence]
    assert kinds == [DeviceEvidence, UserEvidence, ProcessEvidence, ProcessEvidence]
    device = alert.evidence[0]
    assert isinstance(device, DeviceEvidence)
    assert (device.is_impacted, device.host_name, device.dns_domain) == (True, "d1", "corp.example")


def test_an_entity_without_its_main_field_is_left_out() -> None:
    (alert,) = to_alerts(RULE, [hit(AccountName=None, ProcessCommandLine=None)], now=999)
    assert [type(entity) for entity in alert.evidence] == [DeviceEvidence]


def test_the_file_path_of_evidence_is_the_folder() -> None:
    (alert,) = to_alerts(RULE, [hit()], now=999)
    process = alert.evidence[-1]
    assert isinstance(process, ProcessEvidence)
    assert process.image == FileDetails(file_name="x.exe", file_path=r"C:\Temp")


def test_a_registry_value_is_split_into_hive_and_key() -> None:
    mapping = EntityMapping("registryValue", {"key": "RegistryKey"})
    entity = to_evidence(mapping, {"RegistryKey": r"HKEY_USERS\S-1\Run"})
    assert isinstance(entity, RegistryValueEvidence)
    assert (entity.hive, entity.key) == ("HKEY_USERS", r"S-1\Run")


def test_the_same_event_has_the_same_key_whatever_else_the_query_returns() -> None:
    row = {"Timestamp": 1, "ReportId": 2, "DeviceId": "d"}
    assert hit_key({**row, "Count": 1}) == hit_key({**row, "Count": 2})
    assert hit_key({"Timestamp": 1, "Count": 1}) != hit_key({"Timestamp": 1, "Count": 2})


def test_a_row_without_a_time_happened_now() -> None:
    (alert,) = to_alerts(RULE, [hit(Timestamp=None)], now=999)
    assert (alert.first_activity, alert.last_activity) == (999, 999)
