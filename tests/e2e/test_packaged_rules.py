"""Every packaged rule's own tests: its raw events through the real intake, its query by the real engine."""

import datetime
import json
from collections.abc import Iterator

import pytest

from vedette.context import Tenant
from vedette.detections.rules import Rule, RuleTest, packaged_rules
from vedette.ids import derived_guid
from vedette.ingest.sources.source import Source
from vedette.server.data_folder import open_data_folder
from vedette.server.schema import ensure_schema
from vedette.server.wiring import Services
from vedette.settings import load_settings

CASES = [(rule, test) for rule in packaged_rules().values() for test in rule.tests]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    settings = load_settings({"data": tmp_path_factory.mktemp("rules")}, {})
    folder = open_data_folder(settings.data)
    ensure_schema(folder)
    services = Services(settings, folder)
    yield services
    services.close()


def lines(test: RuleTest) -> bytes:
    """The events as a flat export writes them, a second apart, just now."""
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=2)
    events = []
    for number, event in enumerate(test.events):
        moment = start + datetime.timedelta(seconds=number)
        source = "Sysmon" if "Sysmon" in event["Channel"] else "Security-Auditing"
        defaults = {"TimeCreated": f"{moment:%Y-%m-%dT%H:%M:%S.000Z}", "SourceName": f"Microsoft-Windows-{source}"}
        events.append(json.dumps({**defaults, **event}))
    return "\n".join(events).encode()


@pytest.mark.parametrize(("rule", "test"), CASES, ids=[f"{rule.id}: {test.name}" for rule, test in CASES])
def test_the_rule_makes_as_many_alerts_as_it_says(services: Services, rule: Rule, test: RuleTest) -> None:
    tenant = Tenant(derived_guid("test", rule.id, test.name), "t.example", "T")
    receipt = services.pipeline.accept(tenant.tenant_id, None, [Source("events.json", lines(test))])
    assert (receipt.quarantined, receipt.unmapped) == (0, 0)
    outcome = services.evaluator.evaluate(tenant, rule)
    assert outcome.error == ""
    assert len(outcome.alerts) == test.expect
