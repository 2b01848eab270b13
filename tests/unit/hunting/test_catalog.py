"""The hunting schema as a catalog: old names, the workspace's time column, Defender's functions."""

import pytest

from vedette.hunting.catalog import ContractCatalog
from vedette.testing import analyze_kql


def names(query: str) -> list[str]:
    analysis = analyze_kql(query)
    assert not analysis.errors, analysis.errors
    return [name for name, _ in analysis.columns]


def test_tables_and_old_names() -> None:
    catalog = ContractCatalog()
    assert catalog.table("AppFileEvents") is catalog.table("CloudAppEvents")
    assert catalog.table("deviceprocessevents") is None
    beta = catalog.table("AADSignInEventsBeta")
    assert beta is not None
    assert beta.name == "AADSignInEventsBeta"


def test_names_that_differ_by_case_are_stored_apart() -> None:
    schema = ContractCatalog().table("DeviceProcessEvents")
    assert schema is not None
    stored = [each.physical.lower() for each in schema.columns]
    assert len(set(stored)) == len(stored)


def test_old_column_names_resolve() -> None:
    assert names("EmailEvents | where FinalEmailAction == 'x' | project EmailAction") == ["EmailAction"]


def test_workspace_time() -> None:
    assert names("DeviceInfo | where TimeGenerated > ago(1d) | project TimeGenerated, DeviceId") == [
        "TimeGenerated",
        "DeviceId",
    ]
    assert "TimeGenerated" not in names("DeviceInfo // not TimeGenerated")


def test_hidden_tables_are_found_by_name_only() -> None:
    catalog = ContractCatalog()
    assert catalog.table("$FileProfile") is not None
    assert "$FileProfile" not in catalog.table_names()


@pytest.mark.parametrize("argument", ["", "SHA256", '"InitiatingProcessSHA1"', "SHA1, 500"])
def test_file_profile(argument: str) -> None:
    found = names(f"DeviceFileEvents | project SHA1, SHA256, InitiatingProcessSHA1 | invoke FileProfile({argument})")
    assert found[:5] == ["SHA1", "SHA256", "InitiatingProcessSHA1", "SHA11", "SHA2561"]
    assert found[5:8] == ["MD5", "FileSize", "GlobalPrevalence"]
    assert found[-1] == "ProfileAvailability"


def test_device_functions() -> None:
    assert names("DeviceNetworkEvents | project IP = RemoteIP | invoke DeviceFromIP()") == ["IP", "DeviceId"]
    assert names("DeviceInfo | invoke SeenBy()") == ["DeviceId"]
    assert names("AssignedIPAddresses('x')") == [
        "Timestamp",
        "IPAddress",
        "IPType",
        "NetworkAdapterType",
        "ConnectedNetworks",
    ]


def test_version_tells_schemas_apart() -> None:
    assert ContractCatalog().version == ContractCatalog().version
    assert ContractCatalog().version != ContractCatalog(workspace=True).version


def test_watchlists_are_known_to_workspaces_with_whatever_columns_they_have() -> None:
    assert ContractCatalog().function("_GetWatchlist") is None
    found = analyze_kql("_GetWatchlist('assets') | project SearchKey, Owner, LastUpdatedTimeUTC")
    assert not found.errors
    assert found.columns == [("SearchKey", "string"), ("Owner", "dynamic"), ("LastUpdatedTimeUTC", "datetime")]
