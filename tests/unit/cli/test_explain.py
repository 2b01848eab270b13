"""`vedette explain`: codes, bodies and tokens."""

import io
import json

import pytest

from vedette.cli.main import run

TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJ0aWQiOiJ0IiwiYXBwaWQiOiJhIn0.c2ln"


@pytest.mark.parametrize("code", ["AADSTS7000215", "7000215", "aadsts7000215"])
def test_an_aadsts_number(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", code]) == 0
    assert "AADSTS7000215" in capsys.readouterr().out


def test_a_code_of_an_api(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "TooManyRequests"]) == 0
    assert "429" in capsys.readouterr().out


def test_an_unknown_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "NoSuchThing"]) == 1
    assert "no code" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"Bearer {TOKEN}\n", '"tid": "t"'),
        ('{"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"}', "AADSTS7000215"),
        ('{"error": {"code": "TooManyRequests", "message": "…"}}', "429"),
    ],
)
def test_standard_input(
    text: str, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert run(["explain", "-"]) == 0
    assert words in capsys.readouterr().out


def test_a_token_is_marked_as_not_verified(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(TOKEN))
    run(["explain", "-"])
    assert json.loads(capsys.readouterr().out)["note"] == "decoded, not verified"


def test_junk_on_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("hello"))
    assert run(["explain", "-"]) == 1
