"""Rule files bind to what their tenant's queries can name."""

from pathlib import Path

import pytest

from vedette.detections.errors import RuleError
from vedette.hunting.catalog import ContractCatalog
from vedette.hunting.stored_functions import TenantCatalog
from vedette.server.rules import check_rule

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
