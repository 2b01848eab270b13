"""Call quotas."""

from collections.abc import Callable

import pytest

from tests.api_fakes import HOME, NOW, OTHER, Application
from vedette.api.throttle import Throttle
from vedette.clock import ManualClock
from vedette.contracts.operations import load_operations
from vedette.contracts.quotas import load_quota_profile
from vedette.errors import QuotaExceededError, SettingsError


def test_by_default_there_is_no_limit() -> None:
    throttle = Throttle(load_quota_profile("default"), ManualClock(NOW))
    for _ in range(5_000):
        throttle.admit(HOME, "hunting")


def test_forty_five_a_minute() -> None:
    clock = ManualClock(NOW + 10)
    throttle = Throttle(load_quota_profile("microsoft"), clock)
    for _ in range(45):
        throttle.admit(HOME, "hunting")
    with pytest.raises(QuotaExceededError) as caught:
        throttle.admit(HOME, "hunting")
    assert caught.value.fields == {"limit": 45, "window": "00:01:00", "retry_after": 50}
    throttle.admit(OTHER, "hunting")
    throttle.admit(HOME, "xdr_incidents")
    clock.advance(50)
    throttle.admit(HOME, "hunting")


def test_fifteen_hundred_an_hour() -> None:
    clock = ManualClock(NOW)
    throttle = Throttle(load_quota_profile("microsoft"), clock)
    for _ in range(40):
        for _ in range(37):
            throttle.admit(HOME, "hunting")
        clock.advance(60)
    for _ in range(20):
        throttle.admit(HOME, "hunting")
    with pytest.raises(QuotaExceededError) as caught:
        throttle.admit(HOME, "hunting")
    assert caught.value.fields["window"] == "01:00:00"


def test_the_answer_is_429_with_retry_after(assembled: Callable[..., Application]) -> None:
    application = assembled(profile="microsoft")
    client = application.client("xdr")
    statuses = [client.get("/api/incidents").status for _ in range(51)]
    assert statuses == [200] * 50 + [429]
    refused = client.get("/api/incidents")
    assert refused.headers["retry-after"] == "60"
    assert refused.json()["error"]["code"] == "429"
    assert refused.json()["error"]["message"] == "API calls quota exceeded! maximum allowed 50 per 00:01:00"


@pytest.mark.parametrize("profile", ["default", "microsoft"])
def test_every_operation_names_a_class_of_every_profile(profile: str) -> None:
    classes = load_quota_profile(profile).calls
    used = {operation.quota for document in load_operations().values() for operation in document.operations}
    assert used <= set(classes)


def test_an_unknown_profile() -> None:
    with pytest.raises(SettingsError):
        load_quota_profile("generous")
