"""Rule files bind to what the queries of each tenant can name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vedette.cli.output import DONE, PARTIAL, USAGE
from vedette.cli.rules import apply, check, list_
from vedette.detections.custom_rules import CustomRule, CustomRules
from vedette.detections.definitions import RuleDefinition
from vedette.detections.errors import RuleError
from vedette.detections.evaluate import RuleRuns
from vedette.hunting.catalog import ContractCatalog
from vedette.hunting.stored_functions import StoredFunction, StoredFunctions, TenantCatalog
from vedette.identity.provisioning import Provisioning
from vedette.server.data_folder import open_data_folder
from vedette.server.notifications import tenant_rules
from vedette.server.rule_checks import check_rule
from vedette.server.rules import apply_rules, check_rules, rule_table
from vedette.server.wiring import Services
from vedette.settings import Settings
from vedette.store.metadata import METADATA

HOME = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
RULE = """
id: stored-function
title: A rule that calls a function
description: Its query is a stored function's.
severity: low
category: Impact
techniques: [T1490]
query: Suspicious(1)
schedule: {frequency: PT15M, lookback: PT1H}
entities:
  - {type: device, impacted: true, columns: {device_id: DeviceId, device_name: DeviceName}}
"""
DEFINITION: dict[str, Any] = {
    "queryCondition": {"queryText": "DeviceProcessEvents"},
    "schedule": {"period": "1H"},
    "detectionAction": {
        "alertTemplate": {
            "title": "Tenant's own",
            "severity": "low",
            "category": "Impact",
            "impactedAssets": [
                {"@odata.type": "#microsoft.graph.security.impactedDeviceAsset", "identifier": "deviceId"}
            ],
        }
    },
}


def test_a_rule_may_call_functions_of_its_tenant(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(RULE)
    with pytest.raises(RuleError, match="Suspicious"):
        check_rule(path, ContractCatalog())
    stored = {"Suspicious": "(n: int) { DeviceProcessEvents | where ProcessId > n }"}
    assert check_rule(path, TenantCatalog(ContractCatalog(), stored)).id == "stored-function"
    stored = {"Suspicious": "(n: int) { DeviceProcessEvents | project DeviceId }"}
    with pytest.raises(RuleError, match="does not return DeviceName"):
        check_rule(path, TenantCatalog(ContractCatalog(), stored))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An installation of two tenants."""
    root = tmp_path / "data"
    for services in _opened(root):
        METADATA.create_all(services.store.engine)
        with services.store.begin() as connection:
            admin = Provisioning(connection, services.identity)
            admin.create_tenant("Contoso", "contoso.test", tenant_id=HOME, is_home=True)
            admin.create_tenant("Fabrikam", "fabrikam.test", tenant_id=OTHER)
    return root


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / "rule.yaml"
    path.write_text(RULE)
    return path


def _opened(root: Path) -> Iterator[Services]:
    services = Services(Settings(data=root), open_data_folder(root))
    yield services
    services.close()


def _store_function(root: Path, tenant_id: str) -> None:
    for services in _opened(root):
        function = StoredFunction("Suspicious", "n: int", "DeviceProcessEvents | where ProcessId > n", "", 0, "ann")
        with services.store.begin() as connection:
            StoredFunctions(connection, tenant_id).create(function, ContractCatalog())


def _own_rule(root: Path, tenant_id: str, name: str, definition: dict[str, Any]) -> None:
    for services in _opened(root):
        own = CustomRule(
            rule_id="1",
            key="custom/1",
            display_name=name,
            is_enabled=True,
            created=0,
            created_by="ann",
            last_modified=0,
            last_modified_by="ann",
            definition=msgspec.convert(definition, RuleDefinition),
            query_columns=None,
        )
        with services.store.begin() as connection:
            CustomRules(connection, tenant_id).save(own)


def _row(root: Path, tenant: str | None = None) -> dict[str, object]:
    columns, rows = rule_table(root, tenant)
    (row,) = (each for each in rows if each[0] == "stored-function")
    return dict(zip(columns, row, strict=True))


def test_a_rule_that_binds_nowhere_is_refused(data: Path, rule: Path) -> None:
    with pytest.raises(RuleError, match=r"query: The name 'Suspicious' .+ \(line 1, column 1\)$"):
        apply_rules(data, [rule])
    assert apply(rule, data=data) == USAGE
    assert not (data / "rules").exists()


def test_where_a_rule_cannot_run_is_told_and_stays_told(
    data: Path, rule: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _store_function(data, OTHER)
    assert apply(rule, data=data) == PARTIAL
    assert "stored-function: does not run in contoso.test" in capsys.readouterr().err
    (faults,) = check_rules(data, [rule]).values()
    assert [fault.partition(":")[0] for fault in faults] == ["contoso.test"]
    home, other = _row(data), _row(data, "fabrikam.test")
    assert home["fails in"] == other["fails in"] == "contoso.test"
    assert "Suspicious" in str(home["outcome"])
    assert other["outcome"] is None
    _store_function(data, HOME)
    assert (apply(rule, data=data), check(rule, data=data), list_(data=data)) == (DONE, DONE, DONE)


def test_a_rule_that_is_off_stays_off_where_it_fails(data: Path, rule: Path) -> None:
    _store_function(data, OTHER)
    rule.write_text(f"{RULE}enabled: false\n")
    (applied,) = apply_rules(data, [rule])
    for services in _opened(data):
        with services.store.connect() as connection:
            assert not RuleRuns(connection, HOME).is_enabled(applied.rule)
            assert not RuleRuns(connection, OTHER).is_enabled(applied.rule)


@pytest.mark.parametrize(
    ("name", "query"), [("a rule THAT calls a function", "DeviceEvents"), ("Another", " Suspicious(1)\n")]
)
def test_a_rule_that_a_tenant_has_too_is_marked(
    data: Path, rule: Path, name: str, query: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for tenant_id in (HOME, OTHER):
        _store_function(data, tenant_id)
    _own_rule(data, OTHER, name, {**DEFINITION, "queryCondition": {"queryText": query}})
    assert apply(rule, data=data) == DONE
    assert f"fabrikam.test has it as its own rule {name!r} too" in capsys.readouterr().err


def test_a_file_that_is_no_rule_any_more_is_listed(data: Path, rule: Path) -> None:
    for tenant_id in (HOME, OTHER):
        _store_function(data, tenant_id)
    apply_rules(data, [rule])
    (data / "rules" / "stored-function.yaml").write_text("id: [")
    _, rows = rule_table(data)
    assert ("stored-function.yaml", True) in [(row[0], str(row[-1]).startswith("left out: ")) for row in rows]


def test_a_tenants_rule_that_cannot_run_any_more_holds_up_no_other(data: Path) -> None:
    template = {**DEFINITION["detectionAction"]["alertTemplate"], "severity": "grave"}
    _own_rule(data, HOME, "Broken", {**DEFINITION, "detectionAction": {"alertTemplate": template}})
    for services in _opened(data):
        assert tenant_rules(services, HOME) == {}
        with services.store.connect() as connection:
            run = RuleRuns(connection, HOME).all()["custom/1"]
        assert run.last_status == "failed"
