"""@microsoft/microsoft-graph-client from npm, unmodified: PageIterator, batches, changes, retries and errors."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import DemoServer
from .installed import node_packages

DRIVER = Path(__file__).parent / "drivers" / "graph_client.js"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return node_packages(tmp_path_factory.mktemp("graph-client"), "@microsoft/microsoft-graph-client@3.0.7")


def ask(server: DemoServer, packages: Path, what: str) -> dict[str, Any]:
    app = server.app("confidential")
    arguments = [server.base_url, server.home["tenant_id"], app["client_id"], app["client_secret"], what]
    done = subprocess.run(
        ["node", str(DRIVER), *map(str, arguments)],
        cwd=packages,
        env={"NODE_EXTRA_CA_CERTS": server.ca_file, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_page_iterator_visits_every_alert_once(demo_server: DemoServer, packages: Path) -> None:
    answer = ask(demo_server, packages, "pages")
    assert len(answer["seen"]) == len(set(answer["seen"])) == answer["count"] > 2


def test_a_batch_has_an_answer_for_each_request(demo_server: DemoServer, packages: Path) -> None:
    answer = ask(demo_server, packages, "batch")
    assert answer.get("incident", "").isdigit(), answer
    assert answer["missing"] == 404


def test_changes_comments_and_hunting(demo_server: DemoServer, packages: Path) -> None:
    answer = ask(demo_server, packages, "change")
    assert answer["tags"] == ["from node"]
    assert "seen" in answer["comments"]
    assert answer["rows"][0]["Count"] > 0


def test_a_throttled_call_is_tried_again_when_told(demo_server: DemoServer, packages: Path) -> None:
    vedette = Path(sys.executable).with_name("vedette")
    fault = ["429", "--operation", "graph.list_incidents", "--count", "1", "--seconds", "1"]
    command = [vedette, "fault", "add", *fault, "--data", demo_server.data]
    subprocess.run(command, check=True, capture_output=True)
    answer = ask(demo_server, packages, "retry")
    assert answer["found"] == 1
    assert answer["waited"] >= 1


def test_an_error_has_its_code_and_request(demo_server: DemoServer, packages: Path) -> None:
    answer = ask(demo_server, packages, "error")
    assert answer["status"] == 404
    assert answer["code"] == "NotFound"
    assert answer["message"]
    assert answer["request"]
