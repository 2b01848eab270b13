"""The whole pipeline: KQL over rows that were ingested, through the service, as JSON."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from vedette.clock import ManualClock, format_ticks, to_ticks
from vedette.context import Principal, RequestContext, Tenant
from vedette.contracts.quotas import HuntingQuota
from vedette.egress.policy import EgressPolicy
from vedette.egress.transport import Egress
from vedette.hunting.catalog import ContractCatalog
from vedette.hunting.quota import HuntingLimits
from vedette.hunting.service import HuntingParts, HuntingService
from vedette.ids import RandomIds
from vedette.jobs.outbox import Outbox
from vedette.kql.compile import compile_with_discovery
from vedette.kql.errors import KqlError
from vedette.lake.engine import LakeFolders
from vedette.lake.engines.duckdb import DuckDBEngine
from vedette.lake.engines.duckdb_files import DuckDBJson
from vedette.lake.publish import Publisher
from vedette.lake.writer import LakeWriter
from vedette.machines.visibility import SeenMachines
from vedette.store.engine import Store
from vedette.store.metadata import METADATA

TENANT = "11111111-1111-4111-8111-111111111111"
NOW = 1_790_000_000.0
HOUR = 36_000_000_000
SHA1 = "a" * 40


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HuntingService]:
    folder: Path = tmp_path_factory.mktemp("data")
    store, clock, ids = Store.in_folder(folder), ManualClock(NOW), RandomIds()
    with store.begin() as connection:
        METADATA.create_all(connection)
    folders = LakeFolders(folder / "lake")
    writer = LakeWriter(folders, clock, Publisher(store, folders, ids, Outbox(clock, ids)), DuckDBJson())
    engine = DuckDBEngine(store, folders, threads=2)
    times = [to_ticks(NOW) - hours * HOUR for hours in (1, 2, 3)]
    rows = pa.table(
        {
            "Timestamp": pa.array(times, pa.int64()),
            "DeviceId": ["d1", "d2", "d1"],
            "DeviceName": ["one", "two", "one"],
            "FileName": ["mimikatz.exe", "cmd.exe", "cmd.exe"],
            "ProcessCommandLine": ["mimikatz.exe sekurlsa", "cmd /c whoami", "cmd /c echo notmimikatzx"],
            "SHA1": [SHA1, SHA1, ""],
            "AdditionalFields": ['{"a":{"b":7}}', "", ""],
        }
    )
    writer.append(TENANT, "b", {"DeviceProcessEvents": rows}, b"")
    limits = HuntingLimits(HuntingQuota(), seconds=30, memory=512 * 2**20)
    egress = Egress(EgressPolicy())
    seen = SeenMachines(store)
    yield HuntingService(
        HuntingParts(compile_with_discovery, lambda _: ContractCatalog(), engine, writer, egress, limits, clock, seen)
    )
    writer.stop()
    engine.close()
    store.close()


def hunt(service: HuntingService, query: str) -> list[dict[str, object]]:
    principal = Principal("application", TENANT, "o", "a", "mtp")
    ctx = RequestContext(Tenant(TENANT, "x.example", "X"), principal, "request", "correlation", "https://x")
    return service.run(ctx, query).rows()


def test_where_has_and_project(service: HuntingService) -> None:
    query = """DeviceProcessEvents | where Timestamp > ago(7d) | where ProcessCommandLine has "mimikatz"
    | project Timestamp, DeviceName"""
    assert hunt(service, query) == [{"Timestamp": format_ticks(to_ticks(NOW) - HOUR), "DeviceName": "one"}]


def test_summarize(service: HuntingService) -> None:
    query = "DeviceProcessEvents | summarize Count = count(), Last = max(Timestamp) by DeviceName | order by Count"
    assert hunt(service, query) == [
        {"DeviceName": "one", "Count": 2, "Last": format_ticks(to_ticks(NOW) - HOUR)},
        {"DeviceName": "two", "Count": 1, "Last": format_ticks(to_ticks(NOW) - 2 * HOUR)},
    ]


def test_names_of_workspaces(service: HuntingService) -> None:
    query = "union Device*, IdentityInfo | where isnotempty(DeviceId) | summarize Count = count() by Type"
    assert hunt(service, query) == [{"Type": "DeviceProcessEvents", "Count": 3}]
    query = "union withsource=Table * | where Type startswith 'Device' | distinct Table, Type"
    assert hunt(service, query) == [{"Table": "DeviceProcessEvents", "Type": "DeviceProcessEvents"}]
    assert hunt(service, "DeviceProcessEvents | where Type != 'DeviceProcessEvents'") == []
    assert "Type" not in hunt(service, "DeviceProcessEvents | where Type contains 'Process' | take 1")[0]
    query = """union DeviceProcessEvents, DeviceFileEvents | where TimeGenerated > ago(90m)
    | project TimeGenerated, DeviceId"""
    assert hunt(service, query) == [{"TimeGenerated": format_ticks(to_ticks(NOW) - HOUR), "DeviceId": "d1"}]


def test_ingestion_time(service: HuntingService) -> None:
    query = "union DeviceProcessEvents, DeviceFileEvents | summarize Last = max(ingestion_time()), Count = count()"
    (row,) = hunt(service, query)
    assert row == {"Last": format_ticks(to_ticks(NOW)), "Count": 3}
    assert hunt(service, "DeviceProcessEvents | where ingestion_time() < ago(1s)") == []


def test_every_table_answers(service: HuntingService) -> None:
    catalog = ContractCatalog()
    for name in catalog.table_names():
        assert isinstance(hunt(service, f"{name} | take 1"), list)


def test_file_profile_knows_what_the_tenant_saw(service: HuntingService) -> None:
    (row,) = hunt(
        service,
        """DeviceProcessEvents | where FileName == "mimikatz.exe" | invoke FileProfile(SHA1)
        | project FileName, GlobalPrevalence, GlobalFirstSeen, SignatureState, IsExecutable""",
    )
    assert row == {
        "FileName": "mimikatz.exe",
        "GlobalPrevalence": 2,
        "GlobalFirstSeen": format_ticks(to_ticks(NOW) - 2 * HOUR),
        "SignatureState": "Unknown",
        "IsExecutable": True,
    }


@pytest.mark.parametrize(
    ("arguments", "enriched"), [("", 2), ("SHA1", 2), ('"SHA1"', 2), ("SHA1, 1", 1), ("SHA1, 5000", 2), ("NoHash", 0)]
)
def test_file_profile_enriches_as_many_rows_as_asked(service: HuntingService, arguments: str, enriched: int) -> None:
    rows = hunt(service, f"DeviceProcessEvents | sort by Timestamp | invoke FileProfile({arguments})")
    assert len(rows) == 3
    assert sum(row["GlobalPrevalence"] is not None for row in rows) == enriched


def test_parameters_and_further_results(service: HuntingService) -> None:
    principal = Principal("application", TENANT, "o", "a", "mtp")
    ctx = RequestContext(Tenant(TENANT, "x.example", "X"), principal, "request", "correlation", "https://x")
    query = """declare query_parameters(name: string, least: long = 1);
    DeviceProcessEvents | where DeviceName == name | summarize n = count() | where n >= least;
    DeviceProcessEvents | facet by DeviceName with (count)
    | render barchart"""
    with pytest.raises(KqlError, match="VK2003"):
        service.run(ctx, query)
    assert service.run(ctx, query, None, {"name": "one"}).rows() == [{"n": 2}]
    assert service.run(ctx, query, None, {"name": "one", "least": "3"}).rows() == []
    results = service.run_all(ctx, query, None, {"name": "two"})
    assert results[0].rows() == [{"n": 1}]
    assert len(results) == 3


def test_an_error_of_the_language_comes_with_its_place(service: HuntingService) -> None:
    with pytest.raises(KqlError) as raised:
        hunt(service, "DeviceProcessEvents\n| where NoSuchColumn == 1")
    (diagnostic,) = raised.value.diagnostics
    assert (diagnostic.line, diagnostic.column) == (2, 9)
