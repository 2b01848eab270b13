"""Automated investigations of machines: started by a request or an alert, ended by a job.

Queued → Running → Benign. What an investigation looks at is whether alerts on its machine are still open: then it ends
as PartiallyInvestigated, for people have to go on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, func, select

from vedette.clock import Clock, now_ticks
from vedette.jobs.queue import Job, JobQueue
from vedette.machines.inventory import Machine, Machines
from vedette.machines.tables import INVESTIGATION_COUNTERS, INVESTIGATIONS
from vedette.machines.visibility import MachineRepository
from vedette.odata.paging import KEYS_OF_ONE_STATEMENT, SortKey, order_rows
from vedette.store.engine import Store, conflict_insert

JOB = "run_investigation"

INVESTIGATION_FIELDS: Mapping[str, ColumnElement[Any]] = {column.name: column for column in INVESTIGATIONS.columns}
"""Columns that surfaces may filter and sort by."""


class Investigation(msgspec.Struct, frozen=True):
    """One investigation. `state` as enum `investigationState` names it."""

    investigation_id: int
    machine_id: str
    dns_name: str
    state: str
    status_details: str | None
    started: int
    ended: int | None
    cancelled_by: str | None
    triggering_alert_id: str | None


class Investigations(MachineRepository):
    """The investigations of one tenant."""

    def get(self, investigation_id: int) -> Investigation | None:
        """One investigation, or None."""
        matches = INVESTIGATIONS.c.investigation_id == investigation_id
        row = self.connection.execute(self.select(INVESTIGATIONS).where(matches)).first()
        return None if row is None else _to_investigation(row)

    def keys(self, condition: ColumnElement[bool] | None, order: Sequence[SortKey]) -> list[int | str]:
        """The ids of those that meet a condition, in an order."""
        statement = select(INVESTIGATIONS.c.investigation_id).where(self.own(INVESTIGATIONS))
        return list(self.connection.scalars(order_rows(statement, condition, order)))

    def of_keys(self, keys: Sequence[int | str]) -> list[Investigation]:
        """Those that still are, in the order of their ids."""
        found: dict[int | str, Investigation] = {}
        for start in range(0, len(keys), KEYS_OF_ONE_STATEMENT):
            some = INVESTIGATIONS.c.investigation_id.in_(keys[start : start + KEYS_OF_ONE_STATEMENT])
            statement = self.select(INVESTIGATIONS).where(some)
            found |= {row.investigation_id: _to_investigation(row) for row in self.connection.execute(statement)}
        return [found[key] for key in keys if key in found]

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many investigations meet `condition`."""
        statement = select(func.count()).select_from(INVESTIGATIONS).where(self.own(INVESTIGATIONS))
        return int(self.connection.scalar(statement if condition is None else statement.where(condition)) or 0)

    def add(self, machine: Machine, comment: str, now: int, alert_id: str | None = None) -> Investigation:
        """A new queued investigation."""
        investigation_id = self._next_id()
        self.insert(
            INVESTIGATIONS,
            investigation_id=investigation_id,
            machine_id=machine.machine_id,
            dns_name=machine.dns_name,
            state="queued",
            started=now,
            triggering_alert_id=alert_id,
            comment=comment,
        )
        investigation = self.get(investigation_id)
        assert investigation is not None
        return investigation

    def set_trigger(self, investigation_id: int, alert_id: str) -> None:
        """Name the alert that an investigation was started for."""
        self._set(investigation_id, triggering_alert_id=alert_id)

    def advance(self, investigation_id: int, state: str, *, ended: int | None = None) -> None:
        """Move on to a state."""
        self._set(investigation_id, state=state, ended=ended)

    def _set(self, investigation_id: int, **values: object) -> None:
        matches = INVESTIGATIONS.c.investigation_id == investigation_id
        self.connection.execute(self.update(INVESTIGATIONS).where(matches).values(values))

    def _next_id(self) -> int:
        table = INVESTIGATION_COUNTERS
        counter = conflict_insert(self.connection, table).values(tenant_id=self.tenant_id, last_investigation_id=1)
        statement = counter.on_conflict_do_update(
            index_elements=[table.c.tenant_id],
            set_={"last_investigation_id": table.c.last_investigation_id + 1},
        ).returning(table.c.last_investigation_id)
        return int(self.connection.execute(statement).scalar_one())


class InvestigationRequests:
    """Starts investigations: the row and its job, in the caller's transaction."""

    def __init__(self, queue: JobQueue, clock: Clock, *, delay: float) -> None:
        self._queue = queue
        self._clock = clock
        self._delay = delay

    def start(
        self, connection: Connection, tenant_id: str, machine: Machine, comment: str, alert_id: str | None = None
    ) -> Investigation:
        """A new queued investigation."""
        now = now_ticks(self._clock)
        investigation = Investigations(connection, tenant_id).add(machine, comment, now, alert_id)
        number = investigation.investigation_id
        payload, run_at = {"investigation_id": number}, self._clock.time() + self._delay
        self._queue.enqueue(connection, tenant_id, JOB, payload, run_at=run_at, key=f"{number}/queued")
        return investigation


class InvestigationRunner:
    """Handler of the job: one step."""

    def __init__(self, store: Store, queue: JobQueue, clock: Clock, *, running: float) -> None:
        """`running`: seconds that an investigation takes."""
        self._store = store
        self._queue = queue
        self._clock = clock
        self._running = running

    def run(self, job: Job) -> None:
        """Queued → Running, or Running → the end."""
        number = int(job.payload["investigation_id"])
        with self._store.begin() as connection:
            investigations = Investigations(connection, job.tenant_id)
            investigation = investigations.get(number)
            if investigation is None:
                return
            if investigation.state == "queued":
                investigations.advance(number, "running")
                run_at = self._clock.time() + self._running
                key = f"{number}/running"
                self._queue.enqueue(connection, job.tenant_id, JOB, dict(job.payload), run_at=run_at, key=key)
            elif investigation.state == "running":
                now = now_ticks(self._clock)
                machine = Machines(connection, job.tenant_id, now).get(investigation.machine_id)
                has_open_alerts = machine is not None and machine.risk_score != "None"
                investigations.advance(number, "partiallyInvestigated" if has_open_alerts else "benign", ended=now)


def _to_investigation(row: Row[Any]) -> Investigation:
    return Investigation(**{name: getattr(row, name) for name in Investigation.__struct_fields__})
