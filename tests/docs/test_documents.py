"""Documents and program say the same: settings, commands, decisions, links and examples."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from vedette.settings import setting_descriptions

DOCUMENTS = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])


def test_operations_lists_every_setting() -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", (PROJECT / "docs/operations.md").read_text(), re.MULTILINE))
    assert listed == dict(setting_descriptions())


def test_every_command_is_documented() -> None:
    shown = subprocess.run(
        [Path(sys.executable).with_name("vedette"), "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "NO_COLOR": "1", "PATH": "/usr/bin"},
    ).stdout
    commands = re.findall(r"^│ ([a-z][a-z-]+) ", shown, re.MULTILINE)
    assert "up" in commands
    text = "\n".join(path.read_text() for path in DOCUMENTS)
    assert [name for name in commands if f"vedette {name}" not in text] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_decisions_are_numbered_without_gaps_and_complete() -> None:
    decisions = sorted((PROJECT / "docs/decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        text = path.read_text()
        for part in (
            "**Context.**",
            "**Decision.**",
            "**What it costs.**",
            "**How we would notice that it was wrong.**",
        ):
            assert part in text, (path.name, part)


def test_the_readme_names_the_two_commands_first() -> None:
    first_screen = "\n".join((PROJECT / "README.md").read_text().splitlines()[:30])
    assert "make up" in first_screen
    assert "make test" in first_screen
