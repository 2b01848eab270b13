"""Faults on order, and quotas that processes share."""

import base64
import json
import threading
from pathlib import Path

import pytest

from tests.api_fakes import APP, HOME, NOW, Application
from tests.asgi import AsgiClient
from vedette.api.fault_injection import Faults, InjectedFault
from vedette.api.throttle import Throttle
from vedette.clock import ManualClock
from vedette.contracts.quotas import load_quota_profile
from vedette.errors import QuotaExceededError
from vedette.store.counters import LocalCounters, SharedCounters

PATH = "/v1.0/security/incidents"


@pytest.mark.parametrize(
    ("kind", "status"), [("429", 429), ("500", 500), ("503", 503), ("504", 504), ("expired-token", 401)]
)
def test_a_fault_strikes_its_operation_as_often_as_asked(application: Application, kind: str, status: int) -> None:
    fault = InjectedFault(id="a", kind=kind, operation="graph.list_inc*", count=2, seconds=7)  # type: ignore[arg-type]
    application.faults.add(fault)
    client = application.client("graph")
    answers = [client.get(PATH) for _ in range(3)]
    assert [answer.status for answer in answers] == [status, status, 200]
    assert client.get("/v1.0/security/alerts_v2").status == 200
    if kind in ("429", "503"):
        assert answers[0].headers["retry-after"] == "7"


def test_a_cut_off_answer_is_shorter_than_it_says(application: Application) -> None:
    application.faults.add(InjectedFault(id="a", kind="cut-off"))
    answer = application.client("graph").get(PATH)
    assert len(answer.body) < int(answer.headers["content-length"])
    application.faults.clear()
    assert application.client("graph").get(PATH).json()["value"] == []


def test_quotas_are_shared_and_shown(tmp_path: Path) -> None:
    clock, profile = ManualClock(NOW), load_quota_profile("microsoft")
    first, second = (Throttle(profile, clock, SharedCounters(tmp_path / "counters.db")) for _ in range(2))
    for number in range(45):
        (first if number % 2 else second).admit(HOME, "hunting")
    for throttle in (first, second):
        with pytest.raises(QuotaExceededError):
            throttle.admit(HOME, "hunting")
    usage = {(each.quota, each.window_seconds): each for each in first.usage(HOME)}
    assert usage["hunting", 60].used >= 45
    assert usage["hunting", 60].headers()["ratelimit-remaining"] == "0"


def test_cpu_time_of_hunting_has_a_budget(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    throttle = Throttle(load_quota_profile("microsoft"), clock, SharedCounters(tmp_path / "counters.db"))
    throttle.count_hunting(HOME, "hunting", cpu=899.0, elapsed=0.0)
    throttle.admit_hunting(HOME, "hunting")
    throttle.count_hunting(HOME, "hunting", cpu=2.0, elapsed=0.0)
    with pytest.raises(QuotaExceededError):
        throttle.admit_hunting(HOME, "hunting")
    clock.advance(900)
    throttle.admit_hunting(HOME, "hunting")


def challenged(application: Application, token: str) -> AsgiClient:
    application.faults.add(InjectedFault(id="a", kind="claims-challenge", operation="graph.*", not_before=100))
    return application.client(token)


def test_a_claims_challenge_says_what_to_ask_for(application: Application) -> None:
    answer = challenged(application, "graph-able").get(PATH)
    assert answer.status == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"
    header = answer.headers["www-authenticate"]
    assert header.startswith('Bearer realm="", authorization_uri="https://')
    assert 'error="insufficient_claims"' in header
    claims = base64.b64decode(header.partition('claims="')[2].partition('"')[0])
    assert json.loads(claims) == {"access_token": {"nbf": {"essential": True, "value": "100"}}}


@pytest.mark.parametrize("token", ["graph-renewed", "graph"])
def test_newer_tokens_and_clients_that_cannot_answer_are_let_pass(application: Application, token: str) -> None:
    assert challenged(application, token).get(PATH).status == 200


def test_a_challenge_is_counted_as_every_fault(application: Application) -> None:
    fault = InjectedFault(id="a", kind="claims-challenge", count=1, not_before=100)
    application.faults.add(fault)
    client = application.client("graph-able")
    assert [client.get(PATH).status for _ in range(2)] == [401, 200]


def test_faults_ordered_at_once_are_all_kept(tmp_path: Path) -> None:
    each = [Faults(tmp_path / "faults.json", LocalCounters()) for _ in range(4)]

    def order(number: int) -> None:
        for step in range(10):
            each[number].add(InjectedFault(id=f"{number}-{step}", kind="500"))

    threads = [threading.Thread(target=order, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(faults.all()) == 40 for faults in each)
    assert all(faults.remove(f"{number}-0") for number, faults in enumerate(each))
    assert len(each[0].all()) == 36


@pytest.mark.parametrize(
    ("kind", "status"), [("429", 429), ("500", 500), ("503", 503), ("504", 504), ("expired-token", 401)]
)
def test_a_refusal_that_was_ordered_names_who_called(application: Application, kind: str, status: int) -> None:
    """It is their call that failed: it has to be in their audit."""
    application.faults.add(InjectedFault(id="a", kind=kind))  # type: ignore[arg-type]
    for token, path in (("graph", PATH), ("xdr", "/api/incidents"), ("endpoint", "/api/machines")):
        answer = application.client(token).get(path)
        assert answer.status == status
        assert answer.json()["error"]["code"]
        record = application.records[-1]
        assert (record.tenant_id, record.app_id, record.status) == (HOME, APP, status)
        assert record.error_code
    assert application.client().get(PATH).status == status
    assert application.records[-1].tenant_id == ""


def test_slow_answers_come_whole(application: Application) -> None:
    application.faults.add(InjectedFault(id="a", kind="slow", seconds=0.01))
    assert application.client("graph").get(PATH).json()["value"] == []
    assert application.records[-1].seconds >= 0.01
