"""Changes of the directory by the commands, and the sign-ins behind them, hunted with KQL on the running server."""

import json
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest

from .conftest import DemoServer

XDR = "https://api.security.microsoft.com"
WAIT_SECONDS = 60
MADE = {
    "Add application.",
    "Add service principal.",
    "Update application.",
    "Update application – Certificates and secrets management ",
    "Add app role assignment to service principal.",
    "Update service principal.",
    "Delete application.",
    "Add user.",
    "Add member to role.",
    "Disable account.",
    "Enable account.",
    "Reset user password.",
    "Delete user.",
}


@pytest.fixture(scope="module")
def changed(demo_server: DemoServer) -> DemoServer:
    """The server after an administrator's day."""
    user = f"robin@{demo_server.home['domain']}"
    for line in (
        "app create Redstart",
        "app permission add Redstart Incident.Read.All",
        "app secret add Redstart",
        "app consent Redstart",
        "app disable Redstart",
        "app delete Redstart --yes",
        f"user create {user} --name Robin --roles Security_Reader",
        f"user disable {user}",
        f"user enable {user}",
        f"user reset-password {user}",
        f"user delete {user} --yes",
    ):
        words = [word.replace("_", " ") for word in line.split()]
        command = [str(Path(sys.executable).with_name("vedette")), *words, "--data", str(demo_server.data)]
        subprocess.run(command, check=True, capture_output=True)
    return demo_server


def hunt(server: DemoServer, query: str) -> list[dict[str, object]]:
    app = server.app("confidential")
    form = {
        "grant_type": "client_credentials",
        "client_id": str(app["client_id"]),
        "client_secret": str(app["client_secret"]),
        "scope": f"{XDR}/.default",
    }
    context = ssl.create_default_context(cafile=server.ca_file)
    with httpx2.Client(base_url=server.base_url, verify=context, trust_env=False, timeout=60) as client:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        address = f"/{server.home['tenant_id']}/oauth2/v2.0/token"
        token = client.post(address, content=urlencode(form), headers=headers).json()["access_token"]
        answer = client.post(
            "/api/advancedhunting/run", json={"Query": query}, headers={"authorization": f"Bearer {token}"}
        )
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["Results"]
    return found


def await_rows(server: DemoServer, query: str, wanted: set[object], column: str) -> None:
    """Rows come some seconds after what they tell of."""
    end = time.monotonic() + WAIT_SECONDS
    seen: set[object] = set()
    while not wanted <= seen and time.monotonic() < end:
        seen = {row[column] for row in hunt(server, query)}
    assert wanted <= seen


def test_every_change_is_an_activity(changed: DemoServer) -> None:
    client_id = changed.app("confidential")["client_id"]
    query = f"CloudAppEvents | where OAuthAppId == '{client_id}' | distinct ActionType"
    await_rows(changed, query, set(MADE), "ActionType")


def test_and_an_event_of_the_directory(changed: DemoServer) -> None:
    query = "IdentityDirectoryEvents | where AdditionalFields.['ACTOR.APPLICATION'] != '' | distinct ActionType"
    await_rows(changed, query, {name.rstrip(". ") for name in MADE}, "ActionType")


def test_an_activity_names_its_target(changed: DemoServer) -> None:
    query = (
        "CloudAppEvents | where ActionType == 'Add member to role.' and ObjectName startswith 'robin@'"
        " | project Role = tostring(RawEventData.ExtendedProperties[0].Value), ObjectType"
    )
    await_rows(changed, query, {"Security Reader"}, "Role")
    assert {row["ObjectType"] for row in hunt(changed, query)} == {"User"}


def test_sign_ins_of_the_commands_are_there(changed: DemoServer) -> None:
    query = (
        "EntraIdSpnSignInEvents | where ErrorCode == 0 | distinct ResourceDisplayName"
        " | where isnotempty(ResourceDisplayName)"
    )
    await_rows(changed, query, {"Microsoft Graph", "Microsoft Threat Protection"}, "ResourceDisplayName")
    assert json.dumps(hunt(changed, query))
