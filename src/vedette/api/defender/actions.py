"""The machine actions operations: what is asked of machines, its progress and its results."""

import dataclasses
import re

import msgspec
from sqlalchemy import ColumnElement, and_

from vedette.api.bodies import read_object
from vedette.api.changes import enum_value
from vedette.api.defender.answers import (
    caller_name,
    collection,
    entity,
    found,
    page_answer,
    required,
    text_answer,
    without_options,
)
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.machine_entities import to_action, to_investigation
from vedette.api.defender.machines import MAX_PAGE, OFFERED, find_machine
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.listing import ListRules
from vedette.clock import now_ticks
from vedette.context import Principal, RequestContext
from vedette.contracts.enums import load_enums
from vedette.errors import InvalidRequestError
from vedette.machines.actions import (
    ACTION_FIELDS,
    PACKAGE,
    UNFINISHED,
    Command,
    MachineAction,
    MachineActions,
    NewAction,
    Parameter,
)
from vedette.machines.inventory import Machine, Machines
from vedette.machines.suitability import availabilities, require_suitable
from vedette.odata.sql import Property, PropertyMap

LINK_SECONDS = 30 * 60
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")


class ActionBody(msgspec.Struct, frozen=True, rename="pascal"):
    """Body of every action."""

    comment: str
    external_id: str | None = None
    title: str | None = None


class IsolateBody(ActionBody, frozen=True, rename="pascal"):
    """Body of isolate."""

    isolation_type: str = "Full"


class ScanBody(ActionBody, frozen=True, rename="pascal"):
    """Body of runAntiVirusScan."""

    scan_type: str = "Quick"


class FileBody(ActionBody, frozen=True, kw_only=True, rename="pascal"):
    """Body of StopAndQuarantineFile."""

    sha1: str


class CommandBody(msgspec.Struct, frozen=True):
    """A live-response command."""

    type: str
    params: tuple[Parameter, ...] = ()


class FreeActionBody(ActionBody, frozen=True, rename="pascal"):
    """Body of those that go without a comment, too."""

    comment: str = ""


class LiveResponseBody(FreeActionBody, frozen=True, rename="pascal"):
    """Body of runliveresponse."""

    commands: tuple[CommandBody, ...] = ()


def action_properties() -> PropertyMap:
    """What may be filtered by."""
    field, enums = ACTION_FIELDS, load_enums()
    return {
        "id": Property(field["action_id"], "string"),
        "status": Property(field["status"], "enum", enums["machineActionStatus"].spellings),
        "machineId": Property(field["machine_id"], "string"),
        "type": Property(field["type"], "enum", enums["machineActionType"].spellings),
        "requestor": Property(field["requestor"], "string"),
        "creationDateTimeUtc": Property(field["created"], "datetime"),
        "lastUpdateDateTimeUtc": Property(field["last_update"], "datetime"),
    }


class DefenderActions:
    """Handlers."""

    def __init__(self, parts: EndpointParts) -> None:
        self._parts = parts
        self._rules = ListRules(
            offered=OFFERED,
            properties=action_properties(),
            default_order=((ACTION_FIELDS["created"], True), (ACTION_FIELDS["action_id"], True)),
            default_page=MAX_PAGE,
            max_page=MAX_PAGE,
            over_max="refuse",
        )

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machineactions."""
        return self._page(context, request, None)

    def of_machine(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/{id}/machineactions."""
        machine_id = self._machine(context, request).machine_id
        return self._page(context, request, ACTION_FIELDS["machine_id"] == machine_id)

    def available(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/{id}/availableMachineActions."""
        without_options(request)
        statuses = [
            {"action": each.action, "isAvailable": each.reason is None, "notSupportedReason": each.reason}
            for each in availabilities(self._machine(context, request))
        ]
        name = "Collection(microsoft.windowsDefenderATP.api.ActionAvailabilityStatus)"
        return collection(request, name, statuses)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machineactions/{id}."""
        without_options(request)
        return entity(request, "MachineActions", to_action(self._action(context, request)))

    def isolate(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machines/{id}/isolate."""
        body = read_object(request.body, IsolateBody)
        scope = enum_value("isolationType", "IsolationType", body.isolation_type)
        return self._request(context, request, body, "Isolate", scope=str(scope))

    def unisolate(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machines/{id}/unisolate."""
        return self._request(context, request, read_object(request.body, ActionBody), "Unisolate")

    def restrict(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machines/{id}/restrictCodeExecution."""
        return self._request(context, request, read_object(request.body, ActionBody), "RestrictCodeExecution")

    def unrestrict(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machines/{id}/unrestrictCodeExecution."""
        return self._request(context, request, read_object(request.body, ActionBody), "UnrestrictCodeExecution")

    def scan(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machines/{id}/runAntiVirusScan."""
        body = read_object(request.body, ScanBody)
        scope = enum_value("scanType", "ScanType", body.scan_type)
        return self._request(context, request, body, "RunAntiVirusScan", scope=str(scope))

    def offboard(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machines/{id}/offboard."""
        return self._request(context, request, read_object(request.body, ActionBody), "Offboard")

    def collect_package(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machines/{id}/collectInvestigationPackage."""
        return self._request(context, request, read_object(request.body, ActionBody), "CollectInvestigationPackage")

    def stop_and_quarantine(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machines/{id}/StopAndQuarantineFile."""
        body = read_object(request.body, FileBody)
        if not _SHA1.fullmatch(body.sha1):
            raise InvalidRequestError("InvalidHashValue", value=body.sha1)
        return self._request(context, request, body, "StopAndQuarantineFile", sha1=body.sha1.lower())

    def live_response(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machines/{id}/runliveresponse."""
        body = read_object(request.body, LiveResponseBody)
        if not body.commands:
            raise InvalidRequestError("MissingParameter", parameter="Commands")
        commands = tuple(map(_command, body.commands))
        order = [member.name for member in load_enums()["liveResponseCommand"].members]
        places = [order.index(command.type) for command in commands]
        if places != sorted(places):
            raise InvalidRequestError("InvalidInput", reason=f"Commands have to be in the order {', '.join(order)}.")
        return self._request(context, request, body, "LiveResponse", commands=commands)

    def cancel(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machineactions/{id}/cancel. What has ended cannot be cancelled any more."""
        comment = read_object(request.body, FreeActionBody).comment
        action = self._action(context, request)
        now = now_ticks(self._parts.clock)
        with self._parts.store.begin() as connection:
            actions = MachineActions(connection, context.tenant.tenant_id, context.scope)
            if not actions.cancel(action.action_id, requestor_of(context.principal), comment, now):
                raise InvalidRequestError("ActionHasEnded", action=action.action_id)
            cancelled = actions.get(action.action_id)
        return entity(request, "MachineActions", to_action(found(cancelled, "MachineAction", action.action_id)))

    def package_uri(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machineactions/{id}/getPackageUri. The link comes in quotes of its own, as documented."""
        return self._link(context, request, PACKAGE, quoted=True)

    def live_response_result(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machineactions/{id}/GetLiveResponseResultDownloadLink(index=n)."""
        index = request.path_parameters["n"]
        if not (index.isascii() and index.isdigit() and len(index) <= 4):
            raise InvalidRequestError("InvalidParameter", parameter="index")
        return self._link(context, request, int(index), quoted=False)

    def start_investigation(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/machines/{id}/startInvestigation."""
        comment = required(read_object(request.body, ActionBody).comment, "Comment")
        with self._parts.store.begin() as connection:
            tenant_id = context.tenant.tenant_id
            machine = find_machine(
                Machines(connection, tenant_id, now_ticks(self._parts.clock), context.scope), request
            )
            investigation = self._parts.investigations.start(connection, tenant_id, machine, comment)
        return entity(request, "Investigations", to_investigation(investigation), status=201)

    def _request(
        self,
        context: RequestContext,
        request: ApiRequest,
        body: ActionBody,
        type_: str,
        *,
        scope: str | None = None,
        sha1: str | None = None,
        commands: tuple[Command, ...] = (),
    ) -> ApiResponse:
        comment = body.comment if isinstance(body, FreeActionBody) else required(body.comment, "Comment")
        with self._parts.store.begin() as connection:
            tenant_id = context.tenant.tenant_id
            machine = find_machine(
                Machines(connection, tenant_id, now_ticks(self._parts.clock), context.scope), request
            )
            require_suitable(machine, type_, scope)
            new = NewAction(
                machine_id=machine.machine_id,
                dns_name=machine.dns_name,
                type=type_,
                requestor=requestor_of(context.principal),
                comment=comment,
                scope=scope,
                title=body.title,
                external_id=body.external_id,
                file_identifier=sha1,
                file_identifier_type="Sha1" if sha1 else None,
                commands=commands,
            )
            action = self._parts.actions.request(connection, tenant_id, new)
        return entity(request, "MachineActions", to_action(action), status=201)

    def _page(self, context: RequestContext, request: ApiRequest, only: ColumnElement[bool] | None) -> ApiResponse:
        query, cursor = self._parts.lists.read(context, request, self._rules)
        asked = query.selection.condition
        condition = asked if only is None else only if asked is None else and_(asked, only)
        query = dataclasses.replace(query, selection=dataclasses.replace(query.selection, condition=condition))
        with self._parts.store.connect() as connection:
            actions = MachineActions(connection, context.tenant.tenant_id, context.scope)
            page = self._parts.lists.page(context, request, (query, cursor), actions)
        return page_answer(request, "MachineActions", query, page, to_action)

    def _machine(self, context: RequestContext, request: ApiRequest) -> Machine:
        with self._parts.store.connect() as connection:
            now = now_ticks(self._parts.clock)
            return find_machine(Machines(connection, context.tenant.tenant_id, now, context.scope), request)

    def _action(self, context: RequestContext, request: ApiRequest) -> MachineAction:
        action_id = request.path_parameters["id"]
        with self._parts.store.connect() as connection:
            action = MachineActions(connection, context.tenant.tenant_id, context.scope).get(action_id)
        return found(action, "MachineAction", action_id)

    def _link(self, context: RequestContext, request: ApiRequest, position: int, *, quoted: bool) -> ApiResponse:
        without_options(request)
        action = self._action(context, request)
        with self._parts.store.connect() as connection:
            output = MachineActions(connection, context.tenant.tenant_id, context.scope).output(
                action.action_id, position
            )
        if output is None or action.status in UNFINISHED:
            found(None, "Result of machine action", action.action_id)
        link = self._parts.links.make(
            request.base_url,
            context.tenant.tenant_id,
            "action",
            action.action_id,
            str(position),
            seconds=LINK_SECONDS,
        )
        value = f'"{link}"' if quoted else link
        return text_answer(request, value)


def requestor_of(principal: Principal) -> str:
    """Who asks: a person by name, an application by its id, as recorded answers of the service have it."""
    return principal.app_id if principal.kind == "application" else caller_name(principal)


def _command(body: CommandBody) -> Command:
    type_ = load_enums()["liveResponseCommand"].parse(body.type)
    if type_ is None:
        raise InvalidRequestError("InvalidBodyValue", property="Commands")
    keys = load_enums()["liveResponseParameter"]
    params = tuple(Parameter(keys.parse(each.key) or "", each.value) for each in body.params)
    needed = {"PutFile": "FileName", "RunScript": "ScriptName", "GetFile": "Path"}[type_]
    command = Command(type_, params)
    if any(not each.key for each in params) or not command.parameter(needed).strip():
        raise InvalidRequestError("InvalidBodyValue", property="Commands")
    return command
