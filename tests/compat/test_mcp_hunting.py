"""mcp-msdefenderkql, unmodified: what an assistant asks through it."""

import json
from pathlib import Path

import pytest

from .installed import python_client
from .sandbox import FixedHosts

DRIVER = Path(__file__).parent / "drivers" / "mcp_hunting.py"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return python_client(tmp_path_factory.mktemp("mcp") / "venv", "mcp-msdefenderkql==1.0.2", "mcp<2")


def test_schema_rows_and_errors(fixed_hosts: FixedHosts, python: Path) -> None:
    answers = json.loads(fixed_hosts.run([python, DRIVER, python.with_name("mcp-msdefenderkql")]))
    assert answers["tools"] == ["run_hunting_query", "get_hunting_schema"]
    assert {"DeviceProcessEvents", "DeviceNetworkEvents"} <= set(answers["tables"].split())
    assert "  ProcessCommandLine: string" in answers["schema"].splitlines()
    assert answers["rows"].startswith("Timestamp | DeviceName")
    assert "Rows returned: 2" in answers["rows"]
    assert "FileNam" in answers["refused"]
