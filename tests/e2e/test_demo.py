"""The main job: start with the demo, get a token, hunt, and see the incidents of both attacks."""

import json
import re
import stat
import subprocess

import pytest

from .conftest import GRAPH, MDE, XDR, Demo, environment, eventually, vedette


def test_ready_names_the_address_and_is_all_of_standard_output(demo: Demo) -> None:
    assert demo.base_url == f"https://127.0.0.1:{demo.server.port}"
    assert demo.document["base_url"] == demo.base_url


def test_demo_json_is_private_and_complete(demo: Demo) -> None:
    path = demo.server.data / "demo.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    home, customer = demo.document["tenants"]
    assert (home["home"], customer["home"]) == (True, False)
    first = demo.document["apps"][0]
    assert (first["kind"], first["tenant_id"]) == ("confidential", home["tenant_id"])
    assert {XDR, MDE, GRAPH} <= first["permissions"].keys()
    assert {app["kind"] for app in demo.document["apps"]} == {"confidential", "public", "multitenant"}
    assert all(set(user) == {"upn", "password", "tenant_id", "roles"} for user in demo.document["users"])


def test_all_devices_were_active_in_the_last_hour(demo: Demo) -> None:
    query = (
        "union DeviceProcessEvents, DeviceNetworkEvents | where Timestamp > ago(2h) | summarize count() by DeviceName"
    )
    assert len(demo.hunt(query)) == 8


@pytest.mark.parametrize(
    ("path", "resource", "results"),
    [
        ("/api/advancedhunting/run", XDR, "Results"),
        ("/api/advancedqueries/run", MDE, "Results"),
        ("/v1.0/security/runHuntingQuery", GRAPH, "results"),
    ],
)
def test_every_surface_hunts(demo: Demo, path: str, resource: str, results: str) -> None:
    body = {"Query": 'DeviceProcessEvents | where ProcessCommandLine has "sekurlsa" | project DeviceName'}
    answer = demo.ask("POST", path, resource, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()[results] == [{"DeviceName": "nq-ws-07.northquay.example"}]


def test_each_attack_is_one_incident_of_several_alerts(demo: Demo) -> None:
    incidents = demo.ask("GET", "/api/incidents", XDR).json()["value"]
    assert len(incidents) == 2
    devices = [
        {device["deviceDnsName"].split(".")[0] for alert in incident["alerts"] for device in alert["devices"]}
        for incident in sorted(incidents, key=lambda incident: -len(incident["alerts"]))
    ]
    assert devices == [{"nq-ws-07", "nq-fs-01"}, {"nq-web-01", "nq-db-01"}]
    assert all(len(incident["alerts"]) >= 4 for incident in incidents)


def test_graph_shows_the_same_incidents_with_their_alerts(demo: Demo) -> None:
    answer = demo.ask("GET", "/v1.0/security/incidents?$expand=alerts", GRAPH)
    assert answer.status_code == 200, answer.text
    incidents = answer.json()["value"]
    assert len(incidents) == 2
    assert all(alert["evidence"] for incident in incidents for alert in incident["alerts"])


def test_alerts_become_hunting_rows(demo: Demo) -> None:
    count = "AlertInfo | summarize Alerts = dcount(AlertId)"
    alerts = sum(len(incident["alerts"]) for incident in demo.ask("GET", "/api/incidents", XDR).json()["value"])
    assert eventually(lambda: demo.hunt(count) == [{"Alerts": alerts}])
    assert demo.hunt("AlertEvidence | where EntityType == 'Machine' | summarize dcount(DeviceId)")[0] == {
        "dcount_DeviceId": 4
    }


def test_the_printed_commands_work_as_printed(demo: Demo) -> None:
    printed = demo.server.log.read_text()
    curl = printed.partition("(curl):")[2].partition("Copy and paste")[0]
    python = "python3 -" + printed.partition("\npython3 -")[2].partition("\nEOF\n")[0] + "\nEOF\n"
    for script, expected in ((curl, '"incidentId"'), (python, "nq-ws-07")):
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False, env=environment()
        )
        assert expected in done.stdout, done.stderr


def test_no_secret_is_in_the_log(demo: Demo) -> None:
    printed = demo.server.log.read_text()
    for app in demo.document["apps"]:
        assert not app["client_secret"] or app["client_secret"] not in printed
    for user in demo.document["users"]:
        assert user["password"] not in printed
    assert not re.search(r"eyJ[A-Za-z0-9_-]{20}", printed)


def test_log_lines_carry_tenant_application_and_request(demo: Demo) -> None:
    demo.ask("GET", "/api/incidents", XDR)
    lines = [json.loads(line) for line in demo.server.log.read_text().splitlines() if line.startswith("{")]
    line = next(line for line in reversed(lines) if line.get("operation") == "defender.list_incidents")
    assert line["tenant"] == demo.document["tenants"][0]["tenant_id"]
    assert line["application"] == demo.document["apps"][0]["client_id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", line["request_id"])


def test_probes_and_metrics(demo: Demo) -> None:
    demo.ask("GET", "/api/incidents", XDR)
    with demo.server.client() as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").json()["status"] == "ready"
        metrics = client.get("/metrics").text
    found = re.search(
        r'vedette_http_requests_total\{operation="defender.list_incidents",status="200",[^}]*\} (\S+)', metrics
    )
    assert found is not None
    assert float(found[1]) >= 1
    tenant_id = demo.document["tenants"][0]["tenant_id"]
    assert f'vedette_tenant_requests_total{{surface="defender",tenant="{tenant_id}"}}' in metrics
    assert not [user["upn"] for user in demo.document["users"] if user["upn"] in metrics]
    assert not [app["client_id"] for app in demo.document["apps"] if app["client_id"] in metrics]


def test_status(demo: Demo) -> None:
    done = vedette("status", "--json", "--data", demo.server.data)
    status = json.loads(done.stdout)
    assert done.returncode == 0
    assert (status["running"], status["ready"], status["base_url"]) == (True, True, demo.base_url)
    assert (status["pid"], status["tenants"]) == (demo.server.process.pid, 2)


def test_a_minted_token_works_and_is_for_what_was_asked(demo: Demo) -> None:
    home, app = demo.document["tenants"][0], demo.document["apps"][0]
    order = ["--tenant", home["domain"], "--app", app["client_id"], "--roles", "Incident.Read.All", "--lifetime", 120]
    token = vedette("token", "mint", *order, "--data", demo.server.data).stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    with demo.server.client(headers=headers) as client:
        assert client.get("/api/incidents").status_code == 200
        assert client.post("/api/advancedhunting/run", json={"Query": "DeviceInfo"}).status_code == 403


def test_the_partner_s_token_sees_the_customer_only(demo: Demo) -> None:
    token = demo.token(XDR, app=2, tenant=1)
    with demo.server.client(headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.get("/api/incidents").json()["value"] == []
        answer = client.post("/api/advancedhunting/run", json={"Query": "DeviceProcessEvents | count"})
        assert answer.json()["Results"] == [{"Count": 0}]


def test_an_unknown_host_is_misdirected(demo: Demo) -> None:
    with demo.server.client(headers={"Host": "evil.example"}) as client:
        assert client.get("/healthz").status_code == 421


def test_rules_can_be_run_again_without_new_alerts(demo: Demo) -> None:
    done = vedette("rules", "run", "lsass-memory-access", "--data", demo.server.data, COLUMNS="120")
    assert done.returncode == 0, done.stderr
    assert re.search(r"lsass-memory-access\s+2\s+0\b", done.stdout), done.stdout
