"""Every set of the telemetry pack that is read goes through the pipeline into a lake, and the facts that its manifest
states are found by KQL."""

import os
from collections import Counter
from collections.abc import Iterator
from uuid import NAMESPACE_URL, uuid5

import pytest
import yaml

from tests.conformance.telemetry.facts import FactQuery, Uncovered, query_of
from tests.conftest import SHARED as PACK
from vedette.context import Principal, RequestContext, Tenant
from vedette.ingest.receipts import Receipt
from vedette.ingest.sources.source import Source
from vedette.server.data_folder import DataFolder
from vedette.server.wiring import Services
from vedette.settings import Settings
from vedette.store.migrate import upgrade

SHARED = PACK / "telemetry"
GOAL = 0.6


def _manifest() -> list[dict[str, object]]:
    path = SHARED / "MANIFEST.yaml"
    if not path.exists():
        if os.environ.get("CI") == "true":
            raise FileNotFoundError(path)
        return []
    return list(yaml.safe_load(path.read_text())["sets"])


SETS = _manifest()


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("manifest")
    services = Services(Settings(data=folder), DataFolder(folder))
    upgrade(services.store)
    yield services
    services.close()


def _ingested(services: Services, tenant_id: str, entry: dict[str, object]) -> list[Receipt]:
    files = [SHARED / str(file["file"]) for file in entry["files"]]  # type: ignore[attr-defined]
    return [services.pipeline.accept(tenant_id, None, [Source(path.name, path)]) for path in files]


def _count(services: Services, tenant_id: str, query: FactQuery) -> object:
    principal = Principal("application", tenant_id, tenant_id, tenant_id, "mtp")
    tenant = Tenant(tenant_id, "pack.example", "Pack")
    context = RequestContext(tenant, principal, "manifest", "manifest", "https://localhost")
    ((count,),) = services.hunting.run(context, query.kql()).values()
    return count


@pytest.mark.shared
@pytest.mark.skipif(not SETS, reason="no telemetry pack (VEDETTE_SHARED)")
def test_facts_of_the_manifest_are_found(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    found, wrong, reasons = [], [], Counter[str]()
    uncovered: list[str] = []
    for entry in SETS:
        tenant_id = str(uuid5(NAMESPACE_URL, str(entry["name"])))  # a set has a tenant of its own: counts are per set
        receipts = _ingested(services, tenant_id, entry)
        for receipt in receipts:
            assert receipt.events == (
                receipt.accepted + receipt.unmapped + receipt.ignored + receipt.quarantined - receipt.damaged
            )
        is_read = any(receipt.accepted for receipt in receipts)
        for fact in entry.get("facts", ()):  # type: ignore[attr-defined]
            query = query_of(fact)
            if not isinstance(query, Uncovered) and not is_read:
                query = Uncovered(query.what, "the format of the set is not read yet")
            if isinstance(query, Uncovered):
                reasons[query.reason] += 1
                uncovered.append(f"{entry['name']}: {query.what}: {query.reason}")
                continue
            count = _count(services, tenant_id, query)
            (found if count == query.events else wrong).append((entry["name"], query, count))
    mapped = len(found) + len(wrong)
    with capsys.disabled():
        print(f"\nmanifest facts: {mapped + len(uncovered)}, of mapped events {mapped}, found by KQL {len(found)}")
        for name, query, count in wrong:
            print(f"  not found: {name}: {query.what}: {count} instead of {query.events}: {query.kql()}")
        for line in uncovered:
            print(f"  cannot be found: {line}")
    assert mapped
    assert len(found) >= GOAL * mapped
