"""libre-devops-helpers, unmodified: a command line for responders that reads from Graph and Defender for Endpoint."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from .installed import python_client
from .sandbox import FixedHosts

DEVICE = "nq-ws-05.northquay.example"
COMMANDS = {
    "incidents": "xdr incidents list --output json",
    "incident": "xdr incidents show 1 --output json",
    "machines": "xdr machines nq-ws-05 nobody --output json",
    "alerts": "xdr alerts --severity high --output json",
    "timeline": "xdr timeline nq-ws-05 --output json",
    "rules": "xdr detections list --output json",
    "hunt": "xdr hunt 'DeviceProcessEvents | distinct DeviceName' --output json",
    "graph-hunt": "graph hunt 'DeviceProcessEvents | distinct DeviceName' --output json",
    "pages": "graph get /security/alerts_v2?$top=2 --all --output json",
    "person": "graph get-user admin@northquay.example --output json",
    "application": "graph get-app 'Vedette demo client' --output json",
    "token": "graph whoami --output json",
    "roles": "entra user-roles admin@northquay.example --output json",
    "groups": "entra user-groups admin@northquay.example --output json",
}


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    python = python_client(tmp_path_factory.mktemp("libre-devops") / "venv", "libre-devops-helpers==0.8.1")
    return python.with_name("ldo")


@pytest.fixture(scope="module")
def answers(fixed_hosts: FixedHosts, command: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each command printed."""
    folder = tmp_path_factory.mktemp("answers")
    app = next(app for app in fixed_hosts.demo()["apps"] if app["kind"] == "confidential")
    profile = {"tenant_id": app["tenant_id"], "auth": "client-secret", "client_id": app["client_id"]}
    lines = [f"{name} = {json.dumps(value)}" for name, value in profile.items()]
    config = folder / "config.toml"
    config.write_text("\n".join(["[microsoft]", 'default_profile = "lab"', "[microsoft.profiles.lab]", *lines]))
    script = [
        f"{command} {shlex.join(shlex.split(arguments))} >{folder}/{name} 2>{folder}/{name}.err &"
        for name, arguments in COMMANDS.items()
    ]
    fixed_hosts.run(["sh", "-c", "\n".join([*script, "wait"])], {"LDO_CONFIG": str(config)})
    errors = {name: (folder / f"{name}.err").read_text() for name in COMMANDS}
    assert not {name: text for name, text in errors.items() if "error:" in text}
    return {name: json.loads((folder / name).read_text()) for name in COMMANDS}


def test_incidents_with_their_alerts(answers: dict[str, Any]) -> None:
    assert {"1", "2"} <= {incident["id"] for incident in answers["incidents"]}
    assert answers["incident"]["id"] == "1"
    assert all(alert["evidence"] for alert in answers["incident"]["alerts"])
    listed = {alert["id"] for incident in answers["incidents"] for alert in incident["alerts"]}
    assert {alert["id"] for alert in answers["pages"]} == listed


def test_machines_and_what_happened_on_them(answers: dict[str, Any]) -> None:
    found, missing = answers["machines"]
    assert (found["found"], found["matched_name"], missing["found"]) == (True, DEVICE, False)
    assert found["records"][0]["healthStatus"] == "Active"
    assert {alert["severity"] for alert in answers["alerts"]} == {"High"}
    assert answers["timeline"]


def test_hunts_answer_alike_on_both_hosts(answers: dict[str, Any]) -> None:
    names = {row["DeviceName"] for row in answers["hunt"]}
    assert DEVICE in names
    assert {row["DeviceName"] for row in answers["graph-hunt"]} == names


def test_the_directory(answers: dict[str, Any]) -> None:
    assert answers["rules"] == []
    assert "Global Administrator" in json.dumps(answers["roles"])
    assert answers["groups"]["groups"] == []
    assert answers["person"]["userPrincipalName"] == "admin@northquay.example"
    assert answers["application"]["displayName"] == "Vedette demo client"
    assert "SecurityIncident.Read.All" in json.dumps(answers["token"])
