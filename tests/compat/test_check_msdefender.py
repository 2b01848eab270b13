"""check-msdefender, unmodified: a monitoring plugin that asks all three API families for one endpoint."""

from pathlib import Path

import pytest

from .installed import python_client
from .sandbox import FixedHosts

HOST = "nq-ws-05.northquay.example"


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    python = python_client(tmp_path_factory.mktemp("check-msdefender") / "venv", "check-msdefender==1.4.28")
    return python.with_name("check_msdefender")


def test_each_of_its_checks(fixed_hosts: FixedHosts, command: Path, tmp_path: Path) -> None:
    app = next(app for app in fixed_hosts.demo()["apps"] if app["kind"] == "confidential")
    config = tmp_path / "check.ini"
    names = ("client_id", "tenant_id", "client_secret")
    config.write_text("\n".join(["[auth]", *(f"{name} = {app[name]}" for name in names), "[settings]", "timeout = 30"]))
    checks = ("lastseen", "onboarding", "detail", "vulnerabilities", "products", "alerts", "incidents")
    script = [f"{command} {check} -c {config} -d {HOST} || true" for check in checks]
    script += [f"{command} machines -c {config} || true", f"{command} incident-detail 1 -c {config} || true"]
    printed = fixed_hosts.run(["sh", "-c", "\n".join(script)])
    assert "UNKNOWN: " not in printed, printed
    assert f"Machine: {HOST} - Last seen 0 days ago" in printed
    assert f"Machine: {HOST} - Fully onboarded" in printed
    assert "Total machines: 8" in printed
