"""What is told of a request: its ids in the answer, its operation in the metrics."""

import msgspec
import pytest

from tests.api_fakes import HOME
from tests.contract.seeded_tenant import SeededTenant
from vedette.observability import metrics
from vedette.server.web import count_request

TENANT_SERIES = "vedette_tenant_requests_total"
TARGETS = {"defender": "/api/incidents", "graph": "/v1.0/security/incidents"}


@pytest.mark.parametrize("surface", TARGETS)
@pytest.mark.parametrize("suffix", ["", "?$top=nothing", "/999", "/999/nothing"])
def test_the_clients_request_id_comes_back(seeded: SeededTenant, surface: str, suffix: str) -> None:
    answer = seeded.client(surface).get(f"{TARGETS[surface]}{suffix}", client_request_id="mine-1")
    assert answer.headers["client-request-id"] == "mine-1"
    assert answer.headers["request-id"] not in ("", "mine-1")
    nameless = seeded.application.client().get(f"{TARGETS[surface]}{suffix}", client_request_id="mine-2")
    assert nameless.headers["client-request-id"] == "mine-2"


@pytest.mark.parametrize("surface", TARGETS)
def test_requests_are_counted_by_operation(seeded: SeededTenant, surface: str) -> None:
    seeded.client(surface).get(TARGETS[surface])
    record = msgspec.structs.replace(seeded.application.records[-1], operation=f"{surface}.counted")
    assert record.tenant_id == HOME
    count_request(record)
    count_request(record)
    line = f'vedette_http_requests_total{{operation="{surface}.counted",status="200",surface="{surface}"}}'
    assert f"{line} 2.0" in metrics.exposition().decode()


@pytest.mark.parametrize("surface", TARGETS)
def test_requests_are_counted_by_tenant(seeded: SeededTenant, surface: str) -> None:
    seeded.client(surface).get(TARGETS[surface])
    record = msgspec.structs.replace(seeded.application.records[-1], tenant_id=f"counted-{surface}")
    count_request(record)
    count_request(msgspec.structs.replace(record, status=404))
    count_request(msgspec.structs.replace(record, tenant_id=""))
    lines = [line for line in metrics.exposition().decode().splitlines() if line.startswith(TENANT_SERIES)]
    assert f'{TENANT_SERIES}{{surface="{surface}",tenant="counted-{surface}"}} 2.0' in lines
    assert not any('tenant=""' in line for line in lines)
