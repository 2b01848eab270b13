"""The parser against Microsoft's own, form by form. Runs where KUSTO_LANGUAGE names the folder of its npm package."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from vedette.kql.parser import parse_tolerant

ACCEPTED_AND_REFUSED = Path(__file__).with_name("forms.txt")


def official_errors(queries: list[str]) -> list[int]:
    node, folder = shutil.which("node"), os.environ.get("KUSTO_LANGUAGE")
    if node is None or folder is None:
        pytest.skip("needs node, and KUSTO_LANGUAGE set to the folder of @kusto/language-service-next")
    script = Path(__file__).with_name("official.js")
    lines = "\n".join(json.dumps(each) for each in queries)
    done = subprocess.run([node, script], input=lines, capture_output=True, text=True, check=True, timeout=120)
    return [int(each) for each in done.stdout.split()]


def test_forms_are_accepted_as_by_the_official_parser() -> None:
    lines = ACCEPTED_AND_REFUSED.read_text("utf-8").splitlines()
    queries = [line for line in lines if line and not line.startswith("//")]
    differing = []
    for query, official in zip(queries, official_errors(queries), strict=True):
        _, diagnostics = parse_tolerant(query)
        if any(each.severity == "error" for each in diagnostics) != bool(official):
            differing.append(query)
    assert not differing
