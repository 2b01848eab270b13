"""Machines, actions, indicators and investigations while rows change underneath: nothing lost, nothing repeated."""

import threading
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from tests.api_fakes import HOME, Application, assemble
from tests.asgi import AsgiClient
from vedette.api.kept_lists import KEPT_SECONDS
from vedette.clock import now_ticks
from vedette.ids import RandomIds
from vedette.indicators.indicators import Author, Indicators, NewIndicator
from vedette.machines.actions import MachineActions, NewAction
from vedette.machines.inventory import Machines
from vedette.machines.investigations import Investigations
from vedette.machines.tables import MACHINES

AUTHOR = Author("app", "App", "AadApp", sees_all=True)


def add(application: Application, number: int) -> None:
    """A machine with an action and an investigation, and an indicator."""
    now, machine_id = now_ticks(application.clock), f"{number:040x}"
    values = {
        "tenant_id": HOME, "machine_id": machine_id, "dns_name": f"m{number}.test", "first_seen": now, "last_seen": now,
        "last_ip_seen": now, "onboarding_status": "Onboarded", "rbac_group_id": number % 3, "exposure_level": "None",
        "device_value": "Normal", "described": 0, "revision": 0, "written_revision": 0, "written_at": 0,
        "os_platform": ("Windows11", "Linux")[number % 2],
    }  # fmt: skip
    with application.store.begin() as connection:
        connection.execute(insert(MACHINES).values(values))
        machine = Machines(connection, HOME, now).get(machine_id)
        assert machine is not None
        Investigations(connection, HOME).add(machine, "look", now)
        new = NewAction(machine_id=machine_id, dns_name="m", type="Isolate", requestor="ann", comment="c")
        MachineActions(connection, HOME).request(RandomIds().guid(), new, now)
        address = NewIndicator(
            value=f"10.0.{number // 250}.{number % 250}", type="IpAddress", action="Block", title="t", description="d"
        )
        Indicators(connection, HOME, AUTHOR).put(address, AUTHOR, now)


LISTS = {
    "machines": ("", "lastSeen desc", "osPlatform", "rbacGroupId desc,lastSeen"),
    "machineactions": ("", "creationDateTimeUtc", "status", "requestor desc"),
    "indicators": ("", "lastUpdateTime desc", "title", "severity"),
    "investigations": ("", "startTime", "state"),
}
FILTERS = {
    "machines": ("", "osPlatform eq 'Linux'", "deviceValue eq 'Normal'"),
    "machineactions": ("", "status eq 'Pending'"),
    "indicators": ("", "action eq 'Block'", "severity eq 'Informational'"),
    "investigations": ("", "state eq 'queued'"),
}


def change(application: Application, number: int) -> None:
    """Move everything about one machine on."""
    now, machine_id = now_ticks(application.clock), f"{number:040x}"
    with application.store.begin() as connection:
        changes = {"last_seen": now + number, "device_value": "High", "os_platform": "macOS"}
        connection.execute(MACHINES.update().where(MACHINES.c.machine_id == machine_id).values(changes))
        actions = MachineActions(connection, HOME)
        for action in actions.of_keys(actions.keys(None, ())):
            if action.machine_id == machine_id:
                actions.finish(action.action_id, "Succeeded", now + number)
        Investigations(connection, HOME).advance(number + 1, "running")
        value = f"10.0.{number // 250}.{number % 250}"
        new = NewIndicator(value=value, type="IpAddress", action="Allowed", title="z", description="d", severity="High")
        Indicators(connection, HOME, AUTHOR).put(new, AUTHOR, now + number)


def fetch(client: AsgiClient, target: str) -> Any:
    answer = client.get(target.replace(" ", "%20"))
    assert answer.status == 200, answer.body
    return answer.json()


def rest(document: dict[str, Any]) -> str:
    parts = urlsplit(document.get("@odata.nextLink", ""))
    return f"{parts.path}?{parts.query}" if parts.path else ""


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_pages_are_cut_from_one_state(data: st.DataObject) -> None:
    application = assemble()
    try:
        for number in range(8):
            add(application, number)
            application.clock.advance(number % 2)
        client = application.client("endpoint")
        name = data.draw(st.sampled_from(sorted(LISTS)))
        order = data.draw(st.sampled_from(LISTS[name]))
        condition = data.draw(st.sampled_from(FILTERS[name]))
        options = "".join(f"&{key}={value}" for key, value in (("$orderby", order), ("$filter", condition)) if value)
        expected = [each["id"] for each in fetch(client, f"/api/{name}?$top=100{options}")["value"]]
        target, seen, total = f"/api/{name}?$top={data.draw(st.integers(1, 4))}&$count=true{options}", [], set()
        while target:
            document = fetch(client, target)
            seen += [each["id"] for each in document["value"]]
            total.add(document["@odata.count"])
            target = rest(document)
            for number in data.draw(st.lists(st.integers(0, 7), max_size=2)):
                change(application, number)
            if data.draw(st.booleans()):
                add(application, 100 + len(seen))
                application.clock.advance(1)
            if len(seen) > 200:
                raise AssertionError("the list never ends")
        assert seen == expected
        assert total == {len(expected)}
    finally:
        application.close()


def test_pages_hold_against_concurrent_writers() -> None:
    application = assemble()
    for number in range(24):
        add(application, number)
    stop = threading.Event()
    failures: list[BaseException] = []

    def write(seed: int) -> None:
        number = seed
        try:
            while not stop.wait(0.002):  # writers without a pause would leave the database to nobody else
                number += 7
                change(application, number % 24)
                add(application, 100 * seed + number)
        except BaseException as error:  # noqa: BLE001 — told by the test's own thread
            failures.append(error)

    writers = [threading.Thread(target=write, args=(seed,)) for seed in (10, 20)]
    for writer in writers:
        writer.start()
    try:
        client = application.client("endpoint")
        for name, orders in LISTS.items():
            target, seen = f"/api/{name}?$top=7&$orderby={orders[-1]}", list[str]()
            while target:
                document = fetch(client, target)
                seen += [each["id"] for each in document["value"]]
                target = rest(document)
            assert len(seen) == len(set(seen)) >= 24, name
    finally:
        stop.set()
        for writer in writers:
            writer.join()
        application.close()
    assert failures == []


@pytest.mark.parametrize("what", ["alter", "filter", "list", "tenant", "late"])
def test_a_cursor_answers_only_what_it_was_made_for(what: str) -> None:
    application = assemble()
    try:
        for number in range(4):
            add(application, number)
        target = rest(fetch(application.client("endpoint"), "/api/machines?$top=2"))
        token, who = target.partition("skiptoken=")[2].partition("&")[0], "endpoint"
        assert application.client(who).get(target).status == 200
        if what == "alter":
            target = target.replace(token, token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1])
        elif what == "filter":
            target += "&$filter=osPlatform%20eq%20'Linux'"
        elif what == "list":
            target = target.replace("machines", "machineactions")
        elif what == "tenant":
            who = "endpoint-other"
        else:
            application.clock.advance(KEPT_SECONDS + 1)
        assert application.client(who).get(target).status in (400, 404)
        if what != "tenant":
            assert application.client(who).get(target).status == 400
    finally:
        application.close()
