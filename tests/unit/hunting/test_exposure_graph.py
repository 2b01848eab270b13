"""The exposure graph: what the tenant's own tables say of devices, accounts and vulnerabilities, as nodes and edges."""

import json
from collections.abc import Iterator

import pytest

from tests.endpoint_world import OTHER, SRV02, WS01, EndpointWorld, find_tenant, logon_event, make_world
from vedette.clock import to_ticks
from vedette.context import DataScope
from vedette.hunting.catalog import ContractCatalog
from vedette.hunting.derived import derived_query, derived_tables, is_derived
from vedette.kql.compile import compile_query
from vedette.kql.types import ScalarType
from vedette.machines.tables import MACHINES

ANN, BOB = "S-1-5-21-1-2-3-1105", "S-1-5-21-1-2-3-1106"
GRAPH = "ExposureGraphEdges | make-graph SourceNodeId --> TargetNodeId with ExposureGraphNodes on NodeId"


@pytest.fixture(scope="module")
def world() -> Iterator[EndpointWorld]:
    world = make_world()
    server = {"DeviceName": "srv-02.contoso.test", "DeviceId": SRV02}
    world.ingest(
        {
            "DeviceLogonEvents": [
                *(logon_event(world, hours) for hours in (1, 2, 3)),
                logon_event(
                    world, 1, SRV02, AccountName="bob", AccountSid=BOB, LogonType="Network", IsLocalAdmin=False
                ),
                logon_event(world, 1, SRV02, AccountName="SYSTEM", AccountSid="S-1-5-18"),
                logon_event(world, 1, SRV02, ActionType="LogonFailed"),
            ],
            "DeviceTvmSoftwareVulnerabilities": [
                {**server, "CveId": "CVE-2025-0001", "SoftwareName": name, "VulnerabilitySeverityLevel": "Critical"}
                for name in ("a", "b")
            ],
            "DeviceTvmSoftwareVulnerabilitiesKB": [
                {"CveId": "CVE-2025-0001", "CvssScore": "9.8", "IsExploitAvailable": True}
            ],
        }
    )
    world.ingest({"ExposureGraphNodes": [{"NodeId": "n1", "NodeLabel": "microsoft.keyvault/vaults", "NodeName": "kv"}]})
    world.ingest({"DeviceLogonEvents": [logon_event(world, 1, AccountName="eve")]}, OTHER)
    world.work()
    with world.store.begin() as connection:
        connection.execute(MACHINES.update().values(rbac_group_id=1).where(MACHINES.c.machine_id == WS01))
    yield world
    world.close()


def edges(world: EndpointWorld, scope: DataScope | None = None) -> set[tuple[object, ...]]:
    query = "ExposureGraphEdges | project SourceNodeName, EdgeLabel, TargetNodeName"
    queries = world.telemetry.within(scope) if scope is not None else world.telemetry
    return {tuple(row.values()) for row in queries.rows(find_tenant("11111111-1111-1111-1111-111111111111"), query)}


def test_edges(world: EndpointWorld) -> None:
    assert edges(world) == {
        ("ann", "can authenticate to", "ws-01.contoso.test"),
        ("ws-01.contoso.test", "Can Authenticate As", "ann"),
        ("ws-01.contoso.test", "frequently logged in by", "ann"),
        ("bob", "can authenticate to", "srv-02.contoso.test"),
        ("CVE-2025-0001", "affecting", "srv-02.contoso.test"),
    }


def test_nodes_have_the_documented_shapes(world: EndpointWorld) -> None:
    rows = {row["NodeName"]: row for row in world.rows("ExposureGraphNodes")}
    server = rows["srv-02.contoso.test"]
    assert (server["NodeLabel"], json.loads(str(server["Categories"]))) == ("device", ["device"])
    assert json.loads(str(server["EntityIds"])) == [{"type": "DeviceInventoryId", "id": SRV02}]
    raw = json.loads(str(server["NodeProperties"]))["rawData"]
    assert raw["deviceName"] == "srv-02.contoso.test"
    assert raw["highRiskVulnerabilityInsights"] == {"hasHighOrCritical": True, "maxCvssScore": 9.8}
    assert "isInternetFacing" not in raw
    assert json.loads(str(rows["ann"]["EntityIds"])) == [{"type": "SecurityIdentifier", "id": ANN}]
    assert json.loads(str(rows["CVE-2025-0001"]["NodeProperties"]))["rawData"]["hasExploit"] is True
    assert rows["kv"]["NodeId"] == "n1"
    assert len({row["NodeId"] for row in rows.values()}) == len(rows)


def test_patterns_are_found(world: EndpointWorld) -> None:
    query = f"""{GRAPH}
    | graph-match (account)-[right]->(device)
        where account.NodeLabel == "user" and right.EdgeProperties.rawData.userRightsOnDevice.isLocalAdmin == true
        project account.NodeName, Device = device.NodeName"""
    assert world.rows(query) == [{"account_NodeName": "ann", "Device": "ws-01.contoso.test"}]
    query = f"""{GRAPH}
    | graph-match (Device)-[canConnectAs]->(Identity)
        where set_has_element(Identity.Categories, "identity") and set_has_element(Device.Categories, "device")
            and canConnectAs.EdgeLabel == "Can Authenticate As"
        project IdentityIds = Identity.EntityIds, DeviceIds = Device.EntityIds
    | mv-apply DeviceIds on (where DeviceIds.type == "DeviceInventoryId")
    | mv-apply IdentityIds on (where IdentityIds.type == "SecurityIdentifier")
    | summarize Devices = count() by tostring(IdentityIds.id)"""
    assert world.rows(query) == [{"IdentityIds_id": ANN, "Devices": 1}]


def test_devices_out_of_sight_and_other_tenants_are_no_part_of_it(world: EndpointWorld) -> None:
    seen = edges(world, DataScope(device_groups=frozenset({1})))
    assert {label for _, label, _ in seen} == {"can authenticate to", "Can Authenticate As", "frequently logged in by"}
    assert not any("srv-02.contoso.test" in edge for edge in seen)
    names = {row["NodeName"] for row in world.rows("ExposureGraphNodes", OTHER)}
    assert names == {"eve", "ws-01.contoso.test"}
    assert edges(world, DataScope(sources=frozenset({"office"}))) == set()


def test_wildcards_and_names_of_tables_know_it(world: EndpointWorld) -> None:
    query = "union withsource=Table ExposureGraph* | summarize Count = count() by Table, Type | sort by Table asc"
    assert world.rows(query) == [
        {"Table": "ExposureGraphEdges", "Type": "ExposureGraphEdges", "Count": 5},
        {"Table": "ExposureGraphNodes", "Type": "ExposureGraphNodes", "Count": 7},
    ]


@pytest.mark.parametrize("name", derived_tables())
def test_derived_tables_have_the_columns_that_the_catalog_declares(name: str) -> None:
    catalog = ContractCatalog()
    schema = catalog.table(name) or catalog.table(f"${name}")
    assert schema is not None
    assert is_derived(schema.name)
    compiled = compile_query(derived_query(schema.name), catalog, now=to_ticks(0))
    declared: list[tuple[str, ScalarType]] = [(column.physical, column.type) for column in schema.columns]
    assert [(column.name, column.type) for column in compiled.columns] == declared
