"""What a rule does besides raising alerts: machine actions, investigations and file indicators, on what its hits name.

An action is asked for once per run and target, in the transaction of the alerts. What another request already asks of
a machine is not asked again.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from vedette.clock import Clock, now_ticks
from vedette.detections.hits import Hit
from vedette.errors import InvalidRequestError
from vedette.indicators.indicators import Author, Indicators, NewIndicator
from vedette.machines.actions import ActiveRequestExistsError, NewAction
from vedette.machines.execution import ActionRequests
from vedette.machines.inventory import Machine, Machines
from vedette.machines.investigations import InvestigationRequests
from vedette.observability.logs import get_logger

LOG = get_logger(__name__)

Kind = Literal[
    "isolateDevices",
    "collectInvestigationPackages",
    "runAntivirusScans",
    "restrictAppExecutions",
    "initiateInvestigations",
    "stopAndQuarantineFiles",
    "blockFiles",
    "allowFiles",
]
REQUESTOR = "Custom detection"
MACHINE_ACTIONS: Mapping[str, tuple[str, str | None]] = {
    "isolateDevices": ("Isolate", "Full"),
    "collectInvestigationPackages": ("CollectInvestigationPackage", None),
    "runAntivirusScans": ("RunAntiVirusScan", "Quick"),
    "restrictAppExecutions": ("RestrictCodeExecution", None),
    "stopAndQuarantineFiles": ("StopAndQuarantineFile", None),
}
"""Type and scope of the machine action that a kind of response is."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "isolateDevices",
            "collectInvestigationPackages",
            "runAntivirusScans",
            "restrictAppExecutions",
            "initiateInvestigations",
        ),
        ("device_id",),
    ),
    "stopAndQuarantineFiles": ("device_id", "sha1"),
    "blockFiles": ("sha1", "sha256"),
    "allowFiles": ("sha1", "sha256"),
}
"""What each kind needs of a hit; of files, one of the two."""

_OLDER: Mapping[str, str] = {
    "isolateDeviceResponseAction": "isolateDevices",
    "collectInvestigationPackageResponseAction": "collectInvestigationPackages",
    "runAntivirusScanResponseAction": "runAntivirusScans",
    "restrictAppExecutionResponseAction": "restrictAppExecutions",
    "initiateInvestigationResponseAction": "initiateInvestigations",
    "stopAndQuarantineFileResponseAction": "stopAndQuarantineFiles",
    "blockFileResponseAction": "blockFiles",
    "allowFileResponseAction": "allowFiles",
}
_IDENTIFIERS: Mapping[str, tuple[str, str]] = {
    "deviceId": ("device_id", "DeviceId"),
    "sha1": ("sha1", "SHA1"),
    "initiatingProcessSHA1": ("sha1", "InitiatingProcessSHA1"),
    "sha256": ("sha256", "SHA256"),
    "initiatingProcessSHA256": ("sha256", "InitiatingProcessSHA256"),
}
_COLUMNS: Mapping[str, str] = {"deviceIdColumn": "device_id", "sha1Column": "sha1", "sha256Column": "sha256"}


class Response(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One response of a rule: what is done, and which columns of a hit say to what."""

    kind: Kind
    columns: Mapping[str, str]
    scope: str | None = None
    device_groups: tuple[str, ...] = ()


class ResponseNotBuiltError(InvalidRequestError):
    """A response that is documented and not built. Fields: `action`, `known`."""

    code = "ResponseActionNotBuilt"


def responses_of(
    automated: Mapping[str, Any] | None, response_actions: Iterable[Mapping[str, Any]] | None
) -> Iterator[Response]:
    """The responses that a detectionAction asks for, in either shape. Raises InvalidRequestError."""
    for name, entries in (automated or {}).items():
        if name.startswith("@") or not entries:
            continue
        if name not in FIELDS:
            raise ResponseNotBuiltError(action=name, known=", ".join(FIELDS))
        for entry in entries:
            columns = {field: str(entry[key]) for key, field in _COLUMNS.items() if entry.get(key)}
            yield _checked(name, columns, entry, f"detectionAction.automatedActions.{name}")
    for action in response_actions or ():
        name = str(action.get("@odata.type", "")).rpartition(".")[2]
        if name not in _OLDER:
            raise ResponseNotBuiltError(action=name, known=", ".join(_OLDER))
        named = [each.strip() for each in str(action.get("identifier", "")).split(",")]
        columns = dict(_IDENTIFIERS[each] for each in named if each in _IDENTIFIERS)
        if _OLDER[name] == "stopAndQuarantineFiles":
            columns.setdefault("device_id", "DeviceId")
        yield _checked(_OLDER[name], columns, action, "detectionAction.responseActions")


def _checked(name: str, columns: dict[str, str], given: Mapping[str, Any], place: str) -> Response:
    wanted = FIELDS[name]
    needed = (
        any(each in columns for each in wanted) if name in ("blockFiles", "allowFiles") else set(wanted) <= set(columns)
    )
    isolation = str(given.get("isolationType") or "full").lower()
    if not needed or set(columns) - set(wanted) or isolation not in ("full", "selective"):
        raise InvalidRequestError("InvalidBodyValue", property=place)
    scope = isolation.capitalize() if name == "isolateDevices" else None
    groups = tuple(str(each) for each in given.get("deviceGroupNames") or ())
    return msgspec.convert({"kind": name, "columns": columns, "scope": scope, "device_groups": groups}, Response)


class Responder:
    """Carries responses out, in the caller's transaction."""

    def __init__(self, actions: ActionRequests, investigations: InvestigationRequests, clock: Clock) -> None:
        self._actions = actions
        self._investigations = investigations
        self._clock = clock

    def respond(
        self, connection: Connection, tenant_id: str, rule: str, responses: Iterable[Response], hits: Iterable[Hit]
    ) -> int:
        """Ask for everything that the hits of a rule call for; how much was asked for."""
        rows = [hit.row for hit in hits]
        done = 0
        for response in responses:
            targets = dict.fromkeys(_target(response, row) for row in rows)
            for target in targets:
                if target is not None:
                    done += self._one(connection, tenant_id, rule, response, dict(target))
        return done

    def _one(
        self, connection: Connection, tenant_id: str, rule: str, response: Response, target: Mapping[str, str]
    ) -> bool:
        comment = f"Detection rule {rule}"
        if response.kind in ("blockFiles", "allowFiles"):
            return self._file(connection, tenant_id, response, target, comment)
        machine = Machines(connection, tenant_id, now_ticks(self._clock)).get(target["device_id"])
        if machine is None:
            LOG.warning("response to an unknown machine", rule=rule, kind=response.kind)
            return False
        if response.kind == "initiateInvestigations":
            self._investigations.start(connection, tenant_id, machine, comment)
            return True
        return self._machine_action(connection, tenant_id, machine, (response, target, comment))

    def _machine_action(
        self, connection: Connection, tenant_id: str, machine: Machine, order: tuple[Response, Mapping[str, str], str]
    ) -> bool:
        response, target, comment = order
        type_, scope = MACHINE_ACTIONS[response.kind]
        sha1 = target.get("sha1")
        new = NewAction(
            machine_id=machine.machine_id,
            dns_name=machine.dns_name,
            type=type_,
            requestor=REQUESTOR,
            request_source="CustomDetection",
            comment=comment,
            scope=response.scope or scope,
            file_identifier=sha1,
            file_identifier_type="Sha1" if sha1 else None,
        )
        try:
            with connection.begin_nested():
                self._actions.request(connection, tenant_id, new)
        except ActiveRequestExistsError:
            return False
        return True

    def _file(
        self, connection: Connection, tenant_id: str, response: Response, target: Mapping[str, str], comment: str
    ) -> bool:
        kind = "sha256" if "sha256" in target else "sha1"
        action = "BlockAndRemediate" if response.kind == "blockFiles" else "Allowed"
        new = NewIndicator(
            value=target[kind],
            type="FileSha256" if kind == "sha256" else "FileSha1",
            action=action,
            title=comment,
            description=comment,
            rbac_group_names=response.device_groups,
        )
        author = Author(REQUESTOR, REQUESTOR, "AadApp", sees_all=True)
        try:
            Indicators(connection, tenant_id, author).put(new, author, now_ticks(self._clock))
        except InvalidRequestError as error:
            LOG.warning("response to a file refused", rule=comment, code=error.code)
            return False
        return True


def _target(response: Response, row: Mapping[str, object]) -> tuple[tuple[str, str], ...] | None:
    """What a hit names of what a response needs; None if that is not enough."""
    named = {field: str(row[column]) for field, column in response.columns.items() if row.get(column)}
    if response.kind in ("blockFiles", "allowFiles"):
        return tuple(sorted(named.items())) or None
    return tuple(sorted(named.items())) if set(FIELDS[response.kind]) <= set(named) else None
