"""The page's example of the engine alone runs as it stands, and takes nothing of the server along."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "kql.md"
SERVER_ONLY = ("sqlalchemy", "granian", "joserfc", "anyio", "httpx2", "jinja2")


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    check = f"import sys\nassert not [name for name in {SERVER_ONLY} if name in sys.modules]"
    ran = subprocess.run(
        [sys.executable, "-c", example + check], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout.startswith("['Who', 'At', 'Failures'] [('ann', ")
    assert ran.stdout.rstrip().endswith(", 3)]")
