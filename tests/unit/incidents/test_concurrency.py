"""Two writers at once, on a database in a file: nothing is lost, no id is given twice."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.unit.incidents.conftest import HOME
from vedette.clock import ManualClock, now_ticks
from vedette.ids import RandomIds
from vedette.incidents.alerts import NewAlert, create
from vedette.incidents.changes import By
from vedette.incidents.evidence import DeviceEvidence
from vedette.incidents.incidents import IncidentChange, Incidents
from vedette.store.engine import Store
from vedette.store.metadata import METADATA

CLOCK = ManualClock(1_763_899_200.0)


def new(device: int, source_key: str | None = None) -> NewAlert:
    now = now_ticks(CLOCK)
    return NewAlert(
        title="T",
        severity="low",
        category="Execution",
        service_source="microsoftDefenderForEndpoint",
        detection_source="customDetection",
        first_activity=now,
        last_activity=now,
        evidence=(DeviceEvidence(device_id=f"{device}"),),
        source_key=source_key,
    )


def test_writers_at_once(tmp_path: Path) -> None:
    store = Store.in_folder(tmp_path)
    METADATA.create_all(store.engine)

    def alert(number: int) -> int:
        with store.begin() as connection:
            return create(connection, HOME, new(number), CLOCK, RandomIds()).alert.incident_id

    def repeated(_number: int) -> bool:
        with store.begin() as connection:
            return create(connection, HOME, new(99, "same"), CLOCK, RandomIds()).is_new

    def comment(number: int) -> None:
        with store.begin() as connection:
            Incidents(connection, HOME).change(1, IncidentChange(comment=f"{number}"), By("ann", now_ticks(CLOCK)))

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(alert, range(12))) == list(range(1, 13))
        assert sorted(pool.map(repeated, range(6))) == [False] * 5 + [True]
        list(pool.map(comment, range(12)))
    with store.connect() as connection:
        incident = Incidents(connection, HOME).get(1)
    store.close()
    assert incident is not None
    assert sorted(int(comment.comment) for comment in incident.comments) == list(range(12))
    assert len({comment.created for comment in incident.comments}) == 12
