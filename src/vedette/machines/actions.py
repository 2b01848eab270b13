"""Machine actions: what was asked of a machine, by whom, and how far it has come. At most one of a kind at a time.

Pending → InProgress → Succeeded, Failed, TimeOut or Cancelled. Carrying them out is `machines.execution`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.exc import IntegrityError

from vedette.errors import InvalidRequestError
from vedette.machines.tables import ACTION_OUTPUTS, MACHINE_ACTIONS
from vedette.machines.visibility import MachineRepository
from vedette.odata.paging import KEYS_OF_ONE_STATEMENT, SortKey, order_rows

Status = Literal["Pending", "InProgress", "Succeeded", "Failed", "TimeOut", "Cancelled"]

UNFINISHED: frozenset[str] = frozenset({"Pending", "InProgress"})
PACKAGE = -1
"""Position of an investigation package among the outputs of an action."""

_EXCLUSIONS: Mapping[str, str] = {
    "Unisolate": "Isolate",
    "UnrestrictCodeExecution": "RestrictCodeExecution",
}
"""Actions that another one stands in the way of, as they undo it."""

ACTION_FIELDS: Mapping[str, ColumnElement[Any]] = {column.name: column for column in MACHINE_ACTIONS.columns}
"""Columns that surfaces may filter and sort by."""


class ActiveRequestExistsError(InvalidRequestError):
    """The machine has an unfinished action of the kind. Fields: `type`, `machine`."""

    code = "ActiveRequestAlreadyExists"


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a live-response command."""

    key: str
    value: str


class Command(msgspec.Struct, frozen=True):
    """A live-response command: `PutFile`, `RunScript` or `GetFile`."""

    type: str
    params: tuple[Parameter, ...] = ()

    def parameter(self, key: str) -> str:
        """The value of a parameter; empty without it."""
        return next((each.value for each in self.params if each.key == key), "")


class CommandState(msgspec.Struct, frozen=True):
    """How far a command has come."""

    index: int
    command: Command
    status: Literal["Created", "Completed", "Failed"] = "Created"
    start: int | None = None
    end: int | None = None
    errors: tuple[str, ...] = ()


class NewAction(msgspec.Struct, frozen=True, kw_only=True):
    """An action to be."""

    machine_id: str
    dns_name: str
    type: str
    requestor: str
    comment: str
    request_source: str = "PublicApi"
    scope: str | None = None
    title: str | None = None
    external_id: str | None = None
    file_identifier: str | None = None
    file_identifier_type: str | None = None
    commands: tuple[Command, ...] = ()


class MachineAction(msgspec.Struct, frozen=True):
    """One action."""

    action_id: str
    machine_id: str
    dns_name: str
    type: str
    status: Status
    scope: str | None
    title: str | None
    requestor: str
    request_source: str
    requestor_comment: str
    external_id: str | None
    created: int
    last_update: int
    error_hresult: int
    cancellation_requestor: str | None
    cancellation_comment: str | None
    cancelled_at: int | None
    file_identifier: str | None
    file_identifier_type: str | None
    commands: tuple[CommandState, ...] = ()


class Output(msgspec.Struct, frozen=True):
    """A file that an action brought."""

    position: int
    file_name: str
    media_type: str
    content: bytes


class MachineActions(MachineRepository):
    """The machine actions of one tenant."""

    def get(self, action_id: str) -> MachineAction | None:
        """One action, or None."""
        statement = self.select(MACHINE_ACTIONS).where(MACHINE_ACTIONS.c.action_id == action_id.lower())
        row = self.connection.execute(statement).first()
        return None if row is None else _to_action(row)

    def keys(self, condition: ColumnElement[bool] | None, order: Sequence[SortKey]) -> list[int | str]:
        """The ids of those that meet a condition, in an order."""
        statement = select(MACHINE_ACTIONS.c.action_id).where(self.own(MACHINE_ACTIONS))
        return list(self.connection.scalars(order_rows(statement, condition, order)))

    def of_keys(self, keys: Sequence[int | str]) -> list[MachineAction]:
        """Those that still are, in the order of their ids."""
        found: dict[int | str, MachineAction] = {}
        for start in range(0, len(keys), KEYS_OF_ONE_STATEMENT):
            some = MACHINE_ACTIONS.c.action_id.in_(keys[start : start + KEYS_OF_ONE_STATEMENT])
            statement = self.select(MACHINE_ACTIONS).where(some)
            found |= {row.action_id: _to_action(row) for row in self.connection.execute(statement)}
        return [found[key] for key in keys if key in found]

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many actions meet `condition`."""
        statement = select(func.count()).select_from(MACHINE_ACTIONS).where(self.own(MACHINE_ACTIONS))
        return int(self.connection.scalar(statement if condition is None else statement.where(condition)) or 0)

    def request(self, action_id: str, new: NewAction, now: int) -> MachineAction:
        """Store a new pending action. Raises ActiveRequestExistsError if one like it is unfinished."""
        states = [CommandState(index, command) for index, command in enumerate(new.commands)]
        values = {
            "action_id": action_id,
            "machine_id": new.machine_id,
            "dns_name": new.dns_name,
            "type": new.type,
            "status": "Pending",
            "scope": new.scope,
            "title": new.title,
            "requestor": new.requestor,
            "request_source": new.request_source,
            "requestor_comment": new.comment,
            "external_id": new.external_id,
            "created": now,
            "last_update": now,
            "error_hresult": 0,
            "file_identifier": new.file_identifier,
            "file_identifier_type": new.file_identifier_type,
            "commands": msgspec.to_builtins(states),
            "active_key": _active_key(new),
        }
        try:
            with self.connection.begin_nested():
                self.insert(MACHINE_ACTIONS, **values)
        except IntegrityError as error:
            raise ActiveRequestExistsError(type=new.type, machine=new.machine_id) from error
        action = self.get(action_id)
        assert action is not None
        return action

    def start(self, action_id: str, now: int) -> None:
        """Pending → InProgress; anything else stays as it is."""
        pending = MACHINE_ACTIONS.c.status == "Pending"
        self._set(action_id, pending, status="InProgress", last_update=now)

    def finish(
        self, action_id: str, status: Status, now: int, *, error: int = 0, commands: tuple[CommandState, ...] = ()
    ) -> bool:
        """End an unfinished action; False if it has ended already."""
        unfinished = MACHINE_ACTIONS.c.status.in_(UNFINISHED)
        values: dict[str, object] = {"status": status, "last_update": now, "error_hresult": error, "active_key": None}
        if commands:
            values["commands"] = msgspec.to_builtins(commands)
        return self._set(action_id, unfinished, **values)

    def cancel(self, action_id: str, requestor: str, comment: str, now: int) -> bool:
        """Cancel an unfinished action; False if it has ended already."""
        return self._set(
            action_id,
            MACHINE_ACTIONS.c.status.in_(UNFINISHED),
            status="Cancelled",
            last_update=now,
            active_key=None,
            cancellation_requestor=requestor,
            cancellation_comment=comment,
            cancelled_at=now,
        )

    def keep(self, action_id: str, output: Output) -> None:
        """Store a file that an action brought; an earlier one at its place goes."""
        place = (ACTION_OUTPUTS.c.action_id == action_id, ACTION_OUTPUTS.c.position == output.position)
        self.connection.execute(self.delete(ACTION_OUTPUTS).where(*place))
        self.insert(ACTION_OUTPUTS, action_id=action_id, **msgspec.structs.asdict(output))

    def output(self, action_id: str, position: int) -> Output | None:
        """A file that an action brought."""
        table = ACTION_OUTPUTS
        statement = self.select(table).where(table.c.action_id == action_id.lower(), table.c.position == position)
        row = self.connection.execute(statement).first()
        return None if row is None else Output(row.position, row.file_name, row.media_type, row.content)

    def _set(self, action_id: str, condition: ColumnElement[bool], **values: object) -> bool:
        statement = self.update(MACHINE_ACTIONS).where(MACHINE_ACTIONS.c.action_id == action_id, condition)
        return self.connection.execute(statement.values(values)).rowcount == 1


def _active_key(new: NewAction) -> str:
    kind = _EXCLUSIONS.get(new.type, new.type)
    return f"{new.machine_id}/{kind}/{new.file_identifier or ''}"


def _to_action(row: Row[Any]) -> MachineAction:
    values = {name: getattr(row, name) for name in MachineAction.__struct_fields__}
    return MachineAction(**{**values, "commands": msgspec.convert(row.commands, tuple[CommandState, ...])})
