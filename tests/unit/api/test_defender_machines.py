"""Machines and what is asked of them, over HTTP: lists, tags, actions with their lives, library, links, tenants."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.api_fakes import ACTION_DELAY, Application, assemble
from tests.asgi import AsgiClient
from tests.endpoint_world import (
    SRV02,
    WS01,
    EndpointWorld,
    connection_event,
    logon_event,
    make_world,
    process_event,
)
from vedette.machines import execution, investigations
from vedette.machines.execution import ActionRunner
from vedette.machines.investigations import InvestigationRunner
from vedette.machines.simulator import E_FAIL, Simulation, Simulator

RUNNING = 5.0


@pytest.fixture
def world() -> Iterator[EndpointWorld]:
    world = make_world()
    store, queue, clock = world.store, world.queue, world.clock
    simulation = Simulation(RUNNING, {"Offboard": "Failed", "RunAntiVirusScan": "TimeOut"})
    world.handlers[execution.JOB] = ActionRunner(store, queue, Simulator(simulation, clock), clock).run
    world.handlers[investigations.JOB] = InvestigationRunner(store, queue, clock, running=RUNNING).run
    yield world
    world.close()


@pytest.fixture
def application(world: EndpointWorld) -> Application:
    world.ingest(
        {
            "DeviceProcessEvents": [process_event(world, 2), process_event(world, 30, SRV02)],
            "DeviceNetworkEvents": [connection_event(world, 1)],
            "DeviceLogonEvents": [logon_event(world, 3)],
        }
    )
    world.work()
    return assemble(store=world.store, clock=world.clock, endpoint=world.telemetry)


@pytest.fixture
def client(application: Application) -> AsgiClient:
    return application.client("endpoint")


def live(world: EndpointWorld, seconds: float) -> None:
    world.clock.advance(seconds)
    world.work()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [WS01, SRV02]),
        ("$filter=startswith(computerDnsName,'srv')", [SRV02]),
        ("$filter=lastSeen+gt+2025-11-23Z", [WS01]),
        ("$filter=healthStatus+eq+'Active'+and+riskScore+eq+'None'&$top=1", [WS01]),
        ("$filter=machineTags/any(tag: tag eq 'vip')", []),
        ("$filter=lastIpAddress eq '10.0.0.4'", [WS01]),
        ("$orderby=lastSeen", [SRV02, WS01]),
        ("$filter=osPlatform eq 'Windows' and rbacGroupId eq 0&$skip=1", [SRV02]),
    ],
)
def test_lists(client: AsgiClient, query: str, expected: list[str]) -> None:
    answer = client.get(f"/api/machines?{quote(query, safe='$=&+')}")
    assert answer.status == 200, answer.body
    assert [machine["id"] for machine in answer.json()["value"]] == expected


def test_pages_lead_on(client: AsgiClient) -> None:
    first = client.get("/api/machines?$top=1&$count=true").json()
    assert first["@odata.count"] == 2
    second = client.get(first["@odata.nextLink"]).json()
    assert [machine["id"] for machine in first["value"] + second["value"]] == [WS01, SRV02]
    assert "@odata.nextLink" not in second


def test_a_machine_by_name_with_its_users(client: AsgiClient) -> None:
    machine = client.get("/api/v1.0/machines/ws-01").json()
    assert machine["@odata.context"] == "https://localhost/api/$metadata#Machines/$entity"
    assert machine["ipAddresses"] == [
        {"ipAddress": "10.0.0.4", "macAddress": None, "type": None, "operationalStatus": None}
    ]
    (user,) = client.get(f"/api/machines/{WS01}/logonusers").json()["value"]
    assert (user["id"], user["logonTypes"]) == ("contoso\\ann", "Interactive")
    missing = client.get("/api/machines/nobody")
    assert (missing.status, missing.json()["error"]["code"]) == (404, "ResourceNotFound")


def test_every_documented_key_is_there(client: AsgiClient, shared: Any) -> None:
    yaml = pytest.importorskip("yaml")
    resources = yaml.safe_load((shared / "contract" / "mde_api.yaml").read_text())["resources"]
    machine = client.get(f"/api/machines/{WS01}").json()
    assert set(resources["machine"]) - {"agentVersion"} <= set(machine)
    # In the service's metadata and its answers, though on no page.
    unwritten = {"mergedIntoMachineId": None, "isPotentialDuplication": False, "isExcluded": False, "vmMetadata": None}
    assert unwritten.items() <= machine.items()
    assert {machine["managedBy"], machine["managedByStatus"]} == {"Unknown"}
    action = client.post(f"/api/machines/{WS01}/isolate", {"Comment": "x"}).json()
    assert set(resources["machineAction"]) <= set(action)
    investigation = client.post(f"/api/machines/{WS01}/startInvestigation", {"Comment": "x"}).json()
    assert set(resources["investigation"]) <= set(investigation)


def test_tags_and_value(client: AsgiClient) -> None:
    assert client.post(f"/api/machines/{WS01}/tags", {"Value": "vip", "Action": "Add"}).json()["machineTags"] == ["vip"]
    client.post("/api/machines/AddOrRemoveTagForMultipleMachines", {
        "Value": "site-1", "Action": "Add", "MachineIds": [WS01, SRV02]})  # fmt: skip
    found = client.get("/api/machines/findbytag?tag=site&useStartsWithFilter=true").json()["value"]
    assert [machine["machineTags"] for machine in found] == [["site-1", "vip"], ["site-1"]]
    assert client.get("/api/machines/findbytag?tag=site").json()["value"] == []
    changed = client.patch(f"/api/machines/{WS01}", {"machineTags": ["only"], "deviceValue": "high"}).json()
    assert (changed["machineTags"], changed["deviceValue"]) == (["only"], "High")
    assert client.post(f"/api/machines/{WS01}/setDeviceValue", {"DeviceValue": "Low"}).json()["deviceValue"] == "Low"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (f"{WS01}/tags", {"Value": "x", "Action": "Burn"}, "InvalidRequestBody"),
        (f"{WS01}/tags", {"Action": "Add"}, "MissingRequiredParameter"),
        (f"{WS01}/setDeviceValue", {"DeviceValue": "Huge"}, "InvalidRequestBody"),
        (f"{WS01}/isolate", {"Comment": " "}, "MissingRequiredParameter"),
        (f"{WS01}/isolate", {"Comment": "x", "IsolationType": "Half"}, "InvalidRequestBody"),
        (f"{WS01}/StopAndQuarantineFile", {"Comment": "x", "Sha1": "abc"}, "InvalidHashValue"),
        (f"{WS01}/runliveresponse", {"Comment": "x", "Commands": [{"type": "Format"}]}, "InvalidRequestBody"),
        ("AddOrRemoveTagForMultipleMachines", {"Value": "x", "Action": "Add", "MachineIds": ["0" * 40] * 501},
         "MaximumBatchSizeExceeded"),
    ],
)  # fmt: skip
def test_what_is_refused(client: AsgiClient, path: str, body: object, code: str) -> None:
    answer = client.post(f"/api/machines/{path}", body)
    assert (answer.status, answer.json()["error"]["code"]) == (400, code)


def test_one_unknown_machine_among_many_changes_none(client: AsgiClient) -> None:
    body = {"Value": "x", "Action": "Add", "MachineIds": [WS01, "0" * 40]}
    assert client.post("/api/machines/AddOrRemoveTagForMultipleMachines", body).status == 404
    assert client.get(f"/api/machines/{WS01}").json()["machineTags"] == []


def test_find_by_ip(client: AsgiClient) -> None:
    near = client.get("/api/machines/findbyip(ip='10.0.0.4',timestamp=2025-11-23T11:10:00Z)")
    assert [machine["id"] for machine in near.json()["value"]] == [WS01]
    far = client.get("/api/machines/findbyip(ip='10.0.0.4',timestamp=2025-11-23T09:10:00Z)")
    assert far.json()["value"] == []
    assert client.get("/api/machines/findbyip(ip='x',timestamp=2025-11-23T09:10:00Z)").status == 400


def test_the_life_of_an_action(client: AsgiClient, world: EndpointWorld) -> None:
    body = {"Comment": "Contain it", "IsolationType": "selective", "ExternalId": "case-7"}
    asked = client.post(f"/api/machines/{WS01}/isolate", body)
    assert asked.status == 201
    action = asked.json()
    assert (action["status"], action["scope"], action["externalId"]) == ("Pending", "Selective", "case-7")
    again = client.post(f"/api/machines/{WS01}/unisolate", {"Comment": "No"})
    assert (again.status, again.json()["error"]["code"]) == (400, "ActiveRequestAlreadyExists")
    assert again.json()["error"]["message"] == "Action is already in progress"  # clients look for just that
    assert client.post(f"/api/machines/{SRV02}/isolate", {"Comment": "Other"}).status == 201
    states = []
    for seconds in (ACTION_DELAY, RUNNING, 1000.0):
        live(world, seconds)
        states.append(client.get(f"/api/machineactions/{action['id']}").json()["status"])
    assert states == ["InProgress", "Succeeded", "Succeeded"]
    assert client.post(f"/api/machines/{WS01}/unisolate", {"Comment": "Back"}).status == 201
    listed = client.get("/api/machineactions?$filter=machineId%20eq%20'" + WS01 + "'%20and%20status%20eq%20'Succeeded'")
    assert [each["id"] for each in listed.json()["value"]] == [action["id"]]
    since = f"lastUpdateDateTimeUtc+gt+{asked.json()['creationDateTimeUtc']}+and+machineId+eq+'{WS01}'"
    query = f"$filter={since}&$orderby=lastUpdateDateTimeUtc+asc&$skip=0&$top=1"
    changed = client.get(f"/api/machineactions?{query}").json()["value"]
    assert [each["id"] for each in changed] == [action["id"]]


@pytest.mark.parametrize(
    ("operation", "status", "error"), [("offboard", "Failed", E_FAIL), ("runAntiVirusScan", "TimeOut", 0)]
)
def test_actions_that_do_not_succeed(
    client: AsgiClient, world: EndpointWorld, operation: str, status: str, error: int
) -> None:
    action = client.post(f"/api/machines/{WS01}/{operation}", {"Comment": "x"}).json()
    live(world, ACTION_DELAY)
    live(world, RUNNING)
    ended = client.get(f"/api/machineactions/{action['id']}").json()
    assert (ended["status"], ended["errorHResult"]) == (status, error)


def test_cancelling(client: AsgiClient, world: EndpointWorld) -> None:
    action = client.post(f"/api/machines/{WS01}/isolate", {"Comment": "x"}).json()
    cancelled = client.post(f"/api/machineactions/{action['id']}/cancel", {"Comment": "A mistake"}).json()
    assert (cancelled["status"], cancelled["cancellationComment"]) == ("Cancelled", "A mistake")
    live(world, 3600)
    assert client.get(f"/api/machineactions/{action['id']}").json()["status"] == "Cancelled"
    assert client.post(f"/api/machineactions/{action['id']}/cancel", {"Comment": "x"}).status == 400


def test_a_package_behind_a_link_that_expires(client: AsgiClient, world: EndpointWorld) -> None:
    action = client.post(f"/api/machines/{WS01}/collectInvestigationPackage", {"Comment": "x"}).json()
    uri = f"/api/machineactions/{action['id']}/getPackageUri"
    assert client.get(uri).status == 404
    live(world, ACTION_DELAY)
    live(world, RUNNING)
    value = client.get(uri).json()["value"]
    assert value[0] == value[-1] == '"'
    link = value.strip('"')
    fetched = client.with_token(None).get(link)
    assert (fetched.status, fetched.body[:2]) == (200, b"PK")
    assert client.with_token(None).get(link[:-2] + "xx").status == 404
    world.clock.advance(31 * 60)
    expired = client.with_token(None).get(link)
    assert (expired.status, expired.json()["error"]["code"]) == (403, "AuthenticationFailed")


def upload(client: AsgiClient, name: str, content: bytes, **fields: str) -> Any:
    boundary = "b0undary"
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = "".join(parts).encode() + head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"content_type": f"multipart/form-data; boundary={boundary}"}
    return client.send("POST", "/api/libraryfiles", body=body, headers=headers)


def test_live_response_runs_what_the_library_has(client: AsgiClient, world: EndpointWorld) -> None:
    assert upload(client, "check.ps1", b"echo 1", Description="Checks").json()["fileName"] == "check.ps1"
    assert upload(client, "check.ps1", b"echo 2").status == 400
    assert upload(client, "check.ps1", b"echo 2", OverrideIfExists="true").status == 200
    commands = [
        {"type": "RunScript", "params": [{"key": "ScriptName", "value": "check.ps1"}]},
        {"type": "RunScript", "params": [{"key": "ScriptName", "value": "missing.ps1"}]},
        {"type": "GetFile", "params": [{"key": "Path", "value": "C:\\x"}]},
    ]
    body = {"Comment": "x", "Commands": commands}
    action = client.post(f"/api/machines/{WS01}/runliveresponse", body).json()
    live(world, ACTION_DELAY)
    live(world, RUNNING)
    ended = client.get(f"/api/machineactions/{action['id']}").json()
    assert ended["status"] == "Failed"
    assert [command["commandStatus"] for command in ended["commands"]] == ["Completed", "Failed", "Created"]
    results = f"/api/machineactions/{action['id']}/GetLiveResponseResultDownloadLink"
    fetched = client.with_token(None).get(client.get(f"{results}(index=0)").json()["value"])
    assert fetched.json()["script_name"] == "check.ps1"
    assert client.get(f"{results}(index=2)").status == 404
    assert client.send("DELETE", "/api/libraryfiles/check.ps1").status == 204
    assert client.get("/api/libraryfiles").json()["value"] == []


def test_investigations_run_their_course(client: AsgiClient, world: EndpointWorld) -> None:
    asked = client.post(f"/api/machines/{WS01}/startInvestigation", {"Comment": "Look"})
    assert (asked.status, asked.json()["state"]) == (201, "Queued")
    path = f"/api/investigations/{asked.json()['id']}"
    live(world, ACTION_DELAY)
    assert client.get(path).json()["state"] == "Running"
    live(world, RUNNING)
    ended = client.get(path).json()
    assert (ended["state"], ended["endTime"] is not None) == ("Benign", True)
    listed = client.get("/api/investigations?$filter=state%20eq%20'Benign'").json()["value"]
    assert [each["id"] for each in listed] == [asked.json()["id"]]


def test_another_tenant_sees_nothing(application: Application, client: AsgiClient) -> None:
    other = application.client("endpoint-other")
    action = client.post(f"/api/machines/{WS01}/isolate", {"Comment": "x"}).json()
    assert other.get("/api/machines").status == 404
    assert other.get(f"/api/machines/{WS01}").status == 404
    assert other.get(f"/api/machineactions/{action['id']}").status == 404
    assert other.post(f"/api/machines/{WS01}/tags", {"Value": "x", "Action": "Add"}).status == 404
    assert other.post(f"/api/machines/{WS01}/isolate", {"Comment": "x"}).status == 403
