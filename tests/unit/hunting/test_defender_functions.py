"""Defender's functions over telemetry: who had an address, which addresses a device had, who saw it."""

from collections.abc import Iterator

import pytest

from tests.endpoint_world import SRV02, WS01, EndpointWorld, make_world

ADDRESS = "10.0.0.5"


def network(world: EndpointWorld, hours: float, device: str, address: str, mac: str) -> dict[str, object]:
    return {
        "Timestamp": world.ago(hours),
        "DeviceId": device,
        "DeviceName": "ws-01.contoso.test" if device == WS01 else "srv-02.contoso.test",
        "MacAddress": mac,
        "IPAddresses": f'[{{"IPAddress": "{address}", "SubnetPrefix": 24, "AddressType": "Private"}}]',
        "ConnectedNetworks": '[{"Name": "contoso.test"}]',
    }


@pytest.fixture(scope="module")
def world() -> Iterator[EndpointWorld]:
    world = make_world()
    world.ingest(
        {
            "DeviceNetworkInfo": [
                network(world, 48, WS01, ADDRESS, "AA"),
                network(world, 1, SRV02, ADDRESS, "BB"),
                network(world, 2, WS01, "10.0.0.9", "AA"),
                network(world, 24 * 400, WS01, "192.168.1.1", "CC"),
            ],
            "DeviceInfo": [
                {
                    "Timestamp": world.ago(1),
                    "DeviceId": SRV02,
                    "OnboardingStatus": "Onboarded",
                    "DiscoverySources": f'["{WS01}"]',
                }
            ],
        }
    )
    yield world
    world.close()


def test_who_had_an_address(world: EndpointWorld) -> None:
    asked = f"print IP = '{ADDRESS}' | invoke DeviceFromIP()"
    assert world.rows(asked) == [{"IP": ADDRESS, "DeviceId": SRV02}]
    asked = f"print IP = '{ADDRESS}' | invoke DeviceFromIP('IP', ago(1d))"
    assert world.rows(asked) == [{"IP": ADDRESS, "DeviceId": WS01}]


def test_which_addresses_a_device_had(world: EndpointWorld) -> None:
    for device in (WS01, "ws-01.contoso.test"):
        rows = world.rows(f"AssignedIPAddresses('{device}') | sort by Timestamp")
        assert [row["IPAddress"] for row in rows] == ["10.0.0.9", "192.168.1.1"]
        assert (rows[0]["IPType"], rows[0]["ConnectedNetworks"]) == ("Private", 1)
    rows = world.rows("AssignedIPAddresses('ws-01.contoso.test', ago(1d)) | sort by Timestamp")
    assert rows[0]["IPAddress"] == ADDRESS


def test_rows_of_any_age_are_found_unless_configured_otherwise(world: EndpointWorld) -> None:
    assert world.rows("DeviceNetworkInfo | where Timestamp < ago(365d) | project MacAddress") == [{"MacAddress": "CC"}]


def test_who_saw_a_device(world: EndpointWorld) -> None:
    assert world.rows(f"print DeviceId = '{WS01}' | invoke SeenBy()") == [{"DeviceId": SRV02}]
