"""Remediation tasks: somebody asks others to update a product or change a setting on the machines that are exposed.

How far a task has come is not written anywhere: it follows from which of its machines are still exposed.
"""

from typing import Any

import msgspec
from sqlalchemy import Row

from vedette.context import Tenant
from vedette.errors import InvalidRequestError
from vedette.machines.tables import REMEDIATION_TASKS
from vedette.machines.telemetry import Telemetry
from vedette.machines.weaknesses import Scope, Weaknesses, parse_software_id
from vedette.store.tenancy import TenantRepository


class RemediationDetails(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a task was asked for with. `recommendation_id` is `va-_-vendor-_-name` or `sca-_-scid`."""

    recommendation_id: str
    title: str
    description: str = ""
    requester_id: str = ""
    requester_email: str = ""
    requester_notes: str = ""
    due_on: str | None = None
    priority: str = "Medium"
    rbac_group_names: tuple[str, ...] = ()
    productivity_impact_remediation_type: str | None = None
    recommended_version: str | None = None
    recommended_vendor: str | None = None
    recommended_program: str | None = None

    @property
    def software(self) -> tuple[str, str] | None:
        """Vendor and product that are to be updated."""
        kind, _, subject = self.recommendation_id.partition("-_-")
        return parse_software_id(subject) if kind == "va" else None

    @property
    def scid(self) -> str | None:
        """The setting that is to be changed."""
        kind, _, subject = self.recommendation_id.partition("-_-")
        return subject if kind == "sca" and subject else None


class Completer(msgspec.Struct, frozen=True):
    """Who marked a task as completed."""

    user_id: str
    email: str


class Remediation(msgspec.Struct, frozen=True):
    """One task. Times are ticks."""

    task_id: str
    created: int
    details: RemediationDetails
    machine_ids: tuple[str, ...]
    completed: int | None
    completer: Completer | None


class Remediations(TenantRepository):
    """The tasks of one tenant."""

    def all(self) -> list[Remediation]:
        """Every task, newest first."""
        table = REMEDIATION_TASKS
        statement = self.select(table).order_by(table.c.created.desc(), table.c.task_id)
        return [_to_remediation(row) for row in self.connection.execute(statement)]

    def get(self, task_id: str) -> Remediation | None:
        """One task, or None."""
        statement = self.select(REMEDIATION_TASKS).where(REMEDIATION_TASKS.c.task_id == task_id.lower())
        row = self.connection.execute(statement).first()
        return None if row is None else _to_remediation(row)

    def add(self, task_id: str, details: RemediationDetails, machine_ids: list[str], now: int) -> None:
        """A new task. Raises InvalidRequestError if it asks for nothing that can be known as done."""
        if details.software is None and details.scid is None:
            raise InvalidRequestError("InvalidBodyValue", property="recommendationId")
        self.insert(
            REMEDIATION_TASKS,
            task_id=task_id,
            created=now,
            details=msgspec.to_builtins(details),
            machine_ids=machine_ids,
        )

    def complete(self, task_id: str, completer: Completer, now: int) -> bool:
        """Mark a task as completed; False if it has been, or is not there."""
        open_task = (REMEDIATION_TASKS.c.task_id == task_id, REMEDIATION_TASKS.c.completed.is_(None))
        values = {"completed": now, "completer": msgspec.to_builtins(completer)}
        return self.connection.execute(self.update(REMEDIATION_TASKS).where(*open_task).values(values)).rowcount == 1


def exposed_machines(telemetry: Telemetry, tenant: Tenant, details: RemediationDetails) -> list[str]:
    """Ids of the machines that what a task asks for would mend."""
    weaknesses = Weaknesses(telemetry, tenant)
    if details.software is not None:
        return weaknesses.machines_with(Scope(software=details.software), exposed=True)
    return weaknesses.machines_short_of(details.scid) if details.scid else []


def _to_remediation(row: Row[Any]) -> Remediation:
    return Remediation(
        task_id=row.task_id,
        created=row.created,
        details=msgspec.convert(row.details, RemediationDetails),
        machine_ids=tuple(row.machine_ids),
        completed=row.completed,
        completer=None if row.completer is None else msgspec.convert(row.completer, Completer),
    )
