"""A store full of incidents: alerts with evidence of the kinds that endpoints raise, and the record of each change."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Table, insert, update

from vedette.clock import SystemClock, now_ticks
from vedette.incidents.alerts import AlertDetails
from vedette.incidents.changes import By, Changes
from vedette.incidents.evidence import (
    DeviceEvidence,
    Evidence,
    FileDetails,
    FileEvidence,
    IpEvidence,
    ProcessEvidence,
    UserAccount,
    UserEvidence,
    encode_evidence,
    kind_of,
)
from vedette.incidents.incidents import IncidentChange
from vedette.incidents.tables import (
    ALERT_CHANGES,
    ALERT_EVIDENCE,
    ALERTS,
    INCIDENT_CHANGES,
    INCIDENT_COUNTERS,
    INCIDENTS,
)
from vedette.incidents.triage import change_incident
from vedette.store.engine import Store

ALERTS_EACH = 2
SECOND = 10_000_000
BATCH = 5_000

ENUMS = {"status": "active", "severity": "high", "classification": "unknown", "determination": "unknown"}
RECORD = {"activity": "created", "actor": "bench", "facts": {}}


def fill(data: Path, tenant_id: str, incidents: int) -> int:
    """Store that many incidents, the newest last, a second apart; the ticks of the newest."""
    store, now = Store.in_folder(data), now_ticks(SystemClock())
    try:
        with store.begin() as connection:
            for first in range(1, incidents + 1, BATCH):
                numbers = range(first, min(first + BATCH, incidents + 1))
                _insert(connection, tenant_id, {number: now - (incidents - number) * SECOND for number in numbers})
            counters = {"tenant_id": tenant_id, "last_incident_id": incidents, "last_change": incidents}
            connection.execute(insert(INCIDENT_COUNTERS).prefix_with("OR REPLACE"), counters)
    finally:
        store.close()
    return now


def change_all(store: Store, tenant_id: str, incident_ids: Sequence[int], *, with_alerts: bool) -> None:
    """Give incidents, and if wanted their alerts, a new state under a new number, in one transaction."""
    with store.begin() as connection:
        number = Changes(connection, tenant_id).next_number()
        for table in (INCIDENTS, ALERTS) if with_alerts else (INCIDENTS,):
            mine = update(table).where(table.c.tenant_id == tenant_id, table.c.incident_id.in_(incident_ids))
            state = {"assigned_to": f"analyst {number}", "last_update": table.c.last_update + 1}
            connection.execute(mine.values(**state, change_number=number))


@contextlib.contextmanager
def changing(store: Store, tenant_id: str, incident_ids: Sequence[int], rate: float) -> Iterator[None]:
    """Incidents change one after the other, so many a second, for as long as the block lasts."""
    done = threading.Event()

    def work() -> None:
        for count, incident_id in enumerate(cycle(incident_ids)):
            if done.wait(1 / rate):
                return
            change = IncidentChange(assigned_to=f"analyst {count}")
            with store.begin() as connection:
                change_incident(connection, tenant_id, incident_id, change, By("bench", now_ticks(SystemClock())))

    writer = threading.Thread(target=work)
    writer.start()
    try:
        yield
    finally:
        done.set()
        writer.join()


def _insert(connection: Connection, tenant_id: str, times: dict[int, int]) -> None:
    rows: dict[Table, list[dict[str, object]]] = {
        INCIDENTS: [],
        INCIDENT_CHANGES: [],
        ALERTS: [],
        ALERT_CHANGES: [],
        ALERT_EVIDENCE: [],
    }
    for number, created in times.items():
        own = {"tenant_id": tenant_id, "incident_id": number, "change_number": number, "last_update": created}
        incident = {**own, **ENUMS, "display_name": f"Multi-stage incident {number} on multiple endpoints"}
        shown = {"is_renamed": False, "custom_tags": ["bench"], "system_tags": [], "details": {}}
        rows[INCIDENTS].append({**incident, **shown, "created": created})
        rows[INCIDENT_CHANGES].append({**incident, **RECORD})
        for place in range(ALERTS_EACH):
            alert = {**own, **ENUMS, "status": "new", "alert_id": f"da{created}_{place}"}
            rows[ALERT_CHANGES].append({**alert, **RECORD})
            rows[ALERTS].append({**alert, **_alert(created)})
            keys = {"tenant_id": tenant_id, "alert_id": alert["alert_id"], "created": created}
            rows[ALERT_EVIDENCE] += [
                {**keys, "position": position, "kind": kind_of(entity), "entity": encode_evidence(entity)}
                for position, entity in enumerate(_evidence(number, created))
            ]
    for table, values in rows.items():
        connection.execute(insert(table), [{n: v for n, v in row.items() if n in table.c} for row in values])


def _alert(created: int) -> dict[str, object]:
    details = AlertDetails(
        description="A process dumped the memory of lsass.exe.", mitre_techniques=("T1003.001",), detector_id="bench"
    )
    return {
        "title": "Memory of lsass.exe was opened for reading",
        "category": "CredentialAccess",
        "service_source": "microsoftDefenderForEndpoint",
        "detection_source": "customDetection",
        "created": created,
        "first_activity": created - 60 * SECOND,
        "last_activity": created - SECOND,
        "details": msgspec.to_builtins(details),
    }


def _evidence(number: int, created: int) -> tuple[Evidence, ...]:
    device = f"{number % 5000:040x}"
    account = UserAccount(account_name=f"user{number % 900}", domain_name="bench", user_sid=f"S-1-5-21-1-2-3-{number}")
    image = FileDetails(
        file_name="rundll32.exe", file_path="C:\\Windows\\System32", sha1=f"{number:040x}", file_size=71680
    )
    parent = FileDetails(file_name="cmd.exe", file_path="C:\\Windows\\System32")
    return (
        DeviceEvidence(
            device_id=device,
            device_name=f"ws-{number % 5000}.bench.example",
            os_platform="Windows11",
            first_seen=created,
        ),
        UserEvidence(account=account),
        ProcessEvidence(
            process_id=4711,
            command_line="rundll32.exe comsvcs.dll, MiniDump 624 C:\\Windows\\Temp\\x.dmp full",
            created=created,
            image=image,
            parent_process_id=812,
            parent_created=created,
            parent_image=parent,
            account=account,
            device_id=device,
        ),
        FileEvidence(file=image, device_id=device),
        IpEvidence(address=f"192.0.2.{number % 250}"),
    )
