"""`vedette serve` and `vedette worker` side by side on one folder, and rules that their owner applies meanwhile."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import GRAPH, VEDETTE, RunningServer, alive, environment, eventually, free_port, vedette
from .installation import Installation, process_start

RULE = """
id: echo-by-command-shell
title: The shell was asked to echo
description: A test's own rule.
severity: low
category: Execution
query: DeviceProcessEvents | where ProcessCommandLine has "echo"
schedule: {frequency: PT5M, lookback: PT1H}
entities:
  - {type: device, impacted: true, columns: {device_id: DeviceId, device_name: DeviceName}}
"""


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[tuple[Installation, "subprocess.Popen[str]"]]:
    data = tmp_path / "data"
    server = RunningServer(data, command="serve")
    server.wait_until_ready()
    with (tmp_path / "worker.log").open("w") as log:
        worker = subprocess.Popen([VEDETTE, "worker", "--data", str(data)], stderr=log, text=True, env=environment())
    made = vedette("bootstrap", "--client", "e2e", "--data", data)
    try:
        yield Installation.of(server, made.stdout), worker
    finally:
        worker.kill()
        worker.wait()
        server.stop()


def test_they_do_together_what_up_does(parts: tuple[Installation, "subprocess.Popen[str]"], tmp_path: Path) -> None:
    server, worker = parts
    assert server.send(process_start(1)).status_code == 200
    rule = tmp_path / "rule.yaml"
    rule.write_text(RULE)
    done = vedette("rules", "apply", rule, "--data", server.server.data)
    assert done.returncode == 0, done.stderr
    assert "echo-by-command-shell" in vedette("rules", "list", "--data", server.server.data, COLUMNS="200").stdout

    def titles() -> list[str]:
        with server.client(GRAPH) as client:
            return [alert["title"] for alert in client.get("/v1.0/security/alerts_v2").json()["value"]]

    assert eventually(lambda: titles() == ["The shell was asked to echo"], seconds=60)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    children = server.server.children()
    assert server.server.stop() == 0
    assert not any(alive(pid) for pid in children)


def test_a_part_keeps_others_out(parts: tuple[Installation, "subprocess.Popen[str]"]) -> None:
    data = parts[0].server.data
    done = vedette("up", "--port", free_port(), "--data", data)
    assert (done.returncode, "Another Vedette server" in done.stderr) == (2, True), done.stderr


def test_the_state_is_administered_by_the_parts_that_run(parts: tuple[Installation, "subprocess.Popen[str]"]) -> None:
    data = parts[0].server.data
    for command in (["snapshot", "save", "x"], ["snapshot", "restore", "x"], ["reset", "--yes"]):
        done = vedette(*command, "--data", data)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("severity: low", "severity: awful"), "severity"),
        (("DeviceProcessEvents", "DeviceProcessEvent"), "DeviceProcessEvent"),
        (("device_name: DeviceName", "device_name: Nobody"), "Nobody"),
        (("id: echo-by-command-shell", "id: lsass-memory-access"), "comes with Vedette"),
        (("id:", "id: ["), "line"),
    ],
)
def test_a_rule_with_a_fault_is_refused_and_changes_nothing(
    change: tuple[str, str], words: str, tmp_path: Path
) -> None:
    data, good, bad = tmp_path / "data", tmp_path / "good.yaml", tmp_path / "bad.yaml"
    assert vedette("bootstrap", "--client", "x", "--data", data).returncode == 0
    good.write_text(RULE)
    bad.write_text(RULE.replace(*change))
    done = vedette("rules", "apply", good, bad, "--data", data)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "bad.yaml" in done.stderr
    assert not list((data / "rules").glob("*.yaml"))


def test_a_disabled_version_stops_a_rule(tmp_path: Path) -> None:
    data, path = tmp_path / "data", tmp_path / "rule.yaml"
    assert vedette("bootstrap", "--client", "x", "--data", data).returncode == 0
    path.write_text(RULE)
    assert vedette("rules", "apply", path, "--data", data).returncode == 0
    assert vedette("rules", "run", "echo-by-command-shell", "--data", data).returncode == 0
    path.write_text(RULE + "enabled: false\n")
    assert vedette("rules", "apply", path, "--data", data).returncode == 0
    listed = vedette("rules", "list", "--data", data, COLUMNS="200").stdout
    (line,) = [line for line in listed.splitlines() if "echo-by-command-shell" in line]
    assert " no " in line
