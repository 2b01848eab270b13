"""What machines may be asked, by system, state and order, and how it ends: as the pages of the machine actions say."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.api_fakes import ACTION_DELAY, Application, assemble
from tests.asgi import AsgiClient
from tests.endpoint_world import SRV02, WS01, EndpointWorld, make_world, process_event
from vedette.machines import execution
from vedette.machines.execution import TIMEOUT, ActionRunner
from vedette.machines.simulator import Simulation, Simulator

RUNNING = 5.0
UNMANAGED = "d" * 40
UNKNOWN = "0" * 40


@pytest.fixture
def world() -> Iterator[EndpointWorld]:
    world = make_world()
    simulator = Simulator(Simulation(RUNNING, {}), world.clock)
    world.handlers[execution.JOB] = ActionRunner(world.store, world.queue, simulator, world.clock).run
    systems = {WS01: ("Windows11", "Onboarded"), SRV02: ("Linux", "Onboarded"), UNMANAGED: ("", "Can be onboarded")}
    facts = [
        {"Timestamp": world.ago(1), "DeviceId": device, "OSPlatform": system, "OnboardingStatus": status}
        for device, (system, status) in systems.items()
    ]
    world.ingest({"DeviceProcessEvents": [process_event(world, 2)], "DeviceInfo": facts})
    world.work()
    yield world
    world.close()


@pytest.fixture
def application(world: EndpointWorld) -> Application:
    return assemble(store=world.store, clock=world.clock, endpoint=world.telemetry)


@pytest.fixture
def client(application: Application) -> AsgiClient:
    return application.client("endpoint")


def command(type_: str, **parameters: str) -> dict[str, Any]:
    return {"type": type_, "params": [{"key": key, "value": value} for key, value in parameters.items()]}


PUT, RUN, GET = (
    command("PutFile", FileName="tool.exe"),
    command("RunScript", ScriptName="check.ps1", Args="-All"),
    command("GetFile", Path="C:\\x.txt"),
)
ACTIONS: Mapping[str, tuple[dict[str, Any], str]] = {
    "isolate": ({"IsolationType": "Full"}, "Isolate"),
    "unisolate": ({}, "Unisolate"),
    "restrictCodeExecution": ({}, "RestrictCodeExecution"),
    "unrestrictCodeExecution": ({}, "UnrestrictCodeExecution"),
    "runAntiVirusScan": ({"ScanType": "Full"}, "RunAntiVirusScan"),
    "offboard": ({}, "Offboard"),
    "StopAndQuarantineFile": ({"Sha1": "87662BC3D60E4200CEAF7AAE249D1C343F4B83C9"}, "StopAndQuarantineFile"),
    "collectInvestigationPackage": ({}, "CollectInvestigationPackage"),
    "runliveresponse": ({"Commands": [PUT, RUN, GET]}, "LiveResponse"),
}
"""Operations with a body of theirs, and the type of action that each makes."""

INVALID, FOREIGN = "InvalidInput", "OsPlatformNotSupported"
WINDOWS_ONLY = ("restrictCodeExecution", "unrestrictCodeExecution", "offboard", "StopAndQuarantineFile")


@pytest.mark.parametrize("operation", ACTIONS)
def test_the_whole_life(client: AsgiClient, world: EndpointWorld, operation: str) -> None:
    body, type_ = ACTIONS[operation]
    asked = client.post(f"/api/machines/{WS01}/{operation}", {**body, "Comment": "Because"})
    action = asked.json()
    assert (asked.status, action["type"], action["status"]) == (201, type_, "Pending")
    assert action["@odata.context"].endswith("/api/$metadata#MachineActions/$entity")
    assert (action["requestorComment"], action["machineId"]) == ("Because", WS01)
    states = []
    for seconds in (ACTION_DELAY, RUNNING * 4):
        world.clock.advance(seconds)
        world.work()
        states.append(client.get(f"/api/machineactions/{action['id']}").json()["status"])
    assert states[0] == "InProgress"
    assert states[1] == ("Failed" if operation == "runliveresponse" else "Succeeded")  # the library is empty


@pytest.mark.parametrize("operation", ACTIONS)
def test_asked_again_asked_wrongly_or_of_somebody_elses(
    application: Application, client: AsgiClient, operation: str
) -> None:
    body = {**ACTIONS[operation][0], "Comment": "x"}
    machine = f"/api/machines/{WS01}/{operation}"
    without = {name: value for name, value in body.items() if name != "Comment"}
    answers = {
        "unknown machine": client.post(f"/api/machines/{UNKNOWN}/{operation}", body),
        "no id": client.post(f"/api/machines/nobody/{operation}", body),
        "no comment": client.post(machine, without),
        "empty comment": client.post(machine, {**without, "Comment": ""}),
        "no body": client.send("POST", machine),
        "no token": client.with_token(None).post(machine, body),
        "other tenant": application.client("endpoint-other").post(machine, body),
    }
    expected = {"unknown machine": 404, "no id": 404, "no comment": 400, "empty comment": 400, "no body": 400}
    free = {"no comment": 201, "empty comment": 400} if operation == "runliveresponse" else {}
    assert {what: answer.status for what, answer in answers.items()} == {
        **expected, "no token": 401, "other tenant": 403, **free,
    }  # fmt: skip
    assert client.post(machine, body).status == (400 if free else 201)
    again = client.post(machine, body)
    assert (again.status, again.json()["error"]["code"]) == (400, "ActiveRequestAlreadyExists")


@pytest.mark.parametrize(
    ("machine", "operation", "change", "code"),
    [
        *((SRV02, operation, {}, FOREIGN) for operation in WINDOWS_ONLY),
        (SRV02, "isolate", {"IsolationType": "Selective"}, FOREIGN),
        (SRV02, "isolate", {"IsolationType": "Full"}, None),
        (SRV02, "runAntiVirusScan", {"ScanType": "Quick"}, None),
        (SRV02, "collectInvestigationPackage", {}, None),
        (WS01, "isolate", {"IsolationType": "Selective"}, None),
        (WS01, "isolate", {"IsolationType": "UnManagedDevice"}, INVALID),
        (UNMANAGED, "isolate", {"IsolationType": "UnManagedDevice"}, None),
        (UNMANAGED, "isolate", {"IsolationType": "Full"}, INVALID),
        (WS01, "isolate", {"IsolationType": "Half"}, "InvalidRequestBody"),
        (WS01, "runAntiVirusScan", {"ScanType": "Deep"}, "InvalidRequestBody"),
        (WS01, "StopAndQuarantineFile", {"Sha1": "9" * 39}, "InvalidHashValue"),
        (WS01, "runliveresponse", {"Commands": []}, "MissingRequiredParameter"),
        (WS01, "runliveresponse", {"Commands": [GET, RUN]}, INVALID),
        (WS01, "runliveresponse", {"Commands": [RUN, PUT]}, INVALID),
        (WS01, "runliveresponse", {"Commands": [GET] * 11}, None),
        (WS01, "runliveresponse", {"Commands": [command("RunScript", Path="x")]}, "InvalidRequestBody"),
        (WS01, "runliveresponse", {"Commands": [command("GetFile", Path=" ")]}, "InvalidRequestBody"),
        (WS01, "runliveresponse", {"Commands": [command("GetFile", Path="x", Depth="2")]}, "InvalidRequestBody"),
        (WS01, "runliveresponse", {"Commands": [command("Reboot")]}, "InvalidRequestBody"),
    ],
)
def test_what_suits_a_machine(
    client: AsgiClient, machine: str, operation: str, change: dict[str, Any], code: str | None
) -> None:
    answer = client.post(f"/api/machines/{machine}/{operation}", {**ACTIONS[operation][0], "Comment": "x", **change})
    found = None if answer.status == 201 else answer.json()["error"]["code"]
    assert (answer.status, found) == (201 if code is None else 400, code)


def test_what_is_available_is_what_is_taken(client: AsgiClient) -> None:
    listed = {
        machine: {
            each["action"]: each["isAvailable"]
            for each in client.get(f"/api/machines/{machine}/availableMachineActions").json()["value"]
        }
        for machine in (WS01, SRV02, UNMANAGED)
    }
    not_of_linux = {
        "SelectiveIsolation", "StopAndQuarantineFile", "RestrictCodeExecution", "UnrestrictCodeExecution", "OffBoard",
        "UnManagedDeviceIsolation",
    }  # fmt: skip
    assert {action for action, available in listed[WS01].items() if not available} == {"UnManagedDeviceIsolation"}
    assert {action for action, available in listed[SRV02].items() if not available} == not_of_linux
    assert listed[UNMANAGED]["UnManagedDeviceIsolation"]
    assert client.get(f"/api/machines/{UNKNOWN}/availableMachineActions").status == 404


@pytest.mark.parametrize(
    ("seconds", "status", "is_cancelled"),
    [((), "Pending", True), ((ACTION_DELAY,), "InProgress", True), ((ACTION_DELAY, RUNNING), "Succeeded", False)],
)
def test_cancelling_in_each_state(
    application: Application, client: AsgiClient, world: EndpointWorld, seconds: tuple[float, ...], status: str,
    is_cancelled: bool,
) -> None:  # fmt: skip
    action = client.post(f"/api/machines/{WS01}/isolate", {"Comment": "x"}).json()
    for each in seconds:
        world.clock.advance(each)
        world.work()
    path = f"/api/machineactions/{action['id']}"
    assert client.get(path).json()["status"] == status
    assert application.client("endpoint-other").post(f"{path}/cancel", {"Comment": "x"}).status in (403, 404)
    cancelled = client.post(f"{path}/cancel", {"Comment": "A mistake"})
    assert cancelled.status == (200 if is_cancelled else 400)
    again = client.post(f"{path}/cancel", {"Comment": "Again"})
    assert again.status == 400
    now = client.get(path).json()
    assert now["status"] == ("Cancelled" if is_cancelled else status)
    assert (now["cancellationComment"], now["cancellationDateTimeUtc"] is None) == (
        ("A mistake", False) if is_cancelled else (None, True)
    )
    assert client.post(f"/api/machines/{WS01}/unisolate", {"Comment": "x"}).status == 201  # nothing stands in its way
    assert client.post(f"/api/machineactions/{UNKNOWN[:8]}/cancel", {"Comment": "x"}).status == 404


def test_what_never_ends_times_out(client: AsgiClient, world: EndpointWorld) -> None:
    endless = Simulator(Simulation(10_000_000.0, {}), world.clock)
    world.handlers[execution.JOB] = ActionRunner(world.store, world.queue, endless, world.clock).run
    path = f"/api/machineactions/{client.post(f'/api/machines/{WS01}/isolate', {'Comment': 'x'}).json()['id']}"
    world.clock.advance(ACTION_DELAY)
    world.work()
    assert client.get(path).json()["status"] == "InProgress"
    for _ in range(3):
        world.clock.advance(TIMEOUT / 10_000_000 + 60)
        world.work()
    assert client.get(path).json()["status"] == "TimeOut"
    assert client.post(f"{path}/cancel", {"Comment": "x"}).status == 400


def test_the_actions_of_a_machine_as_documented_queries_ask_for_them(client: AsgiClient, world: EndpointWorld) -> None:
    for operation in ("runAntiVirusScan", "isolate"):
        client.post(f"/api/machines/{WS01}/{operation}", {"Comment": "x"})
        world.clock.advance(RUNNING)
    client.post(f"/api/machines/{SRV02}/runAntiVirusScan", {"Comment": "x"})
    own = f"/api/machines/{WS01}/machineactions"
    types = "type+in+('Isolate','Unisolate')"
    queries = {
        own: ["Isolate", "RunAntiVirusScan"],
        f"{own}?$filter={types}&$top=1": ["Isolate"],
        f"{own}?$filter={types}+and+status+eq+'Succeeded'&$top=1": [],
        f"/api/machineactions?$filter=machineId+eq+'{WS01}'&$top=2": ["Isolate", "RunAntiVirusScan"],
        f"/api/machineactions?$filter=machineId+eq+'{SRV02}'+and+type+eq+'RunAntiVirusScan'": ["RunAntiVirusScan"],
        "/api/machineactions?$filter=type+eq+'Offboard'": [],
    }
    found = {query: [each["type"] for each in client.get(query).json()["value"]] for query in queries}
    assert found == queries


def test_so_many_live_responses_at_a_time(world: EndpointWorld) -> None:
    rows = [{"Timestamp": world.ago(1), "DeviceId": f"{n:040x}", "OSPlatform": "Windows11"} for n in range(26)]
    world.ingest({"DeviceInfo": rows})
    world.work()
    application = assemble(store=world.store, clock=world.clock, endpoint=world.telemetry, profile="microsoft")
    client = application.client("endpoint")
    statuses = []
    for n in range(26):
        if n % 10 == 0:
            world.clock.advance(60)  # ten calls a minute; the jobs do not run
        statuses.append(client.post(f"/api/machines/{n:040x}/runliveresponse", {"Commands": [GET]}))
    assert [answer.status for answer in statuses] == [201] * 25 + [429]
    assert int(statuses[-1].headers["retry-after"]) > 0
    for _ in range(3):
        world.clock.advance(60)
        world.work()
    assert client.post(f"/api/machines/{25:040x}/runliveresponse", {"Commands": [GET]}).status == 201


def test_a_limit_is_of_one_operation(world: EndpointWorld) -> None:
    application = assemble(store=world.store, clock=world.clock, endpoint=world.telemetry, profile="microsoft")
    client = application.client("endpoint")
    path = f"/api/machineactions/{UNKNOWN}/getPackageUri"
    answers = [client.get(path) for _ in range(3)]
    assert [answer.status for answer in answers] == [404, 404, 429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    for _ in range(100):
        assert client.get("/api/machineactions").status == 200
    assert client.get("/api/machineactions").status == 429
    assert client.get("/api/machines").status == 200
