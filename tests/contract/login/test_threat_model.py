"""docs/security.md against the tests: every line of the threat model names one that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
LINE = re.compile(r"^\| (?P<threat>[^|]+) \| (?P<defence>[^|]+) \| `(?P<file>[^:`]+)::(?P<test>\w+)` \|$", re.MULTILINE)


def test_every_line_names_a_test_that_exists() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    table = text.partition("## Threat model")[2].partition("## Accepted")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| Threat")]
    matches = list(LINE.finditer(table))
    assert len(matches) == len(lines) > 35
    for match in matches:
        source = (ROOT / match["file"]).read_text(encoding="utf-8")
        assert re.search(rf"^\s*def {match['test']}\(", source, re.MULTILINE), match[0]
