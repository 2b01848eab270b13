"""libre-devops-helpers, unmodified: a command line over Defender for Endpoint, Graph security and the directory."""

import json
from pathlib import Path

import pytest

from .installed import python_client
from .sandbox import FixedHosts

HOST = "nq-dc-01.northquay.example"
PROFILE = """
[microsoft]
default_profile = "demo"
[microsoft.profiles.demo]
tenant_id = "{tenant_id}"
client_id = "{client_id}"
auth = "client-secret"
"""
COMMANDS = {
    "machine": f"xdr machines {HOST} -o json",
    "alerts": "xdr alerts -o json",
    "timeline": f"xdr timeline {HOST} -o json",
    "incidents": "xdr incidents latest -o json",
    "roles": "entra user-roles admin@northquay.example -o json",
}


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    python = python_client(tmp_path_factory.mktemp("ldo") / "venv", "libre-devops-helpers==0.8.1")
    return python.with_name("ldo")


def test_its_reading_commands(fixed_hosts: FixedHosts, command: Path, tmp_path: Path) -> None:
    app = next(app for app in fixed_hosts.demo()["apps"] if app["kind"] == "confidential")
    (tmp_path / "config.toml").write_text(PROFILE.format(**app))
    script = [f"{command} {line} >{tmp_path}/{name} 2>{tmp_path}/{name}.log &" for name, line in COMMANDS.items()]
    script += ["wait", f"cat {tmp_path}/*.log"]
    complaints = fixed_hosts.run(["sh", "-c", "\n".join(script)], {"LDO_CONFIG": str(tmp_path / "config.toml")})
    assert "error:" not in complaints, complaints
    answers = {name: json.loads((tmp_path / name).read_text()) for name in COMMANDS}
    assert [record["computerDnsName"] for record in answers["machine"][0]["records"]] == [HOST]
    assert "Credential dumping by command line" in {alert["title"] for alert in answers["alerts"]}
    assert answers["timeline"]
    assert {incident["status"] for incident in answers["incidents"]} == {"active"}
    assert "Global Administrator" in json.dumps(answers["roles"])
