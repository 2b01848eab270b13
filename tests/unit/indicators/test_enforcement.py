"""Indicators take effect: events that meet one bring an audit row and an alert, once, in their own tenant only."""

from typing import Any

import msgspec
import pytest

from tests.endpoint_world import (
    HOME,
    MD5,
    OTHER,
    SHA1,
    SHA256,
    SRV02,
    WS01,
    EndpointWorld,
    connection_event,
    process_event,
)
from vedette.clock import now_ticks
from vedette.errors import InvalidRequestError
from vedette.incidents.alerts import Alert, Alerts
from vedette.indicators.indicators import Author, Indicators, NewIndicator, normalized
from vedette.indicators.matching import host_of
from vedette.machines.device_groups import DeviceGroups
from vedette.machines.group_rules import Condition

SIGNER = "F" * 40
APP = Author("app-1", "Connector", "AadApp", sees_all=True)


def put(world: EndpointWorld, type_: str, value: str, tenant_id: str = HOME, **more: object) -> int:
    wanted = {"action": "Block", "title": f"Seen {value}", "description": "Known bad.", "severity": "High"}
    new = NewIndicator(type=type_, value=value, **{**wanted, "generate_alert": True, **more})  # type: ignore[arg-type]
    with world.store.begin() as connection:
        return Indicators(connection, tenant_id).put(new, APP, now_ticks(world.clock)).indicator_id


def certificate(world: EndpointWorld) -> dict[str, object]:
    name = "ws-01.contoso.test"
    return {
        "Timestamp": world.ago(1),
        "DeviceId": WS01,
        "DeviceName": name,
        "SHA1": "7" * 40,
        "SignerHash": SIGNER.lower(),
    }


def alerts(world: EndpointWorld, tenant_id: str = HOME) -> list[Alert]:
    with world.store.connect() as connection:
        repository = Alerts(connection, tenant_id)
        return [alert for page in repository.of_incidents(range(1, 9)).values() for alert in page]


def audits(world: EndpointWorld) -> list[dict[str, object]]:
    return world.rows('DeviceEvents | where ActionType == "CustomIndicatorMatch" | project DeviceId, SHA1, RemoteUrl')


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("FileSha1", SHA1.upper()),
        ("FileSha256", SHA256),
        ("FileMd5", MD5.upper()),
        ("CertificateThumbprint", SIGNER),
        ("IpAddress", "203.0.113.9"),
        ("DomainName", "Evil.Test"),
        ("DomainName", "c2.evil.test"),
        ("Url", "https://c2.evil.test/a/"),
        ("Url", "https://c2.evil.test"),
    ],
)
def test_an_event_that_meets_an_indicator_raises_an_alert(world: EndpointWorld, type_: str, value: str) -> None:
    put(world, type_, value)
    world.ingest(
        {
            "DeviceProcessEvents": [process_event(world, 1)],
            "DeviceNetworkEvents": [connection_event(world, 1, RemoteUrl="http://c2.evil.test/a?x=1")],
            "DeviceFileCertificateInfo": [certificate(world)],
        }
    )
    world.work()
    assert type_ == "CertificateThumbprint" or world.rows(
        "AlertEvidence | where isnotempty(SHA1) or isnotempty(RemoteIP) or isnotempty(RemoteUrl) | take 1"
    )
    (alert,) = alerts(world)
    assert (alert.title, alert.severity, alert.detection_source) == (f"Seen {value}", "high", "customTi")
    assert len(alert.evidence) >= (1 if type_ == "CertificateThumbprint" else 2)
    assert [row["DeviceId"] for row in audits(world)] == [WS01]
    assert alerts(world, OTHER) == []


@pytest.mark.parametrize(
    ("type_", "value", "more"),
    [
        ("FileSha1", "9" * 40, {}),
        ("FileSha1", SHA1, {"action": "Allowed"}),
        ("FileSha1", SHA1, {"expires": 5}),
        ("FileSha1", SHA1, {"rbac_group_names": ("Servers",)}),
        ("FileMd5", "9" * 32, {}),
        ("FileSha256", "9" * 64, {}),
        ("CertificateThumbprint", "9" * 40, {}),
        ("IpAddress", "203.0.113.90", {}),
        ("DomainName", "vil.test", {}),
        ("Url", "https://evil.test/b", {}),
    ],
)
def test_what_is_not_met_raises_nothing(world: EndpointWorld, type_: str, value: str, more: dict[str, Any]) -> None:
    put(world, type_, value, **more)
    world.ingest(
        {"DeviceProcessEvents": [process_event(world, 1)], "DeviceNetworkEvents": [connection_event(world, 1)]}
    )
    world.work()
    assert alerts(world) == []
    assert audits(world) == []


EVENTS = {
    "FileSha1": SHA1,
    "FileSha256": SHA256,
    "FileMd5": MD5,
    "CertificateThumbprint": SIGNER,
    "IpAddress": "203.0.113.9",
    "DomainName": "evil.test",
    "Url": "https://evil.test",
}


@pytest.mark.parametrize("generate_alert", [True, False])
@pytest.mark.parametrize("action", ["Block", "BlockAndRemediate", "Warn", "Audit"])
def test_every_action_of_every_type(world: EndpointWorld, action: str, generate_alert: bool) -> None:
    numbers = {
        put(world, type_, value, action=action, generate_alert=generate_alert)
        for type_, value in EVENTS.items()
        if type_ not in ("FileSha1", "FileMd5", "Url")
    }
    world.ingest(
        {
            "DeviceProcessEvents": [process_event(world, 1)],
            "DeviceNetworkEvents": [connection_event(world, 1)],
            "DeviceFileCertificateInfo": [certificate(world)],
        }
    )
    world.work()
    query = 'DeviceEvents | where ActionType == "CustomIndicatorMatch" | project AdditionalFields'
    found = [msgspec.json.decode(str(row["AdditionalFields"])) for row in world.rows(query)]
    assert {(each["IndicatorId"], each["Action"]) for each in found} == {(str(number), action) for number in numbers}
    assert len(alerts(world)) == (len(numbers) if generate_alert else 0)
    threats = {each["IndicatorType"]: each["ThreatName"] for each in found if "ThreatName" in each}
    silent = "" if generate_alert else "NoAlert"
    assert threats == (
        {
            "FileSha256": f"EUS:Win32/CustomEnterprise{silent}Block!cl",
            "CertificateThumbprint": "EUS:Win32/CustomCertEnterpriseBlock!cl",
        }
        if action.startswith("Block")
        else {}
    )


@pytest.mark.parametrize(
    ("indicators", "expected"),
    [
        ({("DomainName", "evil.test"): "Block", ("DomainName", "good.evil.test"): "Allowed"}, []),
        ({("DomainName", "evil.test"): "Allowed", ("DomainName", "good.evil.test"): "Block"}, ["good.evil.test"]),
        ({("DomainName", "good.evil.test"): "Block", ("Url", "http://good.evil.test"): "Allowed"}, []),
        (
            {("DomainName", "good.evil.test"): "Block", ("Url", "http://good.evil.test"): "Warn"},
            ["http://good.evil.test"],
        ),
        (
            {("Url", "http://good.evil.test/a"): "Block", ("DomainName", "evil.test"): "Audit"},
            ["http://good.evil.test/a"],
        ),
        ({("Url", "http://good.evil.test/a/b"): "Allowed", ("Url", "http://good.evil.test/a"): "Block"}, []),
        ({("FileSha1", SHA1): "Allowed", ("FileSha256", SHA256): "Block"}, [SHA256]),
        ({("FileSha1", SHA1): "Block", ("FileSha256", SHA256): "Allowed"}, [SHA1]),
        ({("FileSha1", SHA1): "Block", ("FileSha256", SHA256): "Block", ("FileMd5", MD5): "Block"}, [SHA256]),
        ({("FileSha1", SHA1): "Block", ("FileMd5", MD5): "Block"}, [SHA1]),
        ({("FileSha1", SHA1): "Audit", ("FileSha256", SHA256): "Block"}, [SHA1, SHA256]),
    ],
)
def test_which_of_several_takes_effect(
    world: EndpointWorld, indicators: dict[tuple[str, str], str], expected: list[str]
) -> None:
    for (type_, value), action in indicators.items():
        put(world, type_, value, action=action)
    world.ingest(
        {
            "DeviceProcessEvents": [process_event(world, 1)],
            "DeviceNetworkEvents": [connection_event(world, 1, RemoteUrl="http://good.evil.test/a/b?x=1")],
        }
    )
    world.work()
    assert sorted(alert.title for alert in alerts(world)) == [f"Seen {value}" for value in sorted(expected)]


def test_an_indicator_of_a_device_group_is_for_its_devices_only(world: EndpointWorld) -> None:
    with world.store.begin() as connection:
        DeviceGroups(connection, HOME).create("Servers", (Condition("name", "startsWith", ("srv",)),))
    put(world, "FileSha1", SHA1, rbac_group_names=("Servers",))
    put(world, "DomainName", "evil.test")
    put(world, "Url", "https://evil.test", action="Allowed", rbac_group_names=("Servers",))
    for device in (WS01, SRV02):
        world.ingest(
            {
                "DeviceProcessEvents": [process_event(world, 1, device)],
                "DeviceNetworkEvents": [connection_event(world, 1, device)],
            }
        )
        world.work()
    found = world.rows('DeviceEvents | where ActionType == "CustomIndicatorMatch" | project DeviceId, AdditionalFields')
    types = {(row["DeviceId"], msgspec.json.decode(str(row["AdditionalFields"]))["IndicatorType"]) for row in found}
    assert types == {(SRV02, "FileSha1"), (WS01, "DomainName")}


def test_the_same_device_and_day_is_one_alert(world: EndpointWorld) -> None:
    put(world, "FileSha1", SHA1)
    for hours in (1.5, 1.0, 0.5):
        world.ingest({"DeviceProcessEvents": [process_event(world, hours)]})
        world.work()
        world.clock.advance(5)
    assert len(alerts(world)) == 1
    assert len(audits(world)) == 3


def test_an_indicator_of_another_tenant_means_nothing_here(world: EndpointWorld) -> None:
    put(world, "FileSha1", SHA1, tenant_id=OTHER)
    world.ingest({"DeviceProcessEvents": [process_event(world, 1)]})
    world.work()
    assert alerts(world) == []


def test_one_of_a_value_and_type(world: EndpointWorld) -> None:
    first = put(world, "FileSha1", SHA1)
    assert put(world, "FileSha1", SHA1.upper(), action="Warn") == first
    with world.store.connect() as connection:
        indicators = Indicators(connection, HOME)
        page = indicators.of_keys(indicators.keys(None, ()))
        assert [(each.action, each.last_updated_by) for each in page] == [("Warn", "app-1")]
        mine = Indicators(connection, HOME, Author("app-2", "Other", "AadApp", sees_all=False))
        assert (mine.count(None), mine.get(first)) == (0, None)


@pytest.mark.parametrize(
    ("type_", "value", "code"),
    [
        ("FileSha1", "abc", "InvalidHashValue"),
        ("IpAddress", "10.0.0.0/8", "InvalidIpAddress"),
        ("DomainName", "not a domain", "InvalidDomainName"),
        ("Url", "ftp://x.test/", "InvalidUrl"),
        ("Url", "http://[::1", "InvalidUrl"),
    ],
)
def test_values_that_are_none(type_: str, value: str, code: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        normalized(type_, value)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://a.test:8443/x", "a.test"), ("a.test", "a.test"), ("http://u@a.test", "a.test"), ("[::1]:80/x", "::1")],
)
def test_host_of(url: str, host: str) -> None:
    assert host_of(url) == host
