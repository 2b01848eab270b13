"""Calls to Defender for Endpoint by operation, as each page limits them (MicrosoftDocs/defender-docs
defender-endpoint/api/*.md, Limitations)."""

import pytest

from vedette.api.throttle import Throttle
from vedette.clock import ManualClock
from vedette.contracts.operations import load_operations
from vedette.contracts.quotas import load_quota_profile
from vedette.errors import QuotaExceededError

LIMITS = {
    "batch_update_alerts": (10, 500),
    "create_alert_by_reference": (15, None),
    "get_discovered_vulnerabilities": (50, 1500),
    "get_package_sas_uri": (2, 120),
    "run_live_response": (10, None),
    "initiate_autoir_investigation": (None, 50),
    "import_ti_indicators": (30, None),
    "batch_delete_ti_indicators": (30, 1500),
    "run_advanced_query": (45, 1500),
    "run_advanced_hunting": (45, 1500),
    "list_incidents": (50, 1500),
    "update_incident": (50, 1500),
    "get_incident": (100, 1500),
    "download": (None, None),
}
PAGES, FILES, OTHERS = (30, 1000), (5, 20), (100, 1500)


def expected(handler: str, path: str) -> tuple[int | None, int | None]:
    if handler in LIMITS:
        return LIMITS[handler]
    if path.lower().endswith("export"):
        return FILES
    return PAGES if path.lower().endswith(("bymachine", "avdeviceshealth", "deviceavinfo")) else OTHERS


def test_every_operation_has_its_documented_limits() -> None:
    calls = load_quota_profile("microsoft").calls
    operations = load_operations()["defender"].operations
    found = {each.handler: (calls[each.quota].per_minute, calls[each.quota].per_hour) for each in operations}
    assert found == {each.handler: expected(each.handler, each.path) for each in operations}


@pytest.mark.parametrize(
    ("handler", "other", "allowed"),
    [("list_machines", "list_alerts", 100), ("get_package_sas_uri", "list_alerts", 2),
     ("export_certificate_assessment", "export_info_gathering", 5)],
)  # fmt: skip
def test_an_operation_is_counted_by_itself_and_tenant(handler: str, other: str, allowed: int) -> None:
    classes = {each.handler: each.quota for each in load_operations()["defender"].operations}
    clock = ManualClock(1_763_899_200.0)
    throttle = Throttle(load_quota_profile("microsoft"), clock)
    for _ in range(allowed):
        throttle.admit("home", classes[handler], handler)
    with pytest.raises(QuotaExceededError) as caught:
        throttle.admit("home", classes[handler], handler)
    assert 0 < int(str(caught.value.fields["retry_after"])) <= 60
    throttle.admit("home", classes[other], other)
    throttle.admit("other", classes[handler], handler)
    clock.advance(60)
    throttle.admit("home", classes[handler], handler)
