"""Who carries machine actions out: the signed webhook's requests and answers, and what a simulation may be told."""

import hashlib
import hmac
import json
from collections.abc import Mapping

import pytest

from tests.endpoint_world import HOME, NOW, WS01
from vedette.clock import ManualClock
from vedette.egress.errors import EgressFailedError
from vedette.egress.transport import EgressResponse
from vedette.errors import SettingsError
from vedette.machines.actions import Command, CommandState, MachineAction, Parameter
from vedette.machines.execution import Finished, Order, Working
from vedette.machines.inventory import Machine
from vedette.machines.simulator import parse_outcomes
from vedette.machines.webhook import RETRY_SECONDS, WebhookExecutor
from vedette.store.secrets import Secret

KEY = "correct horse"


class FakePoster:
    """Answers as told and remembers what it was sent."""

    def __init__(self, status: int = 200, body: bytes = b"", *, is_away: bool = False) -> None:
        self._answer = EgressResponse("https://x.test", status, {}, body)
        self._is_away = is_away
        self.sent: list[tuple[str, bytes, Mapping[str, str]]] = []

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> EgressResponse:
        self.sent.append((url, body, headers))
        if self._is_away:
            raise EgressFailedError(url, "timeout")
        return self._answer


def order() -> Order:
    command = CommandState(0, Command("RunScript", (Parameter("ScriptName", "x.ps1"),)))
    action = MachineAction(
        "a-1", WS01, "ws-01", "Isolate", "Pending", "Full", None, "Ann", "PublicApi", "Contain", None,
        0, 0, 0, None, None, None, None, None, (command,),
    )  # fmt: skip
    machine = Machine(
        WS01, "ws-01", 0, 0, None, None, None, None, None, None, None, "Onboarded", 0, None, "None", "Normal",
        None, None, "Active", "None",
    )  # fmt: skip
    return Order(HOME, action, machine)


def ask(poster: FakePoster) -> object:
    return WebhookExecutor(poster, "https://x.test/hook", Secret(KEY), ManualClock(NOW)).start(order())


def test_requests_are_signed() -> None:
    poster = FakePoster()
    assert ask(poster) == Working(15.0)
    ((url, body, headers),) = poster.sent
    signed = headers["Vedette-Timestamp"].encode() + b"." + body
    assert headers["Vedette-Signature"] == hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()
    document = json.loads(body)
    assert (url, document["event"], document["machineId"]) == ("https://x.test/hook", "start", WS01)
    assert document["commands"] == [{"type": "RunScript", "params": [{"key": "ScriptName", "value": "x.ps1"}]}]


@pytest.mark.parametrize(
    ("poster", "expected"),
    [
        (FakePoster(body=b'{"checkAfter": 3}'), Working(3.0)),
        (FakePoster(body=b'{"status": "Failed", "errorHResult": -5}'), Finished("Failed", -5)),
        (FakePoster(500), Working(RETRY_SECONDS, is_accepted=False)),
        (FakePoster(body=b"<html>"), Working(RETRY_SECONDS, is_accepted=False)),
        (FakePoster(is_away=True), Working(RETRY_SECONDS, is_accepted=False)),
    ],
)
def test_what_answers_mean(poster: FakePoster, expected: object) -> None:
    assert ask(poster) == expected


def test_outputs_come_with_the_answer() -> None:
    body = b'{"status": "Succeeded", "outputs": [{"index": 0, "content": "aGk=", "fileName": "r.txt"}]}'
    progress = ask(FakePoster(body=body))
    assert isinstance(progress, Finished)
    assert [(each.position, each.file_name, each.content) for each in progress.outputs] == [(0, "r.txt", b"hi")]


def test_outcomes() -> None:
    assert parse_outcomes(("Isolate=Failed", "Offboard=TimeOut")) == {"Isolate": "Failed", "Offboard": "TimeOut"}
    with pytest.raises(SettingsError):
        parse_outcomes(("Isolate=Maybe",))
