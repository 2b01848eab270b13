"""A control plane in memory, a clock that stands still, and alerts to put in."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection

from vedette.clock import ManualClock, now_ticks
from vedette.ids import RandomIds
from vedette.incidents.alerts import AlertDetails, Creation, NewAlert, create
from vedette.incidents.evidence import DeviceEvidence, Evidence
from vedette.store.engine import Store
from vedette.store.metadata import METADATA

HOME = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"

CreateAlert = Callable[..., Creation]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_763_899_200.0)


@pytest.fixture
def connection() -> Iterator[Connection]:
    store = Store("sqlite://")
    METADATA.create_all(store.engine)
    with store.begin() as connection:
        yield connection
    store.close()


@pytest.fixture
def create_alert(connection: Connection, clock: ManualClock) -> CreateAlert:
    def make(
        *evidence: Evidence,
        tenant_id: str = HOME,
        title: str = "Credential dumping",
        category: str = "CredentialAccess",
        severity: str = "high",
        source_key: str | None = None,
        hours_ago: float = 0,
    ) -> Creation:
        at = now_ticks(clock) - int(hours_ago * 36_000_000_000)
        new = NewAlert(
            title=title,
            severity=severity,
            category=category,
            service_source="microsoftDefenderForEndpoint",
            detection_source="customDetection",
            first_activity=at,
            last_activity=at,
            details=AlertDetails(mitre_techniques=("T1003.001",), description="LSASS was read."),
            evidence=evidence or (DeviceEvidence(device_id="d" * 40, device_name="ws-01.contoso.test"),),
            source_key=source_key,
        )
        return create(connection, tenant_id, new, clock, RandomIds())

    return make
