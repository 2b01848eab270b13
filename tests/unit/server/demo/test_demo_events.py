"""The demo's raw events: reproducible, complete, invented, and up to date."""

import datetime
import ipaddress
import json
import re
from typing import Any

import pytest

from vedette.server.demo.generate import DAYS, demo_lines
from vedette.server.demo.world import load_world

END = datetime.datetime(2026, 3, 4, 15, 20, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    return [json.loads(line) for line in demo_lines(END)]


def moment(event: dict[str, Any]) -> datetime.datetime:
    return datetime.datetime.fromisoformat(event["@timestamp"])


def test_the_same_seed_and_end_give_the_same_lines() -> None:
    assert list(demo_lines(END)) == list(demo_lines(END))
    assert list(demo_lines(END)) != list(demo_lines(END, seed=7))


def test_it_is_small_enough_to_load_in_a_moment(events: list[dict[str, Any]]) -> None:
    assert 8_000 < len(events) < 30_000


def test_it_covers_a_week_in_order_of_time_and_ends_in_time(events: list[dict[str, Any]]) -> None:
    times = [moment(event) for event in events]
    assert times == sorted(times)
    assert END - datetime.timedelta(minutes=15) < times[-1] < END
    assert times[0] < END - datetime.timedelta(days=DAYS)


def test_every_machine_was_active_in_the_last_hour(events: list[dict[str, Any]]) -> None:
    world = load_world()
    late = {event["Hostname"] for event in events if moment(event) > END - datetime.timedelta(hours=1)}
    assert late == {f"{machine.name}.{world.dns_suffix}" for machine in world.machine}
    assert len(late) == 8


def test_record_numbers_are_unique_per_log_and_rise_with_time(events: list[dict[str, Any]]) -> None:
    last: dict[tuple[str, str], int] = {}
    for event in events:
        key = (event["Hostname"], event["Channel"])
        assert event["RecordNumber"] > last.get(key, 0)
        last[key] = event["RecordNumber"]


def test_every_process_has_a_parent_that_was_logged_before(events: list[dict[str, Any]]) -> None:
    known = {
        event["ParentProcessGuid"] for event in events if event["EventID"] == 1 and event["ParentImage"] == "System"
    }
    for event in events:
        if event["EventID"] == 1:
            assert event["ParentProcessGuid"] in known, event["CommandLine"]
            known.add(event["ProcessGuid"])


def test_only_reserved_names_and_addresses_are_used(events: list[dict[str, Any]]) -> None:
    documentation = [ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
    for event in events:
        for field in ("QueryName", "DestinationHostname", "Hostname", "host"):
            value = event.get(field, "-")
            assert value == "-" or value.endswith(".example"), value
        for field in ("SourceIp", "DestinationIp", "IpAddress"):
            value = event.get(field, "-")
            if value != "-":
                address = ipaddress.ip_address(value)
                assert address.is_private or any(address in net for net in documentation), value


ATTACK_1 = re.compile(r"-w hidden -enc|synchost|sekurlsa|MiniDump|hqxvtm|delete shadows", re.IGNORECASE)
ATTACK_2 = re.compile(r"status\.aspx|SvcCheck|\\dump|rcl\.exe", re.IGNORECASE)


@pytest.mark.parametrize(
    ("marks", "machines"),
    [
        (ATTACK_1, {"NQ-WS-07.northquay.example", "NQ-FS-01.northquay.example"}),
        (ATTACK_2, {"NQ-WEB-01.northquay.example", "NQ-DB-01.northquay.example"}),
    ],
)
def test_the_attacks_share_no_machine(events: list[dict[str, Any]], marks: re.Pattern[str], machines: set[str]) -> None:
    assert {event["Hostname"] for event in events if marks.search(json.dumps(event))} == machines


def test_the_events_have_the_core_fields_of_the_collector(events: list[dict[str, Any]]) -> None:
    core = {"EventTime", "EventReceivedTime", "@timestamp", "Hostname", "Channel", "EventID", "RecordNumber", "host"}
    assert all(core <= event.keys() for event in events)
    for event in events:
        if event["Channel"] != "Security":
            assert "UtcTime" in event
        if event["EventID"] == 13:
            assert event["EventType"] == "SetValue"
