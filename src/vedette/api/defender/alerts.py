"""The alerts operations of Defender for Endpoint: list, get, change, create from an event, and what they are about."""

import msgspec
from sqlalchemy import Connection

from vedette.api.actors import by_caller
from vedette.api.bodies import read_object
from vedette.api.changes import OptionalText, Text, enum_value
from vedette.api.cursors import CursorBox
from vedette.api.defender.alert_entities import account_of, device_of, to_alert
from vedette.api.defender.alert_lists import EXPANDABLE, AlertLists, alert_members
from vedette.api.defender.answers import caller_name, collection, entity, found, required, without_options
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.machine_entities import account_of_user, to_machine, to_user
from vedette.api.defender.sightings import FileDescriptions
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.listing import read_expand
from vedette.clock import now_ticks
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.incidents.alerts import Alert, AlertChange, Alerts
from vedette.incidents.evidence import FileDetails, FileEvidence, IpEvidence, ProcessEvidence, UrlEvidence
from vedette.incidents.related import of_endpoint
from vedette.machines.inventory import Machines
from vedette.machines.reported_alerts import ReportedAlert, report
from vedette.machines.visibility import seen_alerts
from vedette.odata.dates import parse_ticks
from vedette.odata.options import decode_query, parse_options

MAX_UPDATED = 1_000


class AlertUpdate(msgspec.Struct, frozen=True, rename="camel"):
    """Body of PATCH. `comment` adds one comment."""

    status: Text = msgspec.UNSET
    assigned_to: OptionalText = msgspec.UNSET
    classification: OptionalText = msgspec.UNSET
    determination: OptionalText = msgspec.UNSET
    comment: OptionalText = msgspec.UNSET


class BatchUpdate(AlertUpdate, frozen=True, kw_only=True, rename="camel"):
    """Body of batchUpdate."""

    alert_ids: tuple[str, ...]


class ReferenceBody(msgspec.Struct, frozen=True, rename="camel"):
    """Body of CreateAlertByReference."""

    machine_id: str
    severity: str
    title: str
    description: str
    recommended_action: str
    event_time: str
    report_id: str | int
    category: str


class DefenderAlerts:
    """Handlers."""

    def __init__(self, parts: EndpointParts, cursors: CursorBox) -> None:
        self._parts = parts
        self._lists = AlertLists(parts, cursors)

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/alerts."""
        return self._lists.answer(context, request, of_endpoint())

    def count(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/alerts/$count."""
        return self._lists.count(context, request, of_endpoint())

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/alerts/{id}: always with evidence."""
        options = parse_options(decode_query(request.query), frozenset({"$expand", "$select"}))
        read_expand(options, EXPANDABLE)
        (members,) = alert_members(context, [self._alert(context, request)], options.select, with_evidence=True)
        return entity(request, "Alerts", members)

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /api/alerts/{id}."""
        change = _to_change(read_object(request.body, AlertUpdate))
        with self._parts.store.begin() as connection:
            alert = self._change(connection, context, request.path_parameters["id"], change)
        return entity(request, "Alerts", to_alert(alert, context.tenant.tenant_id, with_evidence=True))

    def update_many(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/alerts/batchUpdate: all of them or none."""
        body = read_object(request.body, BatchUpdate)
        if not body.alert_ids:
            raise InvalidRequestError("MissingParameter", parameter="alertIds")
        if len(body.alert_ids) > MAX_UPDATED:
            raise InvalidRequestError("MaximumBatchSizeExceeded", received=len(body.alert_ids), limit=MAX_UPDATED)
        change = _to_change(body)
        with self._parts.store.begin() as connection:
            for alert_id in dict.fromkeys(body.alert_ids):
                self._change(connection, context, alert_id, change)
        return ApiResponse(200)

    def create_by_reference(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/alerts/CreateAlertByReference: an alert from an event, which has to exist."""
        reported = _to_reported(read_object(request.body, ReferenceBody))
        parts = self._parts
        _require_machine(parts, context, reported)
        alert = report(parts.reports, context.tenant, reported, caller_name(context.principal))
        if alert is None:
            raise NotFoundError(resource=f"Event {reported.report_id} of machine {reported.machine_id}")
        return entity(request, "Alerts", to_alert(alert, context.tenant.tenant_id, with_evidence=True))

    def machine(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/alerts/{id}/machine."""
        without_options(request)
        alert = self._alert(context, request)
        device = found(device_of(alert), "Machine of alert", alert.alert_id)
        with self._parts.store.connect() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)
            machine = machines.get(device.device_id)
        return entity(request, "Machines", to_machine(found(machine, "Machine", device.device_id)))

    def user(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/alerts/{id}/user: as the logons to the alert's machine tell of them."""
        without_options(request)
        alert = self._alert(context, request)
        account = found(account_of(alert), "User of alert", alert.alert_id)
        device = device_of(alert)
        with self._parts.store.connect() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)
            users = machines.users(device.device_id) if device else []
            name = (account.account_name or "").lower()
            user = found(next((each for each in users if each.account_name.lower() == name), None), "User", name)
            logons = machines.logons([account_of_user(user)])
        return entity(request, "Users", to_user(user, logons))

    def files(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/alerts/{id}/files."""
        without_options(request)
        files: dict[tuple[str | None, str | None], FileDetails] = {}
        for item in self._alert(context, request).evidence:
            evidence = item.entity
            if isinstance(evidence, FileEvidence):
                files.setdefault((evidence.file.sha1, evidence.file.sha256), evidence.file)
            elif isinstance(evidence, ProcessEvidence) and evidence.image is not None:
                files.setdefault((evidence.image.sha1, evidence.image.sha256), evidence.image)
        describe = FileDescriptions(self._parts.telemetry.within(context.scope)).describe
        answers = (describe(context.tenant, each) for key, each in files.items() if any(key))
        return collection(request, "Files", answers)

    def ips(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/alerts/{id}/ips."""
        without_options(request)
        evidence = [item.entity for item in self._alert(context, request).evidence]
        addresses = dict.fromkeys(each.address for each in evidence if isinstance(each, IpEvidence))
        return collection(request, "Ips", ({"id": address} for address in addresses))

    def domains(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/alerts/{id}/domains."""
        without_options(request)
        evidence = [item.entity for item in self._alert(context, request).evidence]
        urls = (each.url for each in evidence if isinstance(each, UrlEvidence))
        hosts = dict.fromkeys(host for host in map(_host, urls) if host)
        return collection(request, "Domains", ({"host": host} for host in hosts))

    def _alert(self, context: RequestContext, request: ApiRequest) -> Alert:
        alert_id = request.path_parameters["id"]
        with self._parts.store.connect() as connection:
            return found(
                Alerts(connection, context.tenant.tenant_id, seen_alerts(context)).get(alert_id), "Alert", alert_id
            )

    def _change(self, connection: Connection, context: RequestContext, alert_id: str, change: AlertChange) -> Alert:
        alerts = Alerts(connection, context.tenant.tenant_id, seen_alerts(context))
        by = by_caller(context, self._parts.clock, "Defender for Endpoint API")
        return found(alerts.change(alert_id, change, by), "Alert", alert_id)


def _to_change(update: AlertUpdate) -> AlertChange:
    comment = msgspec.UNSET if update.comment is None else update.comment
    if isinstance(comment, str):
        required(comment, "comment")
    return AlertChange(
        status=enum_value("alertStatus", "status", update.status),
        assigned_to=update.assigned_to,
        classification=enum_value("alertClassification", "classification", update.classification),
        determination=enum_value("alertDetermination", "determination", update.determination),
        comment=comment,
    )


def _to_reported(body: ReferenceBody) -> ReportedAlert:
    event_time = parse_ticks(body.event_time)
    if event_time is None:
        raise InvalidRequestError("InvalidBodyValue", property="eventTime")
    report_id = str(body.report_id)
    if not (report_id.lstrip("-").isdigit() and len(report_id) <= 19):
        raise InvalidRequestError("InvalidBodyValue", property="reportId")
    severity = str(enum_value("alertSeverity", "severity", body.severity))
    if severity not in ("low", "medium", "high"):
        raise InvalidRequestError("InvalidBodyValue", property="severity")
    return ReportedAlert(
        machine_id=required(body.machine_id, "machineId").lower(),
        event_time=event_time,
        report_id=int(report_id),
        severity=severity,
        title=required(body.title, "title"),
        description=required(body.description, "description"),
        recommended_action=required(body.recommended_action, "recommendedAction"),
        category=str(enum_value("alertCategoryByReference", "category", body.category)),
    )


def _require_machine(parts: EndpointParts, context: RequestContext, reported: ReportedAlert) -> None:
    """An alert is not raised on a machine that the caller does not see."""
    with parts.store.connect() as connection:
        machines = Machines(connection, context.tenant.tenant_id, now_ticks(parts.clock), context.scope)
        if context.scope.narrows_devices and machines.get(reported.machine_id) is None:
            raise NotFoundError(resource=f"Event {reported.report_id} of machine {reported.machine_id}")


def _host(url: str) -> str:
    rest = url.partition("://")[2] or url
    return rest.partition("/")[0].partition("?")[0].rpartition("@")[2].partition(":")[0].lower()
