"""The remediation operations: tasks, how far they have come, and the machines that are still exposed."""

import msgspec

from vedette.api.defender.answers import entity, found, without_options
from vedette.api.defender.computed import ComputedList
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.machine_entities import MachineReference, to_reference
from vedette.api.http import ApiRequest, ApiResponse
from vedette.clock import format_ticks, now_ticks
from vedette.context import EVERYTHING, RequestContext, Tenant
from vedette.machines import remediations as domain
from vedette.machines.inventory import Machine, Machines
from vedette.machines.remediations import Remediations, exposed_machines
from vedette.odata.documents import fields_of


class Remediation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A remediation task."""

    id: str
    title: str
    created_on: str
    requester_id: str
    requester_email: str
    status: str
    status_last_modified_on: str
    description: str
    related_component: str
    target_devices: int
    fixed_devices: int
    rbac_group_names: tuple[str, ...]
    requester_notes: str
    due_on: str | None
    category: str
    productivity_impact_remediation_type: str | None
    priority: str
    completion_method: str | None
    completer_id: str | None
    completer_email: str | None
    scid: str | None
    type: str
    product_id: str | None
    vendor_id: str | None
    name_id: str | None
    recommended_version: str | None
    recommended_vendor: str | None
    recommended_program: str | None


TASKS = ComputedList(
    "RemediationTasks",
    fields_of(
        Remediation,
        frozenset({"createdOn", "statusLastModifiedOn", "dueOn"}),
        {"status": ("Active", "Completed"), "priority": ("High", "Medium", "Low")},
    ),
)
MACHINES = ComputedList("MachineReferences", fields_of(MachineReference))


class DefenderRemediations:
    """Handlers."""

    def __init__(self, parts: EndpointParts) -> None:
        self._parts = parts

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/remediationTasks."""

        def tasks() -> list[domain.Remediation]:
            with self._parts.store.connect() as connection:
                return Remediations(connection, context.tenant.tenant_id).all()

        return TASKS.answer(self._parts.lists, context, request, tasks, lambda task: self._entity(context.tenant, task))

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/remediationTasks/{id}."""
        without_options(request)
        return entity(request, "RemediationTasks", self._entity(context.tenant, self._task(context, request)))

    def machines(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/remediationTasks/{id}/machineReferences: those of the task that are still exposed."""
        task = self._task(context, request)

        def exposed() -> list[Machine]:
            machine_ids = self._exposed(context.tenant, task)
            with self._parts.store.connect() as connection:
                machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)
                return machines.of_ids(machine_ids)

        return MACHINES.answer(self._parts.lists, context, request, exposed, to_reference)

    def _task(self, context: RequestContext, request: ApiRequest) -> domain.Remediation:
        task_id = request.path_parameters["id"]
        with self._parts.store.connect() as connection:
            task = Remediations(connection, context.tenant.tenant_id).get(task_id)
        return found(task, "RemediationTask", task_id)

    def _exposed(self, tenant: Tenant, task: domain.Remediation) -> frozenset[str]:
        # How far a task has come is a fact about the task, whoever asks; which machines they are is not.
        telemetry = self._parts.telemetry.within(EVERYTHING)
        return frozenset(task.machine_ids) & frozenset(exposed_machines(telemetry, tenant, task.details))

    def _entity(self, tenant: Tenant, task: domain.Remediation) -> Remediation:
        fixed = len(task.machine_ids) - len(self._exposed(tenant, task))
        return to_remediation(task, fixed)


def to_remediation(task: domain.Remediation, fixed: int) -> Remediation:
    """The wire form of a task of which so many machines are mended."""
    details, completer = task.details, task.completer
    vendor, name = details.software or (None, None)
    all_fixed = bool(task.machine_ids) and fixed == len(task.machine_ids)
    is_completed = completer is not None or all_fixed
    method = "manually" if completer is not None else "automatically" if all_fixed else None
    return Remediation(
        id=task.task_id,
        title=details.title,
        created_on=format_ticks(task.created),
        requester_id=details.requester_id,
        requester_email=details.requester_email,
        status="Completed" if is_completed else "Active",
        status_last_modified_on=format_ticks(task.completed or task.created),
        description=details.description,
        related_component=details.scid or f"{vendor} {name}",
        target_devices=len(task.machine_ids),
        fixed_devices=fixed,
        rbac_group_names=details.rbac_group_names,
        requester_notes=details.requester_notes,
        due_on=details.due_on,
        category="SecurityConfiguration" if details.scid else "Software",
        productivity_impact_remediation_type=details.productivity_impact_remediation_type,
        priority=details.priority,
        completion_method=method,
        completer_id=completer.user_id if completer else None,
        completer_email=completer.email if completer else None,
        scid=details.scid,
        type="ConfigurationChange" if details.scid else "Update",
        product_id=None if vendor is None else f"{vendor}-_-{name}",
        vendor_id=vendor,
        name_id=name,
        recommended_version=details.recommended_version,
        recommended_vendor=details.recommended_vendor,
        recommended_program=details.recommended_program,
    )
