"""Nothing secret leaves through the log: neither by a field's name nor by a value's shape."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from vedette.observability.logs import bound, configure_logs, get_logger
from vedette.observability.redaction import redact_text


@pytest.fixture(autouse=True)
def _restore_root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"got {JWT} from client", JWT),
        ("Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop"),
        ("grant_type=client_credentials&client_secret=Zq8~abc.def&scope=x", "Zq8~abc.def"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "MIIE"),
        ("callback?code=0.AAAB-xyz&state=1", "0.AAAB-xyz"),
    ],
)
def test_secrets_are_cut_out_of_texts(text: str, secret: str) -> None:
    assert secret not in redact_text(text)


def test_ordinary_text_is_left_alone() -> None:
    text = 'DeviceProcessEvents | where FileName == "a.exe" and ExitCode=5'
    assert redact_text(text) == text


def logged(**fields: object) -> dict[str, object]:
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    get_logger("vedette.test").info("something happened", **fields)
    line: dict[str, object] = json.loads(stream.getvalue())
    return line


def test_fields_with_secret_names_are_replaced_whatever_they_hold() -> None:
    line = logged(client_secret="abc", nested={"password": "abc", "status": 200}, many=[JWT])
    assert "abc" not in json.dumps(line)
    assert JWT not in json.dumps(line)
    assert line["nested"] == {"password": "[redacted]", "status": 200}


def test_what_is_bound_to_the_request_is_on_every_line() -> None:
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    with bound(tenant="t-1", application="a-1", request_id="r-1"):
        get_logger("vedette.test").warning("inside")
        logging.getLogger("some.library").warning("foreign")
    get_logger("vedette.test").warning("outside")
    inside, foreign, outside = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (inside["tenant"], inside["application"], inside["request_id"]) == ("t-1", "a-1", "r-1")
    assert (foreign["tenant"], foreign["event"]) == ("t-1", "foreign")
    assert "tenant" not in outside


def test_an_exception_is_redacted_too() -> None:
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    try:
        raise ValueError(f"bad token {JWT}")
    except ValueError:
        get_logger("vedette.test").exception("failed")
    line = json.loads(stream.getvalue())
    assert "ValueError" in line["exception"]
    assert JWT not in line["exception"]
