"""The documented examples, scored by the shared runner: the share that agrees may only rise."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CORE = "scalar-function,aggregation,operator,datatype,concept"
FLOORS = tomllib.loads((Path(__file__).parent / "floors.toml").read_text("utf-8"))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "areas"), [("core", CORE), *((each, each) for each in ("plugin", "graph", "geo", "series"))]
)
def test_documented_examples(shared: Path, tmp_path: Path, name: str, areas: str) -> None:
    runner = shared / "conformance" / "run_kql.py"
    out = tmp_path / "result.json"
    command = [sys.executable, str(runner), "--adapter", "vedette.testing:run_kql", "--area", areas, "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, timeout=540)
    result = json.loads(out.read_text("utf-8"))
    missed = [each["id"] for each in result["results"] if each["status"] != "agree"]
    assert result["agree"] >= FLOORS["documented_examples"][name], missed
