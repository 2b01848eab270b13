"""Carries machine actions out: a leased job per step, and an executor that does the work.

Executors hold no state: every step gets the action as it is, so that any worker can take the next one.
"""

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec
from sqlalchemy import Connection

from vedette.clock import TICKS_PER_SECOND, Clock, now_ticks
from vedette.errors import QuotaExceededError
from vedette.ids import Ids
from vedette.jobs.queue import Job, JobQueue
from vedette.machines.actions import (
    ACTION_FIELDS,
    UNFINISHED,
    CommandState,
    MachineAction,
    MachineActions,
    NewAction,
    Output,
)
from vedette.machines.inventory import Machine, Machines, MachineUser
from vedette.machines.library import LibraryFiles
from vedette.store.engine import Store

JOB = "run_machine_action"
TIMEOUT = 3 * 86_400 * TICKS_PER_SECOND
"""An action that has not ended by then has timed out; live response waits three days for a machine."""

SESSION_SECONDS = 60
"""After how long it makes sense to ask for another live response when there are too many."""


class Order(msgspec.Struct, frozen=True):
    """An action with what its executor may need to know."""

    tenant_id: str
    action: MachineAction
    machine: Machine
    users: tuple[MachineUser, ...] = ()
    library: Mapping[str, bytes] = {}
    """Contents of the library files that its commands name."""


class Working(msgspec.Struct, frozen=True):
    """Not done yet; ask again after so many seconds. `is_accepted`: the machine has it."""

    check_after: float
    is_accepted: bool = True


class Finished(msgspec.Struct, frozen=True):
    """Done, well or not."""

    status: Literal["Succeeded", "Failed", "TimeOut"]
    error: int = 0
    commands: tuple[CommandState, ...] = ()
    outputs: tuple[Output, ...] = ()


Progress = Working | Finished


class Executor(Protocol):
    """Does what is asked of machines. Later a sensor will be one."""

    def start(self, order: Order) -> Progress:
        """Begin. May be called again if the answer was lost."""
        ...

    def check(self, order: Order) -> Progress:
        """How far it has come."""
        ...


class ActionRequests:
    """Takes actions in: the row and its first job, in the caller's transaction."""

    def __init__(self, queue: JobQueue, clock: Clock, ids: Ids, *, delay: float, sessions: int | None = None) -> None:
        """`delay`: seconds for which an action stays pending. `sessions`: live responses at a time, if limited."""
        self._queue = queue
        self._clock = clock
        self._ids = ids
        self._delay = delay
        self._sessions = sessions

    def request(self, connection: Connection, tenant_id: str, new: NewAction) -> MachineAction:
        """A new pending action. Raises ActiveRequestExistsError, and QuotaExceededError for a session too many."""
        actions = MachineActions(connection, tenant_id)
        if new.type == "LiveResponse" and self._sessions is not None:
            unfinished = (ACTION_FIELDS["type"] == "LiveResponse") & ACTION_FIELDS["status"].in_(UNFINISHED)
            if actions.count(unfinished) >= self._sessions:
                raise QuotaExceededError("TooManySessions", limit=self._sessions, retry_after=SESSION_SECONDS)
        action = actions.request(self._ids.guid(), new, now_ticks(self._clock))
        payload = {"action_id": action.action_id, "step": 0}
        run_at = self._clock.time() + self._delay
        self._queue.enqueue(connection, tenant_id, JOB, payload, run_at=run_at, key=f"{action.action_id}/0")
        return action


class ActionRunner:
    """Handler of the job."""

    def __init__(self, store: Store, queue: JobQueue, executor: Executor, clock: Clock) -> None:
        self._store = store
        self._queue = queue
        self._executor = executor
        self._clock = clock

    def run(self, job: Job) -> None:
        """One step of one action."""
        order = self._order(job.tenant_id, str(job.payload["action_id"]))
        if order is None or order.action.status not in UNFINISHED:
            return
        if now_ticks(self._clock) - order.action.created > TIMEOUT:
            progress: Progress = Finished("TimeOut")
        elif order.action.status == "Pending":
            progress = self._executor.start(order)
        else:
            progress = self._executor.check(order)
        self._record(order, progress, int(job.payload["step"]) + 1)

    def _order(self, tenant_id: str, action_id: str) -> Order | None:
        with self._store.connect() as connection:
            action = MachineActions(connection, tenant_id).get(action_id)
            if action is None:
                return None
            machines = Machines(connection, tenant_id, now_ticks(self._clock))
            machine = machines.get(action.machine_id)
            if machine is None:
                return None
            names = [name for state in action.commands for name in _file_names(state)]
            library = LibraryFiles(connection, tenant_id).contents(names)
            return Order(tenant_id, action, machine, tuple(machines.users(machine.machine_id)), library)

    def _record(self, order: Order, progress: Progress, step: int) -> None:
        action_id, now = order.action.action_id, now_ticks(self._clock)
        with self._store.begin() as connection:
            actions = MachineActions(connection, order.tenant_id)
            if isinstance(progress, Working):
                if progress.is_accepted:
                    actions.start(action_id, now)
                left = (order.action.created + TIMEOUT - now) / TICKS_PER_SECOND + 1
                run_at = self._clock.time() + max(min(progress.check_after, left), 0)
                key, payload = f"{action_id}/{step}", {"action_id": action_id, "step": step}
                self._queue.enqueue(connection, order.tenant_id, JOB, payload, run_at=run_at, key=key)
            elif actions.finish(action_id, progress.status, now, error=progress.error, commands=progress.commands):
                for output in progress.outputs:
                    actions.keep(action_id, output)


def _file_names(state: CommandState) -> list[str]:
    key = {"PutFile": "FileName", "RunScript": "ScriptName"}.get(state.command.type)
    return [state.command.parameter(key)] if key else []
