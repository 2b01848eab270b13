"""Graph's createAlert (beta): an alert that a person or a connector makes, with the entities it names."""

import re
from collections.abc import Callable, Mapping

import msgspec
from sqlalchemy import Connection

from vedette.api.actors import by_caller
from vedette.api.bodies import read_object
from vedette.api.changes import enum_value
from vedette.api.graph.detection_rules import RuleParts
from vedette.api.graph.entities import to_alert, to_mapping
from vedette.api.graph.surface import graph_answer, metadata_url, shape_of
from vedette.api.http import ApiRequest, ApiResponse
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError
from vedette.incidents.alerts import ALERT_CREATED, AlertDetails, Alerts, NewAlert, create, put_into
from vedette.incidents.evidence import (
    DeviceEvidence,
    Evidence,
    FileDetails,
    FileEvidence,
    IpEvidence,
    MailboxEvidence,
    UrlEvidence,
    UserAccount,
    UserEvidence,
)
from vedette.incidents.triage import current_incident
from vedette.machines.inventory import Machines
from vedette.machines.visibility import seen_alerts

MAX_ENTITIES, MAX_VALUE = 100, 1000
_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")
_ACCOUNT = {
    "userprincipalname": "user_principal_name",
    "accountobjectid": "object_id",
    "accountsid": "user_sid",
    "accountname": "account_name",
}
_FILE = {"sha1": "sha1", "sha256": "sha256", "md5": "md5", "filename": "file_name"}


class EntityDefinition(msgspec.Struct, frozen=True, rename="camel"):
    """An entity: its type, what identifies it, and whether it is an impacted asset or related."""

    entity_type: str
    entity_identifier: str
    identifier_value: str
    role: str = "related"


class AlertBody(msgspec.Struct, frozen=True, rename="camel"):
    """createAlertInput."""

    title: str
    severity: str
    category: str
    description: str = ""
    recommended_actions: str | None = None
    mitre_techniques: tuple[str, ...] = ()
    entity_definitions: tuple[EntityDefinition, ...] = ()
    is_excluded_from_correlation: bool = False
    link_to_incident: int | None = None
    sentinel_workspace: str | None = None


class GraphManualAlerts:
    """Handler."""

    def __init__(self, parts: RuleParts) -> None:
        self._parts = parts

    def create(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /security/alerts_v2/createAlert: into the incident it is linked to, or where it belongs."""
        body = _checked(read_object(request.body, AlertBody))
        parts, tenant_id = self._parts, context.tenant.tenant_id
        by = by_caller(context, parts.clock, "Microsoft Graph")
        with parts.store.begin() as connection:
            evidence = tuple(_evidence(connection, context, each, by.now) for each in body.entity_definitions)
            new = NewAlert(
                title=body.title,
                severity=str(enum_value("alertSeverity", "severity", body.severity)),
                category=body.category,
                service_source="microsoft365Defender",
                detection_source="manual",
                first_activity=by.now,
                last_activity=by.now,
                details=AlertDetails(
                    description=body.description,
                    recommended_actions=body.recommended_actions,
                    mitre_techniques=body.mitre_techniques,
                ),
                evidence=evidence,
            )
            if body.link_to_incident is not None:
                linked = current_incident(connection, tenant_id, body.link_to_incident)
                alert_id = put_into(connection, tenant_id, new, linked, by=by, ids=parts.ids)
            elif body.is_excluded_from_correlation:
                alert_id = put_into(connection, tenant_id, new, None, by=by, ids=parts.ids)
            else:
                alert_id = create(connection, tenant_id, new, parts.clock, parts.ids, maker=by).alert.alert_id
            parts.outbox.publish(connection, tenant_id, ALERT_CREATED, {"alert_id": alert_id})
            alert = Alerts(connection, context.tenant.tenant_id, seen_alerts(context)).get(alert_id)
        assert alert is not None
        context_url = metadata_url(request, "security/alerts_v2/$entity")
        return graph_answer({"@odata.context": context_url, **to_mapping(to_alert(alert, shape_of(context, request)))})


def _checked(body: AlertBody) -> AlertBody:
    """The body, if it can be an alert. Raises InvalidRequestError."""
    if body.sentinel_workspace:
        raise InvalidRequestError("InvalidBodyValue", property="sentinelWorkspace")
    for name, value in (("title", body.title), ("category", body.category)):
        if not value.strip():
            raise InvalidRequestError("MissingParameter", parameter=name)
    if not all(_TECHNIQUE.fullmatch(each) for each in body.mitre_techniques):
        raise InvalidRequestError("InvalidBodyValue", property="mitreTechniques")
    if len(body.entity_definitions) > MAX_ENTITIES:
        raise InvalidRequestError("InvalidBodyValue", property="entityDefinitions")
    return body


def _evidence(connection: Connection, context: RequestContext, entity: EntityDefinition, now: int) -> Evidence:
    identifier, value = entity.entity_identifier.lower(), entity.identifier_value.strip()
    role = entity.role.lower()
    if not value or len(value) > MAX_VALUE or role not in ("impacted", "related"):
        raise InvalidRequestError("InvalidBodyValue", property="entityDefinitions")
    kind = entity.entity_type.lower()
    if kind == "device":
        machine = Machines(connection, context.tenant.tenant_id, now, context.scope).find(value)
        if identifier not in ("deviceid", "devicename") or machine is None:
            raise InvalidRequestError("InvalidBodyValue", property="entityDefinitions")
        return DeviceEvidence(
            device_id=machine.machine_id, device_name=machine.dns_name, is_impacted=role == "impacted"
        )
    if kind not in _BUILDERS:
        raise InvalidRequestError("EntityMappingNotBuilt", mapping=entity.entity_type, known=", ".join(_KNOWN))
    built = _BUILDERS[kind](identifier, value, role == "impacted")
    if built is None:
        raise InvalidRequestError("InvalidBodyValue", property="entityDefinitions")
    return built


def _user(identifier: str, value: str, impacted: bool) -> Evidence | None:
    name = _ACCOUNT.get(identifier)
    return None if name is None else UserEvidence(account=UserAccount(**{name: value}), is_impacted=impacted)


def _file(identifier: str, value: str, impacted: bool) -> Evidence | None:
    name = _FILE.get(identifier)
    if name is None:
        return None
    return FileEvidence(file=msgspec.convert({name: value}, FileDetails), is_impacted=impacted)


_BUILDERS: Mapping[str, Callable[[str, str, bool], Evidence | None]] = {
    "user": _user,
    "file": _file,
    "ip": lambda identifier, value, impacted: (
        IpEvidence(address=value, is_impacted=impacted) if identifier == "address" else None
    ),
    "url": lambda identifier, value, impacted: (
        UrlEvidence(url=value, is_impacted=impacted) if identifier in ("url", "address") else None
    ),
    "mailbox": lambda identifier, value, impacted: (
        MailboxEvidence(primary_address=value, is_impacted=impacted) if identifier == "primaryaddress" else None
    ),
}
_KNOWN = ("device", *_BUILDERS)
