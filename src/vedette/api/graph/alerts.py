"""Graph's alerts_v2: list, get, update, comment."""

import msgspec

from vedette.api.bodies import read_object
from vedette.api.changes import OptionalText, enum_value
from vedette.api.graph.entities import to_alert, to_comments, to_mapping
from vedette.api.graph.surface import graph_answer, metadata_url, shape_of
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.listing import ListRules, read_list, select_members
from vedette.clock import Clock, now_ticks
from vedette.context import RequestContext
from vedette.contracts.enums import load_enums
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.incidents.alerts import ALERT_FIELDS, Alert, AlertChange, Alerts
from vedette.odata.options import decode_query, parse_options
from vedette.odata.sql import Property, PropertyMap
from vedette.store.engine import Store

COLLECTION = "security/alerts_v2"


class AlertPatch(msgspec.Struct, frozen=True, rename="camel"):
    """Writable properties."""

    status: OptionalText = msgspec.UNSET
    classification: OptionalText = msgspec.UNSET
    determination: OptionalText = msgspec.UNSET
    assigned_to: OptionalText = msgspec.UNSET


class AlertCommentBody(msgspec.Struct, frozen=True):
    """A comment to add."""

    comment: str


def alert_properties() -> PropertyMap:
    """What may be filtered and ordered by."""
    field, enums = ALERT_FIELDS, load_enums()
    return {
        "id": Property(field["alert_id"], "string"),
        "incidentId": Property(field["incident_id"], "integer"),
        "assignedTo": Property(field["assigned_to"], "string"),
        "category": Property(field["category"], "string"),
        "classification": Property(field["classification"], "enum", enums["alertClassification"].spellings),
        "createdDateTime": Property(field["created"], "datetime"),
        "determination": Property(field["determination"], "enum", enums["alertDetermination"].spellings),
        "firstActivityDateTime": Property(field["first_activity"], "datetime"),
        "lastActivityDateTime": Property(field["last_activity"], "datetime"),
        "lastUpdateDateTime": Property(field["last_update"], "datetime"),
        "serviceSource": Property(field["service_source"], "enum", enums["serviceSource"].spellings),
        "severity": Property(field["severity"], "enum", enums["alertSeverity"].spellings),
        "status": Property(field["status"], "enum", enums["alertStatus"].spellings),
        "title": Property(field["title"], "string"),
    }


class GraphAlerts:
    """Handlers."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._rules = ListRules(
            offered=frozenset({"$filter", "$top", "$skip", "$count", "$select", "$orderby", "$skiptoken"}),
            properties=alert_properties(),
            default_order=((ALERT_FIELDS["created"], True), (ALERT_FIELDS["alert_id"], True)),
            default_page=100,
            max_page=1000,
            over_max="clamp",
        )

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/alerts_v2."""
        query = read_list(request, self._rules)
        shape = shape_of(context, request)
        with self._store.connect() as connection:
            alerts = Alerts(connection, context.tenant.tenant_id)
            page, after = alerts.page(query.selection)
            total = alerts.count(query.selection.condition) if query.options.count else None
        select = query.options.select
        fragment = f"{COLLECTION}({','.join(select)})" if select else COLLECTION
        document: dict[str, object] = {"@odata.context": metadata_url(request, fragment)}
        if total is not None:
            document["@odata.count"] = total
        if after is not None:
            document["@odata.nextLink"] = query.next_link(request, after)
        entities = [to_alert(alert, shape) for alert in page]
        document["value"] = [select_members(to_mapping(each), select) for each in entities] if select else entities
        return graph_answer(document)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/alerts_v2/{id}."""
        options = parse_options(decode_query(request.query), frozenset({"$select"}))
        alert_id = request.path_parameters["id"]
        with self._store.connect() as connection:
            alert = Alerts(connection, context.tenant.tenant_id).get(alert_id)
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
        )
        entity = to_alert(self._apply(context, request, change), shape_of(context, request))
        return graph_answer({"@odata.context": metadata_url(request, f"{COLLECTION}/$entity"), **to_mapping(entity)})

    def add_comment(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /security/alerts_v2/{id}/comments: answers all comments."""
        body = read_object(request.body, AlertCommentBody)
        if not body.comment.strip():
            raise InvalidRequestError("InvalidBodyValue", property="comment")
        alert = self._apply(context, request, AlertChange(comment=body.comment))
        context_url = metadata_url(request, f"{COLLECTION}('{alert.alert_id}')/comments")
        return graph_answer({"@odata.context": context_url, "value": to_comments(alert.comments)})

    def _apply(self, context: RequestContext, request: ApiRequest, change: AlertChange) -> Alert:
        alert_id = request.path_parameters["id"]
        with self._store.begin() as connection:
            alert = Alerts(connection, context.tenant.tenant_id).change(
                alert_id, change, context.principal.display_name, now_ticks(self._clock)
            )
        if alert is None:
            raise NotFoundError(resource=alert_id)
        return alert
