"""Graph's alerts_v2: list, get, update, comment."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from vedette.api.actors import by_caller
from vedette.api.bodies import read_object
from vedette.api.changes import OptionalText, enum_value
from vedette.api.cursors import CursorBox
from vedette.api.graph.alert_filters import alert_properties
from vedette.api.graph.comments import read_comments
from vedette.api.graph.entities import to_alert, to_comments, to_mapping
from vedette.api.graph.incidents import check_reasons, merge_answer, require_incidents, whole_number
from vedette.api.graph.surface import count_answer, graph_answer, list_answer, metadata_url, shape_of
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.listing import ListRules, select_members
from vedette.api.snapshot_lists import SnapshotList
from vedette.api.written_incidents import VersionPages, WrittenIncidents
from vedette.clock import Clock
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.incidents.alerts import ALERT_FIELDS, Alert, AlertChange, Alerts
from vedette.incidents.triage import move_alerts
from vedette.machines.visibility import seen_alerts
from vedette.odata.options import decode_query, parse_options
from vedette.store.engine import Store

COLLECTION = "security/alerts_v2"


class AlertPatch(msgspec.Struct, frozen=True, rename="camel"):
    """Writable properties."""

    status: OptionalText = msgspec.UNSET
    classification: OptionalText = msgspec.UNSET
    determination: OptionalText = msgspec.UNSET
    assigned_to: OptionalText = msgspec.UNSET
    custom_details: Mapping[str, str] | msgspec.UnsetType | None = msgspec.UNSET


class MoveBody(msgspec.Struct, frozen=True, rename="camel"):
    """Alerts to move into an incident; without one, into a new one."""

    alert_ids: tuple[str, ...]
    incident_id: str | None = None
    alert_comment: str | None = None
    new_correlation_reasons: str | None = None


class GraphAlerts:
    """Handlers."""

    def __init__(self, store: Store, clock: Clock, cursors: CursorBox, written: WrittenIncidents) -> None:
        self._written = written
        self._store = store
        self._clock = clock
        rules = ListRules(
            offered=frozenset({"$filter", "$top", "$skip", "$count", "$select", "$orderby", "$skiptoken"}),
            properties=alert_properties(),
            default_order=((ALERT_FIELDS["last_update"], True), (ALERT_FIELDS["alert_id"], True)),
            default_page=100,
            max_page=1000,
            over_max="clamp",
        )
        self._list = SnapshotList(rules, cursors)

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/alerts_v2."""
        asked = query, _ = self._list.read(context, request)
        select, shape = query.options.select, shape_of(context, request)
        value: Sequence[object]
        with self._store.connect() as connection:
            alerts = Alerts(connection, context.tenant.tenant_id, seen_alerts(context))
            page = self._list.page(context, request, asked, (connection, VersionPages(alerts)))
            if select:
                found = {each.alert_id: to_alert(each, shape) for each in alerts.of_ids([row[0] for row in page.rows])}
                value = [select_members(to_mapping(found[row.alert_id]), select) for row in page.rows]
            else:
                value = self._written.read_alerts(shape.form, alerts, page.rows, lambda each: to_alert(each, shape))
        fragment = f"{COLLECTION}({','.join(select)})" if select else COLLECTION
        return list_answer(metadata_url(request, fragment), page, value)

    def count(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/alerts_v2/$count."""
        query, _ = self._list.read(context, request)
        with self._store.connect() as connection:
            total = Alerts(connection, context.tenant.tenant_id, seen_alerts(context)).count(query.selection.condition)
        return count_answer(total)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/alerts_v2/{id}."""
        options = parse_options(decode_query(request.query), frozenset({"$select"}))
        alert_id = request.path_parameters["id"]
        with self._store.connect() as connection:
            alert = Alerts(connection, context.tenant.tenant_id, seen_alerts(context)).get(alert_id)
        if alert is None:
            raise NotFoundError(resource=alert_id)
        members = select_members(to_mapping(to_alert(alert, shape_of(context, request))), options.select)
        return graph_answer({"@odata.context": metadata_url(request, f"{COLLECTION}/$entity"), **members})

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /security/alerts_v2/{id}."""
        patch = read_object(request.body, AlertPatch)
        change = AlertChange(
            status=enum_value("alertStatus", "status", patch.status),
            classification=enum_value("alertClassification", "classification", patch.classification),
            determination=enum_value("alertDetermination", "determination", patch.determination),
            assigned_to=patch.assigned_to,
            custom_details={} if patch.custom_details is None else patch.custom_details,
        )
        entity = to_alert(self._apply(context, request, change), shape_of(context, request))
        return graph_answer({"@odata.context": metadata_url(request, f"{COLLECTION}/$entity"), **to_mapping(entity)})

    def add_comment(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /security/alerts_v2/{id}/comments: answers all comments."""
        for comment in read_comments(request.body):
            alert = self._apply(context, request, AlertChange(comment=comment))
        context_url = metadata_url(request, f"{COLLECTION}('{alert.alert_id}')/comments")
        return graph_answer({"@odata.context": context_url, "value": to_comments(alert.comments)})

    def move(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /security/alerts_v2/moveAlerts."""
        body = read_object(request.body, MoveBody)
        check_reasons("newCorrelationReasons", body.new_correlation_reasons)
        if not body.alert_ids:
            raise InvalidRequestError("InvalidBodyValue", property="alertIds")
        wanted = None if body.incident_id is None else whole_number("incidentId", body.incident_id)
        by = by_caller(context, self._clock, "Microsoft Graph")
        tenant_id = context.tenant.tenant_id
        with self._store.begin() as connection:
            _require_alerts(connection, context, body.alert_ids)
            require_incidents(connection, context, [] if wanted is None else [wanted])
            target = move_alerts(connection, tenant_id, body.alert_ids, wanted, by)
            if body.alert_comment:
                for alert_id in body.alert_ids:
                    Alerts(connection, tenant_id, seen_alerts(context)).change(
                        alert_id, AlertChange(comment=body.alert_comment), by
                    )
        return merge_answer(request, target)

    def _apply(self, context: RequestContext, request: ApiRequest, change: AlertChange) -> Alert:
        alert_id = request.path_parameters["id"]
        with self._store.begin() as connection:
            alert = Alerts(connection, context.tenant.tenant_id, seen_alerts(context)).change(
                alert_id, change, by_caller(context, self._clock, "Microsoft Graph")
            )
        if alert is None:
            raise NotFoundError(resource=alert_id)
        return alert


def _require_alerts(connection: Connection, context: RequestContext, alert_ids: Iterable[str]) -> None:
    alerts = Alerts(connection, context.tenant.tenant_id, seen_alerts(context))
    for alert_id in alert_ids:
        if alerts.get(alert_id) is None:
            raise NotFoundError(resource=alert_id)
