"""`vedette up` without a demo: no credentials, clean ends, processes that are replaced or die together."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from .conftest import VEDETTE, RunningServer, alive, environment, eventually, free_port, vedette


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(data: Path) -> Iterator[RunningServer]:
    server = RunningServer(data)
    server.wait_until_ready()
    yield server
    server.stop()


@pytest.mark.parametrize("mode", [[], ["--single"]], ids=["processes", "single"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(data: Path, mode: list[str], number: int) -> None:
    server = RunningServer(data, *mode)
    server.wait_until_ready()
    children = server.children()
    assert server.stop(number) == 0
    assert not any(alive(pid) for pid in children)
    assert not (data / "run" / "server.json").exists()
    assert "Traceback" not in server.log.read_text()


def test_without_a_demo_there_are_no_credentials(server: RunningServer) -> None:
    assert not (server.data / "demo.json").exists()
    with sqlite3.connect(server.data / "control.db") as database:
        for table in ("tenants", "applications", "users", "password_credentials"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    database.close()


def test_keys_are_private(server: RunningServer) -> None:
    for name in ("master.key", "tls/ca.key", "tls/server.key"):
        assert stat.S_IMODE((server.data / name).stat().st_mode) == 0o600


def test_minting_is_off_unless_allowed(server: RunningServer) -> None:
    done = vedette("token", "mint", "--tenant", "x", "--app", "y", "--data", server.data)
    assert done.returncode == 2
    assert "Minting is off" in done.stderr


def test_bootstrap_gives_an_application_that_works(server: RunningServer) -> None:
    done = vedette("bootstrap", "--client", "my tool", "--data", server.data)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["base_url"], Path(made["ca_file"])) == (f"https://127.0.0.1:{server.port}", server.data / "tls/ca.pem")
    form = {
        "grant_type": "client_credentials",
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
        "resource": "https://api.security.microsoft.com",
    }
    with server.client() as client:
        token = client.post(f"/{made['domain']}/oauth2/token", data=form).json()["access_token"]
        answer = client.get("/api/incidents", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["value"] == []


def test_a_killed_process_is_replaced(server: RunningServer) -> None:
    before = server.children()
    os.kill(before[0], signal.SIGKILL)
    assert eventually(lambda: len(server.children()) == len(before) and before[0] not in server.children())
    with server.client() as client:
        assert eventually(lambda: client.get("/readyz").status_code == 200)


def test_processes_die_with_a_killed_server_and_the_next_start_is_clean(server: RunningServer, data: Path) -> None:
    children = server.children()
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert eventually(lambda: not any(alive(pid) for pid in children))
    again = RunningServer(data)
    again.wait_until_ready()
    assert again.stop() == 0


def test_behind_a_proxy_it_speaks_plain_http_and_believes_the_proxy(data: Path) -> None:
    server = RunningServer(data, "--behind-proxy", "--accept-host", "vedette.example", "--single")
    try:
        assert server.wait_until_ready() == f"http://127.0.0.1:{server.port}"
        headers = {"Host": "vedette.example", "X-Forwarded-Proto": "https"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{server.port}", headers=headers, trust_env=False) as client:
            made = json.loads(vedette("bootstrap", "--client", "x", "--data", data).stdout)
            found = client.get(f"/{made['tenant_id']}/v2.0/.well-known/openid-configuration").json()
        assert found["token_endpoint"].startswith("https://vedette.example/")
    finally:
        assert server.stop() == 0


def test_behind_a_proxy_the_nearest_proxy_is_believed_and_logged(data: Path) -> None:
    server = RunningServer(
        data, "--behind-proxy", "--accept-host", "vedette.example", "--single", "--log-level", "debug"
    )
    try:
        server.wait_until_ready()
        forwarded = {
            "Host": "internal.example",
            "X-Forwarded-Host": "vedette.example",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "203.0.113.9, 198.51.100.7",
        }
        with httpx2.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
            answer = client.get("/api/incidents", headers={**forwarded, "Authorization": "Bearer secret-of-somebody"})
            other = client.get("/api/incidents", headers={**forwarded, "X-Forwarded-Host": "evil.example"})
        assert (answer.status_code, other.status_code) == (401, 421)
    finally:
        assert server.stop() == 0
    printed = server.log.read_text()
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line.get("operation") == "defender.list_incidents"]
    assert (line["client"], line["status"], line["request_id"]) == ("198.51.100.7", 401, answer.headers["request-id"])
    assert "secret-of-somebody" not in printed


def test_an_own_certificate_is_used(tmp_path: Path) -> None:
    first = RunningServer(tmp_path / "first", "--single", "--accept-host", "vedette.example")
    first.wait_until_ready()
    first.stop()
    tls = tmp_path / "first" / "tls"
    second = RunningServer(
        tmp_path / "second", "--single", "--tls-cert", tls / "server.pem", "--tls-key", tls / "server.key"
    )
    try:
        second.wait_until_ready()
        assert not (tmp_path / "second" / "tls").exists()
        assert vedette("status", "--data", tmp_path / "second").returncode == 0
    finally:
        assert second.stop() == 0


def test_a_second_start_keeps_certificates_and_contents(data: Path) -> None:
    first = RunningServer(data, "--single")
    first.wait_until_ready()
    made = json.loads(vedette("bootstrap", "--client", "x", "--data", data).stdout)
    assert first.stop() == 0
    authority = (data / "tls" / "ca.pem").read_bytes()
    second = RunningServer(data, "--single")
    second.wait_until_ready()
    assert (data / "tls" / "ca.pem").read_bytes() == authority
    with second.client() as client:
        assert client.get(f"/{made['tenant_id']}/v2.0/.well-known/openid-configuration").status_code == 200
    assert second.stop() == 0


def test_snapshots_bring_a_state_back(data: Path) -> None:
    server = RunningServer(data, "--single")
    server.wait_until_ready()
    assert server.stop() == 0
    assert vedette("snapshot", "save", "empty", "--data", data).returncode == 0
    assert vedette("bootstrap", "--client", "x", "--data", data).returncode == 0
    assert json.loads(vedette("status", "--json", "--data", data).stdout)["tenants"] == 1
    assert vedette("snapshot", "restore", "empty", "--data", data).returncode == 0
    assert json.loads(vedette("status", "--json", "--data", data).stdout)["tenants"] == 0
    assert "empty" in vedette("snapshot", "list", "--data", data).stdout
    assert vedette("snapshot", "restore", "none", "--data", data).returncode == 2
    assert vedette("reset", "--yes", "--data", data).returncode == 0
    again = RunningServer(data, "--single")
    again.wait_until_ready()
    assert again.stop() == 0


def test_a_stop_during_the_start_is_clean(data: Path) -> None:
    command = [VEDETTE, "up", "--demo", "--data", str(data), "--port", str(free_port())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    assert eventually((data / "control.db").exists)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (0, ""), errors


@pytest.mark.parametrize("mode", [[], ["--single"]], ids=["processes", "single"])
def test_connections_kept_open_do_not_hold_the_end_up(data: Path, mode: list[str]) -> None:
    server = RunningServer(data, *mode)
    server.wait_until_ready()
    with server.client() as client:
        assert client.get("/healthz").status_code == 200
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 10
