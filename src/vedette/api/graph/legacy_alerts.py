"""Graph's older alerts (`/security/alerts`): list, get, update. The alerts of alerts_v2 in the shape of before."""

from collections.abc import Mapping

import msgspec

from vedette.api.actors import by_caller
from vedette.api.bodies import read_object
from vedette.api.changes import OptionalText
from vedette.api.cursors import CursorBox
from vedette.api.graph.legacy_alert_entities import FEEDBACK, PROVIDERS, STATUSES, to_legacy_alert
from vedette.api.graph.surface import graph_answer, list_answer, metadata_url, shape_of
from vedette.api.http import ApiRequest, ApiResponse, AuthenticatedHandler
from vedette.api.listing import ListRules, select_members
from vedette.api.snapshot_lists import SnapshotList
from vedette.clock import Clock
from vedette.context import RequestContext
from vedette.contracts.enums import load_enums
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.incidents.alerts import ALERT_FIELDS, Alert, AlertChange, Alerts
from vedette.machines.visibility import seen_alerts
from vedette.odata.options import decode_query, parse_options
from vedette.odata.sql import Property, PropertyMap
from vedette.store.engine import Store

COLLECTION = "security/alerts"
MAX_SKIP = 500
"""A longer way is refused (microsoft-graph-docs-contrib api-reference/beta/resources/security-error-codes.md)."""


class LegacyPatch(msgspec.Struct, frozen=True, rename="camel"):
    """Writable properties. `comments` are all of them: those that are new are added."""

    vendor_information: dict[str, str | None]
    assigned_to: OptionalText = msgspec.UNSET
    status: str | msgspec.UnsetType = msgspec.UNSET
    feedback: OptionalText = msgspec.UNSET
    comments: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    closed_date_time: str | None = None


def legacy_alert_properties() -> PropertyMap:
    """What may be filtered and ordered by."""
    field, enums = ALERT_FIELDS, load_enums()
    providers = {provider.lower(): source for source, provider in PROVIDERS.items()}
    return {
        "id": Property(field["alert_id"], "string"),
        "assignedTo": Property(field["assigned_to"], "string"),
        "category": Property(field["category"], "string"),
        "closedDateTime": Property(field["resolved"], "datetime"),
        "createdDateTime": Property(field["created"], "datetime"),
        "eventDateTime": Property(field["first_activity"], "datetime"),
        "lastEventDateTime": Property(field["last_activity"], "datetime"),
        "lastModifiedDateTime": Property(field["last_update"], "datetime"),
        "severity": Property(field["severity"], "enum", enums["alertSeverity"].spellings),
        "status": Property(
            field["status"],
            "enum",
            {name.lower(): stored for stored, name in STATUSES.items()} | {"dismissed": "resolved"},
        ),
        "feedback": Property(
            field["classification"], "enum", {name.lower(): stored for stored, name in FEEDBACK.items()}
        ),
        "title": Property(field["title"], "string"),
        "vendorInformation/provider": Property(field["service_source"], "enum", providers),
    }


class GraphLegacyAlerts:
    """Handlers."""

    def __init__(self, store: Store, clock: Clock, cursors: CursorBox) -> None:
        self._store = store
        self._clock = clock
        rules = ListRules(
            offered=frozenset({"$filter", "$top", "$skip", "$count", "$select", "$orderby", "$skiptoken"}),
            properties=legacy_alert_properties(),
            default_order=((ALERT_FIELDS["last_update"], True), (ALERT_FIELDS["alert_id"], True)),
            default_page=100,
            max_page=1000,
            over_max="clamp",
        )
        self._list = SnapshotList(rules, cursors)

    def handlers(self) -> Mapping[str, AuthenticatedHandler]:
        """Every operation by its name."""
        return {
            "list_legacy_alerts": self.list,
            "get_legacy_alert": self.get,
            "update_legacy_alert": self.update,
        }

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/alerts."""
        query, cursor = self._list.read(context, request)
        if query.selection.offset > MAX_SKIP:
            raise InvalidRequestError("InvalidQueryOption", option="$skip", value=str(query.selection.offset))
        with self._store.connect() as connection:
            alerts = Alerts(connection, context.tenant.tenant_id, seen_alerts(context))
            page = self._list.page(context, request, (query, cursor), (connection, alerts))
        shape = shape_of(context, request)
        value = [select_members(to_legacy_alert(each, shape), query.options.select) for each in page.rows]
        return list_answer(metadata_url(request, COLLECTION), page, value)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/alerts/{id}."""
        options = parse_options(decode_query(request.query), frozenset({"$select"}))
        alert_id = request.path_parameters["id"]
        with self._store.connect() as connection:
            alert = Alerts(connection, context.tenant.tenant_id, seen_alerts(context)).get(alert_id)
        if alert is None:
            raise NotFoundError(resource=alert_id)
        members = select_members(to_legacy_alert(alert, shape_of(context, request)), options.select)
        return graph_answer({"@odata.context": metadata_url(request, f"{COLLECTION}/$entity"), **members})

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /security/alerts/{id}: nothing is answered unless the client prefers the alert."""
        patch = read_object(request.body, LegacyPatch)
        for name in ("provider", "vendor"):
            if not patch.vendor_information.get(name):
                raise InvalidRequestError("MissingParameter", parameter=f"vendorInformation/{name}")
        alert_id, by = request.path_parameters["id"], by_caller(context, self._clock, "Microsoft Graph")
        with self._store.begin() as connection:
            alerts = Alerts(connection, context.tenant.tenant_id, seen_alerts(context))
            before = alerts.get(alert_id)
            if before is None:
                raise NotFoundError(resource=alert_id)
            for change in _changes(patch, before):
                alerts.change(alert_id, change, by)
            after = alerts.get(alert_id)
        assert after is not None
        if "return=representation" not in request.headers.get("prefer", "").lower():
            return ApiResponse(204)
        members = to_legacy_alert(after, shape_of(context, request))
        return graph_answer({"@odata.context": metadata_url(request, f"{COLLECTION}/$entity"), **members})


def _changes(patch: LegacyPatch, before: Alert) -> "list[AlertChange]":
    """The change that a body asks for, and one more for every comment that is new."""
    status = _stored("status", patch.status, STATUSES, {"dismissed": "resolved"})
    classification = _stored("feedback", patch.feedback, FEEDBACK, {})
    change = AlertChange(status=status, classification=classification, assigned_to=patch.assigned_to)
    known = {each.comment for each in before.comments}
    new = [AlertChange(comment=each) for each in patch.comments or () if each.strip() and each not in known]
    return [*([change] if change != AlertChange() else []), *new]


def _stored(
    property_: str, given: OptionalText, names: Mapping[str, str], more: Mapping[str, str]
) -> str | msgspec.UnsetType:
    if isinstance(given, msgspec.UnsetType):
        return given
    known = {name.lower(): stored for stored, name in names.items()} | dict(more)
    stored = known.get((given or "unknown").lower())
    if stored is None:
        raise InvalidRequestError("InvalidBodyValue", property=property_)
    return stored
