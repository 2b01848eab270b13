"""The Python example of docs/recipes.md runs as printed against the demo."""

import os
import re
import subprocess
import sys

from tests.conftest import PROJECT

from .conftest import DemoServer


def test_the_python_recipe(demo_server: DemoServer) -> None:
    example, *_ = re.findall(r"```python\n(.*?)```", (PROJECT / "docs/recipes.md").read_text(), re.DOTALL)
    answer = subprocess.run(
        [sys.executable, "-W", "ignore::ResourceWarning", "-c", example],
        env={**os.environ, "VEDETTE_DATA": str(demo_server.data)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert len([line for line in lines if "." in line.split()[0]]) >= 5  # devices
    assert len([line for line in lines if line.split()[0].isdigit()]) >= 2  # incidents
