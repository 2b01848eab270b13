"""The command tree: cheap help, one-sentence errors with the pinned exit codes, readable output."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vedette.cli.main import exit_code, run
from vedette.cli.output import print_table
from vedette.client.errors import AuthenticationError, ConnectionFailedError, ResponseError
from vedette.errors import SettingsError, VedetteError

HEAVY = ("sqlalchemy", "duckdb", "sqlglot", "pyarrow", "numpy", "cryptography", "granian", "httpx2")


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, json\n"
        "from vedette.cli.main import run\n"
        "run(['--help'])\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Usage: vedette" in done.stdout
    assert not set(HEAVY) & set(json.loads(done.stderr))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch"], "nosuch"),
        (["up", "--prot", "1"], "--prot"),
        (["up", "--port", "abc"], "abc"),
        (["up", "--port", "0"], "port cannot be 0"),
        (["up", "--profile", "fast"], "fast"),
        (["up", "--tls-cert", "x.pem"], "both tls_cert and tls_key"),
        (["app", "delete", "x"], "--yes"),
        (["app", "permission", "add", "x"], "at least one permission"),
        (["app", "cert", "add", "x", "nosuch.pem"], "nosuch.pem"),
        (["reset"], "--yes"),
        (["ingest"], "at least one file"),
        (["snapshot", "save", "../x"], "cannot name a snapshot"),
    ],
)
def test_what_the_user_can_mend_is_one_sentence_and_exit_2(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "vedette.json").write_text('{"format": 1, "made_by": "0.1.0"}')
    monkeypatch.setenv("VEDETTE_DATA", str(tmp_path))
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("x"), 2),
        (AuthenticationError("x"), 4),
        (ResponseError(401, "", "x"), 4),
        (ResponseError(403, "", "x"), 4),
        (ResponseError(500, "", "x"), 1),
        (ConnectionFailedError("x"), 1),
        (VedetteError("x"), 1),
        (ZeroDivisionError(), None),
    ],
)
def test_exit_codes(error: Exception, code: int | None) -> None:
    assert exit_code(error) == code


def test_an_unknown_variable_is_refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEDETTE_PROT", "1")
    assert run(["up"]) == 2
    assert "VEDETTE_PROT" in capsys.readouterr().err


def test_a_wide_terminal_shows_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    print_table(("name", "count"), [("a [bold]b", 12)])
    out = capsys.readouterr().out
    assert "a [bold]b" in out
    assert "\x1b" not in out


def test_a_narrow_terminal_shows_blocks(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    print_table(("name", "count", "note"), [("first", 12, None), ("second", 3, "x")])
    assert capsys.readouterr().out == "name: first\ncount: 12\n\nname: second\ncount: 3\nnote: x\n"


def test_no_color_is_respected_even_when_colours_are_forced() -> None:
    script = "from vedette.cli.output import print_table; print_table(('a',), [('b',)])"
    environment = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "1"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert "\x1b[3" not in done.stdout
