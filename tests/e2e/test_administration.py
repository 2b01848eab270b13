"""A running server of several processes, administered: what is saved comes back at once and whole, in every process."""

import concurrent.futures
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from .conftest import GRAPH, XDR, Demo, RunningServer, eventually, vedette

OWN = "api://vedette"
BOUND_SECONDS = 1.0
"""Generous: measured are some twenty milliseconds (docs/performance.md)."""

COUNTS = (
    "union withsource = Table *"
    " | where Table !in ('GraphAPIAuditEvents', 'EntraIdSpnSignInEvents') and Table !startswith 'ExposureGraph'"
    " | summarize Rows = count() by Table"
)
"""Without the rows that tell of the test's own calls and sign-ins, and what background work still derives."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A server of this module's own, since everything about it changes."""
    data = tmp_path_factory.mktemp("administration") / "data"
    server = RunningServer(data, "--demo", "--web-processes", 2)
    base_url = server.wait_until_ready()
    yield Demo(server, base_url, json.loads((data / "demo.json").read_text()))
    assert server.stop() == 0, server.log.read_text()


@pytest.fixture(scope="module")
def admin(demo: Demo) -> Iterator[httpx2.Client]:
    token = (demo.server.data / "run" / "administrator.token").read_text()
    with demo.server.client(headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def fresh(demo: Demo, method: str, path: str, token: str, **options: Any) -> httpx2.Response:
    """A request over a connection of its own: whichever process accepts it answers."""
    with demo.server.client(headers={"Authorization": f"Bearer {token}"}) as client:
        return client.request(method, path, **options)


def seen(demo: Demo, tokens: dict[str, str]) -> dict[str, Any]:
    """What clients can see."""
    incidents = fresh(demo, "GET", "/v1.0/security/incidents?$expand=alerts", tokens[GRAPH])
    apps = fresh(demo, "GET", "/v1.0/applications", tokens[GRAPH])
    rows = fresh(demo, "POST", "/api/advancedhunting/run", tokens[XDR], json={"Query": COUNTS})
    assert [answer.status_code for answer in (incidents, apps, rows)] == [200, 200, 200]
    return {
        "incidents": incidents.json()["value"],
        "apps": apps.json()["value"],
        "rows": {row["Table"]: row["Rows"] for row in rows.json()["Results"]},
    }


def settled(demo: Demo) -> bool:
    """Whether the background work has caught up."""
    status = json.loads(vedette("status", "--json", "--data", demo.server.data).stdout)
    return not status["jobs"].get("running") and status["jobs"].get("pending", 0) <= 20


def test_everything_comes_back(demo: Demo, admin: httpx2.Client) -> None:
    tokens = {resource: demo.token(resource) for resource in (GRAPH, XDR, OWN)}
    assert eventually(lambda: settled(demo) and "DeviceInfo" in seen(demo, tokens)["rows"], 60)  # derived from the rest
    assert admin.put("/vedette/v1/snapshots/base").status_code == 201
    before = seen(demo, tokens)
    assert len(before["incidents"]) == 2

    seed = {
        "alerts": [{"title": "Rehearsal"}],
        "machines": [{"id": "a" * 40, "computerDnsName": "rehearsal"}],
        "events": {"DeviceEvents": [{"DeviceId": "a" * 40, "ActionType": "Rehearsed"}]},
    }
    made = admin.post("/vedette/v1/seed", json=seed)
    assert made.status_code == 201, made.text
    assert made.json()["rows"] == {"DeviceEvents": 1}
    assert fresh(demo, "POST", "/v1.0/applications", tokens[GRAPH], json={"displayName": "Late"}).status_code == 201
    after = seen(demo, tokens)
    assert after["rows"]["DeviceEvents"] == before["rows"].get("DeviceEvents", 0) + 1
    assert len(after["apps"]) == len(before["apps"]) + 1

    sent = time.perf_counter()
    assert admin.post("/vedette/v1/snapshots/base/restore").status_code == 204
    took = time.perf_counter() - sent
    for _ in range(4):
        now = seen(demo, tokens)
        assert now["apps"] == before["apps"]
        assert now["incidents"] == before["incidents"]
        assert now["rows"] == before["rows"]
    assert took < BOUND_SECONDS


def test_a_revocation_is_undone_and_one_before_it_stays(demo: Demo, admin: httpx2.Client) -> None:
    tenant = demo.document["tenants"][0]["tenant_id"]
    token = demo.token(GRAPH)
    path = "/v1.0/security/incidents"
    admin.put("/vedette/v1/snapshots/valid")
    assert vedette("tenant", "revoke", tenant, "--data", demo.server.data).returncode in (0, 2)
    app = demo.document["apps"][0]["client_id"]
    own = fresh(demo, "GET", f"/v1.0/servicePrincipals?$filter=appId eq '{app}'", token).json()["value"][0]["id"]
    off = {"accountEnabled": False}
    assert fresh(demo, "PATCH", f"/v1.0/servicePrincipals/{own}", token, json=off).status_code == 204
    assert eventually(lambda: all(fresh(demo, "GET", path, token).status_code == 401 for _ in range(4)))
    admin.put("/vedette/v1/snapshots/revoked")
    admin.post("/vedette/v1/snapshots/valid/restore")
    assert [fresh(demo, "GET", path, token).status_code for _ in range(4)] == [200] * 4
    admin.post("/vedette/v1/snapshots/revoked/restore")
    assert [fresh(demo, "GET", path, token).status_code for _ in range(4)] == [401] * 4
    admin.post("/vedette/v1/snapshots/valid/restore")
    assert [fresh(demo, "GET", path, token).status_code for _ in range(4)] == [200] * 4


def test_requests_meet_one_state_or_the_other(demo: Demo, admin: httpx2.Client) -> None:
    token = demo.token(GRAPH)
    admin.put("/vedette/v1/snapshots/two")
    admin.post("/vedette/v1/seed", json={"alerts": [{"title": "Third"}]})
    admin.put("/vedette/v1/snapshots/three")
    path, stop = "/v1.0/security/incidents?$expand=alerts&$count=true", False

    def ask() -> set[tuple[int, int, int]]:
        found = set()
        with demo.server.client(headers={"Authorization": f"Bearer {token}"}) as client:
            while not stop:
                answer = client.get(path)
                assert answer.status_code == 200, answer.text
                value = answer.json()["value"]
                found.add((len(value), answer.json()["@odata.count"], min(len(each["alerts"]) for each in value)))
        return found

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        try:
            for number in range(12):
                name = ("two", "three")[number % 2]
                assert admin.post(f"/vedette/v1/snapshots/{name}/restore").status_code == 204
        finally:
            stop = True
        found = set().union(*(each.result() for each in asking))
    assert {(count, total) for count, total, _ in found} == {(2, 2), (3, 3)}
    assert all(alerts >= 1 for _, _, alerts in found)
    admin.post("/vedette/v1/snapshots/two/restore")


def test_clock_and_faults_through_commands(demo: Demo, admin: httpx2.Client) -> None:
    data = ("--data", demo.server.data)
    token = demo.token(GRAPH)
    path = "/v1.0/security/incidents"
    assert vedette("snapshot", "save", "quiet", *data).returncode == 0
    assert vedette("fault", "add", "503", "--operation", "graph.list_incidents", "--count", "2", *data).returncode == 0
    assert [fresh(demo, "GET", path, token).status_code for _ in range(3)] == [503, 503, 200]
    (fault,) = admin.get("/vedette/v1/faults").json()["faults"]
    assert (fault["kind"], fault["struck"]) == ("503", 2)
    assert vedette("clock", "--advance", "7200", *data).returncode == 0
    assert fresh(demo, "GET", path, token).status_code == 401
    assert fresh(demo, "GET", path, demo.token(GRAPH)).status_code == 200
    assert vedette("snapshot", "restore", "quiet", *data).returncode == 0
    assert fresh(demo, "GET", path, token).status_code == 200
    assert admin.get("/vedette/v1/faults").json() == {"faults": []}
    assert admin.get("/vedette/v1/clock").json()["offsetSeconds"] == 0


def test_who_may_administer(demo: Demo) -> None:
    path = "/vedette/v1/snapshots"
    with demo.server.client() as client:
        assert client.get(path).status_code == 401
    assert fresh(demo, "GET", path, "guess").status_code == 401
    assert fresh(demo, "GET", path, demo.token(GRAPH)).status_code == 401
    assert fresh(demo, "GET", path, demo.token(OWN)).status_code == 200


def test_a_seed_of_a_file(demo: Demo, admin: httpx2.Client, tmp_path: Path) -> None:
    data = ("--data", demo.server.data)
    file = tmp_path / "seed.yaml"
    file.write_text("alerts:\n- title: A\nevents:\n  DeviceEvents:\n  - Colour: red\n")
    refused = vedette("seed", file, *data)
    assert refused.returncode == 2
    assert f"{file}: events.DeviceEvents[0].Colour: DeviceEvents has no such column" in refused.stderr
    file.write_text("alerts:\n- title: A\nevents:\n  DeviceEvents:\n  - {Timestamp: -PT1H, ActionType: Rehearsed}\n")
    made = vedette("seed", file, *data)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["rows"] == {"DeviceEvents": 1}
    assert len(demo.hunt("DeviceEvents | where ActionType == 'Rehearsed' and Timestamp < ago(50m)")) == 1


def test_reset_begins_anew(demo: Demo, admin: httpx2.Client) -> None:
    admin.post("/vedette/v1/seed", json={"alerts": [{"title": "Gone"}]})
    old = demo.token(GRAPH)
    assert vedette("reset", "--yes", "--data", demo.server.data).returncode == 0
    again = Demo(demo.server, demo.base_url, json.loads((demo.server.data / "demo.json").read_text()))
    assert fresh(again, "GET", "/v1.0/security/incidents", old).status_code == 401
    assert len(seen(again, {resource: again.token(resource) for resource in (GRAPH, XDR)})["incidents"]) == 2
