"""Machines follow from events: who, when, where; and go back to the lake as inventory, once."""

import msgspec
import pytest

from tests.endpoint_world import (
    HOME,
    OTHER,
    SRV02,
    WS01,
    EndpointWorld,
    connection_event,
    logon_event,
    process_event,
)
from vedette.clock import now_ticks
from vedette.machines.inventory import Machine, MachineChange, Machines, MachineUser


def machines(world: EndpointWorld, tenant_id: str = HOME) -> list[Machine]:
    with world.store.connect() as connection:
        return Machines(connection, tenant_id, now_ticks(world.clock)).of_ids([WS01, SRV02])


def users(world: EndpointWorld, machine_id: str) -> list[MachineUser]:
    with world.store.connect() as connection:
        return Machines(connection, HOME, now_ticks(world.clock)).users(machine_id)


def test_a_machine_is_what_its_events_say(world: EndpointWorld) -> None:
    world.ingest({"DeviceProcessEvents": [process_event(world, 3), process_event(world, 1)]})
    world.ingest({"DeviceNetworkEvents": [connection_event(world, 2), connection_event(world, 5, LocalIP="10.0.0.9")]})
    world.ingest({"DeviceLogonEvents": [logon_event(world, 4), logon_event(world, 3, LogonType="Network")]})
    world.work()
    (machine,) = machines(world)
    assert (machine.machine_id, machine.dns_name) == (WS01, "ws-01.contoso.test")
    assert (machine.first_seen, machine.last_seen) == (world.ago(5), world.ago(1))
    assert (machine.os_platform, machine.health_status, machine.risk_score) == ("Windows", "Active", "None")
    assert machine.last_ip_address == "10.0.0.4"
    assert [address.ip_address for address in machine.addresses] == ["10.0.0.4", "10.0.0.9"]
    (user,) = users(world, WS01)
    assert (user.account_name, user.logon_types, user.is_local_admin) == ("ann", ("Interactive", "Network"), True)
    assert machines(world, OTHER) == []


def test_an_inventory_record_describes_a_machine_better_than_its_paths_do(world: EndpointWorld) -> None:
    world.ingest({"DeviceProcessEvents": [process_event(world, 1)]})
    record = {
        "Timestamp": world.ago(0.5),
        "DeviceId": WS01.upper(),
        "DeviceName": "ws-01.contoso.test",
        "OSPlatform": "Windows11",
        "OSBuild": 22631,
        "PublicIP": "198.51.100.7",
        "MachineGroup": "Workstations",
        "OnboardingStatus": "Onboarded",
        "ExposureLevel": "Medium",
        "DeviceManualTags": '["vip"]',
        "AadDeviceId": "77777777-7777-7777-7777-777777777777",
    }
    older = {**record, "Timestamp": world.ago(9), "OSPlatform": "Windows10"}
    world.ingest({"DeviceInfo": [record]})
    world.ingest({"DeviceInfo": [older]})
    world.work()
    (machine,) = machines(world)
    assert (machine.os_platform, machine.os_build, machine.exposure_level) == ("Windows11", 22631, "Medium")
    assert (machine.rbac_group_name, machine.rbac_group_id, machine.tags) == ("Workstations", 1, ("vip",))
    assert (machine.first_seen, machine.last_seen) == (world.ago(9), world.ago(0.5))
    assert machine.last_external_ip_address == "198.51.100.7"


@pytest.mark.parametrize("order", [("both",), ("record", "weakness"), ("weakness", "record")])
def test_records_of_weaknesses_do_not_outdate_inventory_records(world: EndpointWorld, order: tuple[str, ...]) -> None:
    names = {"DeviceId": WS01, "DeviceName": "ws-01.contoso.test"}
    record = {"DeviceInfo": [{**names, "Timestamp": world.ago(9), "OSPlatform": "Windows11", "OSBuild": 22631}]}
    product = {"SoftwareVendor": "google", "SoftwareName": "chrome", "CveId": "CVE-2025-0001"}
    told = {"OSPlatform": "Windows10", "OSArchitecture": "64-bit"}
    weakness = {"DeviceTvmSoftwareVulnerabilities": [{**names, **product, **told}]}
    commits = {"both": record | weakness, "record": record, "weakness": weakness}
    for commit in order:
        world.ingest(commits[commit])
        world.work()
    (machine,) = machines(world)
    assert (machine.os_platform, machine.os_build, machine.os_architecture) == ("Windows11", 22631, "64-bit")


def test_the_order_of_commits_does_not_matter(world: EndpointWorld) -> None:
    other_way = [logon_event(world, 1), logon_event(world, 8, AccountName="Bob")]
    world.ingest({"DeviceLogonEvents": [other_way[0]]})
    world.ingest({"DeviceLogonEvents": [other_way[1]]})
    world.ingest({"DeviceLogonEvents": other_way[::-1]})
    world.work()
    assert [(user.account_name, user.first_seen) for user in users(world, WS01)] == [
        ("ann", world.ago(1)),
        ("Bob", world.ago(8)),
    ]


def test_inventory_rows_are_written_once_and_make_no_more_of_themselves(world: EndpointWorld) -> None:
    world.ingest(
        {
            "DeviceProcessEvents": [process_event(world, 2)],
            "DeviceNetworkEvents": [connection_event(world, 1)],
            "DeviceLogonEvents": [logon_event(world, 1), logon_event(world, 1, AccountName="WS-01$")],
        }
    )
    world.work()
    (info,) = world.rows("DeviceInfo | project DeviceId, DeviceName, OSPlatform, LoggedOnUsers, OnboardingStatus")
    assert (info["DeviceId"], info["DeviceName"], info["OSPlatform"]) == (WS01, "ws-01.contoso.test", "Windows")
    assert msgspec.json.decode(str(info["LoggedOnUsers"]))[0]["DomainName"] == "contoso"
    assert world.rows("DeviceNetworkInfo | project IPAddresses") == [{"IPAddresses": '[{"IPAddress":"10.0.0.4"}]'}]
    assert world.rows("IdentityInfo | project AccountName, AccountDomain") == [
        {"AccountName": "ann", "AccountDomain": "contoso"}
    ]
    world.clock.advance(3600)
    world.work()
    counts = world.rows("union DeviceInfo, DeviceNetworkInfo, IdentityInfo | count")
    assert counts == [{"Count": 3}]


def test_changes_within_a_quarter_of_an_hour_share_a_row(world: EndpointWorld) -> None:
    for hours in (5, 4, 3):
        world.ingest({"DeviceLogonEvents": [logon_event(world, hours, AccountName=f"user{hours}")]})
        world.work()
    assert world.rows("DeviceInfo | count") == [{"Count": 1}]
    world.clock.advance(901)
    world.work()
    assert world.rows("DeviceInfo | count") == [{"Count": 2}]


def test_a_machine_not_heard_of_for_a_week_is_inactive(world: EndpointWorld) -> None:
    world.ingest({"DeviceProcessEvents": [process_event(world, 24 * 8), process_event(world, 24 * 6, SRV02)]})
    world.work()
    assert [(machine.machine_id, machine.health_status) for machine in machines(world)] == [
        (SRV02, "Active"),
        (WS01, "Inactive"),
    ]


@pytest.mark.parametrize("name", ["ws-01", "WS-01.contoso.test", WS01, WS01.upper()])
def test_found_by_id_or_name(world: EndpointWorld, name: str) -> None:
    world.ingest({"DeviceProcessEvents": [process_event(world, 1), process_event(world, 1, SRV02)]})
    world.work()
    with world.store.begin() as connection:
        repository = Machines(connection, HOME, now_ticks(world.clock))
        found = repository.find(name)
        assert found is not None
        assert found.machine_id == WS01
        assert repository.find("ws") is None
        assert repository.by_ip("10.0.0.4", world.ago(2), world.ago(0)) == []
        repository.change(WS01, MachineChange(tags=("b", "a"), device_value="High"))
        assert [machine.tags for machine in repository.by_tag("a", prefix=False)] == [("a", "b")]
        assert Machines(connection, OTHER, now_ticks(world.clock)).tag(WS01, "x", add=True) is None
