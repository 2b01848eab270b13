"""The commands that README and docs print run as printed, one after another, on a demo of their own."""

import gzip
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT

from .conftest import MDE, Demo, RunningServer, environment
from .installation import process_start

DOCUMENTS = ("README.md", "docs/contexts.md", "docs/recipes.md")
STARTS_A_SERVER = re.compile(r"make |vedette up\b")
ACCEPTED = {"migrate-check": 3}
"""Exit codes that a document announces: something has to change."""


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Each fenced block of a language, with its document."""
    for document in DOCUMENTS:
        for block in re.findall(rf"```{language}\n(.*?)```", (PROJECT / document).read_text(), re.DOTALL):
            yield document, block


def commands() -> list[tuple[str, str]]:
    """What stands behind a `$`, continued lines included, in the order of the documents."""
    found = [
        (document, command.strip())
        for document, block in blocks("console")
        for command in re.findall(r"^\$ ((?:.*\\\n)*.*)$", block, re.MULTILINE)
    ]
    return [each for each in found if not STARTS_A_SERVER.match(each[1])]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo that somebody has who reads the documents."""
    data = tmp_path_factory.mktemp("reader") / "data"
    server = RunningServer(data, "--demo", "--single")
    base_url = server.wait_until_ready()
    yield Demo(server, base_url, json.loads((data / "demo.json").read_text()))
    assert server.stop() == 0, server.log.read_text()


@pytest.fixture(scope="module")
def surroundings(reader: Demo, tmp_path_factory: pytest.TempPathFactory, shared: Path) -> tuple[Path, dict[str, str]]:
    """The folder with the files and the environment with the variables that the documents take for granted."""
    folder = tmp_path_factory.mktemp("at-hand")
    logs = sorted((shared / "telemetry" / "evtx_gpl").glob("*sysmon*.evtx"))
    (folder / "lab").symlink_to(reader.server.data)
    (folder / "Sysmon.evtx").write_bytes(logs[0].read_bytes())
    (folder / "host1-sysmon.evtx").write_bytes(logs[1].read_bytes())
    (folder / "security.json.gz").write_bytes(gzip.compress(process_start(1)))
    (folder / "host2-security.json.gz").write_bytes(gzip.compress(process_start(2)))
    with zipfile.ZipFile(folder / "collected.zip", "w") as archive:
        archive.write(logs[2], logs[2].name)
    old_call = "https://api.security.microsoft.com/api/incidents"
    (folder / "connector").mkdir()
    (folder / "connector" / "poll.py").write_text(f'requests.get("{old_call}")\n')
    (folder / "proxy.log").write_text(f"GET {old_call} 200\n")
    web, partner = reader.document["apps"][0], next(a for a in reader.document["apps"] if a["kind"] == "multitenant")
    home, customer = (next(t for t in reader.document["tenants"] if t["home"] is home) for home in (True, False))
    variables = {
        "VEDETTE_DATA": str(reader.server.data),
        "BASE": reader.base_url,
        "CA": reader.document["ca_file"],
        "TENANT": home["tenant_id"],
        "CUSTOMER_TENANT": customer["tenant_id"],
        "APP": web["client_id"],
        "PARTNER_APP": partner["client_id"],
        "TOKEN": reader.token("https://api.security.microsoft.com"),
    }
    secrets = {web["client_id"]: web["client_secret"], partner["client_id"]: partner["client_secret"]}
    return folder, {**variables, "SECRETS": json.dumps(secrets)}


def test_commands_run_as_printed(surroundings: tuple[Path, dict[str, str]]) -> None:
    folder, variables = surroundings
    secrets = json.loads(variables["SECRETS"])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    printed = commands()
    assert {document for document, _ in printed} == set(DOCUMENTS)
    wrong = []
    for document, command in printed:
        whose = variables["PARTNER_APP" if "$PARTNER_APP" in command else "APP"]
        done = subprocess.run(
            ["bash", "-c", command.replace("curl ", "curl --fail-with-body --silent --show-error ")],
            cwd=folder,
            env=environment(**{**variables, "SECRET": secrets[whose], "PATH": path}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        expected = next((code for word, code in ACCEPTED.items() if word in command), 0)
        if done.returncode != expected or not (done.stdout + done.stderr).strip():
            wrong.append(f"{document}: {command}\n-> {done.returncode} {done.stdout} {done.stderr}")
    assert not wrong, "\n".join(wrong)


def test_queries_run_as_printed(reader: Demo) -> None:
    queries = list(blocks("kusto"))
    assert queries
    for document, query in queries:
        answer = reader.ask("POST", "/api/advancedqueries/run", MDE, json={"Query": query})
        assert answer.status_code == 200, (document, query, answer.text)
