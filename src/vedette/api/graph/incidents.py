"""Graph's incidents: list, get, update, comment, and their alerts."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from vedette.api.actors import by_caller
from vedette.api.bodies import read_object
from vedette.api.changes import OptionalText, Text, enum_value
from vedette.api.cursors import Cursor, CursorBox
from vedette.api.graph.comments import read_comments
from vedette.api.graph.entities import Incident as IncidentEntity
from vedette.api.graph.entities import Shape, to_alert, to_comments, to_incident, to_mapping
from vedette.api.graph.expansion import AlertExpansion, alert_expansion, alerts_of_incident
from vedette.api.graph.surface import count_answer, graph_answer, list_answer, metadata_url, shape_of
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.listing import ListQuery, ListRules, read_expand, select_members
from vedette.api.snapshot_lists import ListPage, SnapshotList
from vedette.api.written_incidents import VersionPages, WrittenAlerts, WrittenIncidents
from vedette.clock import Clock
from vedette.context import RequestContext
from vedette.contracts.enums import load_enums
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.incidents.alerts import ALERT_FIELDS, Alert, Alerts
from vedette.incidents.incidents import INCIDENT_FIELDS, Incident, IncidentChange, Incidents
from vedette.incidents.triage import change_incident, merge_incidents
from vedette.machines.visibility import seen_alerts, seen_incidents
from vedette.odata.json_texts import text_collection
from vedette.odata.options import decode_query, parse_options
from vedette.odata.sql import Property, PropertyMap
from vedette.odata.syntax import QueryOptions
from vedette.store.engine import Store

EXPANDABLE = frozenset({"alerts"})
COLLECTION = "security/incidents"


class IncidentPatch(msgspec.Struct, frozen=True, rename="camel"):
    """Writable properties."""

    status: OptionalText = msgspec.UNSET
    classification: OptionalText = msgspec.UNSET
    determination: OptionalText = msgspec.UNSET
    severity: OptionalText = msgspec.UNSET
    assigned_to: OptionalText = msgspec.UNSET
    display_name: Text = msgspec.UNSET
    custom_tags: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    description: OptionalText = msgspec.UNSET
    summary: OptionalText = msgspec.UNSET
    resolving_comment: OptionalText = msgspec.UNSET


class MergeBody(msgspec.Struct, frozen=True, rename="camel"):
    """Incidents to merge."""

    incident_ids: tuple[str, ...]
    incident_comment: str | None = None
    merge_reasons: str | None = None


def incident_properties() -> PropertyMap:
    """What may be filtered and ordered by."""
    field, enums = INCIDENT_FIELDS, load_enums()
    return {
        "id": Property(field["incident_id"], "integer"),
        "assignedTo": Property(field["assigned_to"], "string"),
        "classification": Property(field["classification"], "enum", enums["alertClassification"].spellings),
        "createdDateTime": Property(field["created"], "datetime"),
        "determination": Property(field["determination"], "enum", enums["alertDetermination"].spellings),
        "displayName": Property(field["display_name"], "string"),
        "lastUpdateDateTime": Property(field["last_update"], "datetime"),
        "redirectIncidentId": Property(field["redirect_incident_id"], "integer"),
        "severity": Property(field["severity"], "enum", enums["alertSeverity"].spellings),
        "status": Property(field["status"], "enum", enums["incidentStatus"].spellings),
        "customTags": text_collection(field["custom_tags"], "custom_tag"),
        "systemTags": text_collection(field["system_tags"], "system_tag"),
    }


class GraphIncidents:
    """Handlers."""

    def __init__(self, store: Store, clock: Clock, cursors: CursorBox, written: WrittenIncidents) -> None:
        self._store = store
        self._clock = clock
        rules = ListRules(
            offered=frozenset({"$filter", "$top", "$skip", "$count", "$expand", "$select", "$orderby", "$skiptoken"}),
            properties=incident_properties(),
            default_order=((INCIDENT_FIELDS["last_update"], True), (INCIDENT_FIELDS["incident_id"], True)),
            default_page=50,
            max_page=50,
            over_max="refuse",
            expandable=EXPANDABLE,
            expands_with_options=True,
        )
        self._list = SnapshotList(rules, cursors)
        self._alert_list = SnapshotList(alerts_of_incident(), cursors)
        self._written = written

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/incidents."""
        asked = self._list.read(context, request)
        options = asked[0].options
        with self._store.connect() as connection:
            incidents = Incidents(connection, context.tenant.tenant_id, seen_incidents(context))
            if options.select or options.expand_options:
                page, value = self._page(context, request, asked, (connection, incidents))
            else:
                page, value = self._written_page(context, request, asked, (connection, incidents))
        return list_answer(metadata_url(request, _fragment(options)), page, value)

    def _page(
        self,
        context: RequestContext,
        request: ApiRequest,
        asked: tuple[ListQuery, Cursor | None],
        source: tuple[Connection, Incidents],
    ) -> tuple[ListPage[Any], Sequence[object]]:
        """Incidents narrowed by the request's options."""
        (query, _), (connection, incidents) = asked, source
        shape, expansion = shape_of(context, request), alert_expansion(query.options)
        page = self._list.page(context, request, asked, (connection, incidents))
        wanted = [incident.incident_id for incident in page.rows] if query.expand else []
        alerts = expansion.read(connection, context, wanted)
        return page, [
            _written(
                each, shape, (expansion, alerts.get(each.incident_id, [])) if query.expand else None, query.options
            )
            for each in page.rows
        ]

    def _written_page(
        self,
        context: RequestContext,
        request: ApiRequest,
        asked: tuple[ListQuery, Cursor | None],
        source: tuple[Connection, Incidents],
    ) -> tuple[ListPage[Any], Sequence[object]]:
        """Whole incidents, with all of their alerts or without, as far as the caller sees them."""
        connection, incidents = source
        shape, with_alerts = shape_of(context, request), bool(asked[0].expand)
        alerts = Alerts(connection, context.tenant.tenant_id, seen_alerts(context))

        def write(incident_ids: Sequence[int]) -> dict[int, object]:
            entities = {each.incident_id: to_incident(each, shape) for each in incidents.of_ids(incident_ids)}
            if not with_alerts:
                return dict(entities)
            found = self._written.alerts_of(shape.form, alerts, incident_ids, lambda alert: to_alert(alert, shape))
            return {
                key: msgspec.structs.replace(each, alerts=found.get(key, WrittenAlerts()).encoded)
                for key, each in entities.items()
            }

        page = self._list.page(context, request, asked, (connection, VersionPages(incidents)))
        # Of an incident not everybody sees the same alerts; of an alert everybody sees the same.
        written = WrittenIncidents() if context.scope.is_limited else self._written
        return page, written.read((*shape.form, str(with_alerts)), page.rows, write)

    def count(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/incidents/$count."""
        query, _ = self._list.read(context, request)
        with self._store.connect() as connection:
            total = Incidents(connection, context.tenant.tenant_id, seen_incidents(context)).count(
                query.selection.condition
            )
        return count_answer(total)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/incidents/{id}."""
        options = parse_options(decode_query(request.query), frozenset({"$select", "$expand"}))
        expand = read_expand(options, EXPANDABLE, with_options=True)
        incident_id, expansion = incident_id_of(request), alert_expansion(options)
        with self._store.connect() as connection:
            incident = Incidents(connection, context.tenant.tenant_id, seen_incidents(context)).get(incident_id)
            alerts = expansion.read(connection, context, [incident_id]) if expand else {}
        if incident is None:
            raise NotFoundError(resource=str(incident_id))
        expanded = (expansion, alerts.get(incident_id, [])) if expand else None
        written = _written(incident, shape_of(context, request), expanded, options)
        members = written if isinstance(written, dict) else to_mapping(written)
        context_url = metadata_url(request, f"{_fragment(options)}/$entity")
        return graph_answer({"@odata.context": context_url, **members})

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /security/incidents/{id}."""
        return self._change(context, request, _to_change(read_object(request.body, IncidentPatch)))

    def add_comment(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /security/incidents/{id}/comments: answers all comments."""
        for comment in read_comments(request.body):
            incident = self._apply(context, request, IncidentChange(comment=comment))
        context_url = metadata_url(request, f"{COLLECTION}('{incident.incident_id}')/comments")
        return graph_answer({"@odata.context": context_url, "value": to_comments(incident.comments)})

    def merge(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /security/incidents/mergeIncidents."""
        body = read_object(request.body, MergeBody)
        check_reasons("mergeReasons", body.merge_reasons)
        incident_ids = [whole_number("incidentIds", text) for text in body.incident_ids]
        by = by_caller(context, self._clock, "Microsoft Graph")
        with self._store.begin() as connection:
            require_incidents(connection, context, incident_ids)
            target = merge_incidents(
                connection, context.tenant.tenant_id, incident_ids, body.incident_comment or None, by
            )
        return merge_answer(request, target)

    def list_alerts(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/incidents/{id}/alerts."""
        incident_id, shape = incident_id_of(request), shape_of(context, request)
        query, cursor = self._alert_list.read(context, request)
        own = ALERT_FIELDS["incident_id"] == incident_id
        condition = own if query.selection.condition is None else own & query.selection.condition
        asked = dataclasses.replace(query, selection=dataclasses.replace(query.selection, condition=condition)), cursor
        with self._store.connect() as connection:
            incident = Incidents(connection, context.tenant.tenant_id, seen_incidents(context)).get(incident_id)
            if incident is None:
                raise NotFoundError(resource=str(incident_id))
            alerts = Alerts(connection, context.tenant.tenant_id, seen_alerts(context))
            page = self._alert_list.page(context, request, asked, (connection, alerts))
        entities, select = [to_alert(alert, shape) for alert in page.rows], query.options.select
        value = [select_members(to_mapping(each), select) for each in entities] if select else entities
        fragment = f"{COLLECTION}('{incident_id}')/alerts" + (f"({','.join(select)})" if select else "")
        return list_answer(metadata_url(request, fragment), page, value)

    def _change(self, context: RequestContext, request: ApiRequest, change: IncidentChange) -> ApiResponse:
        entity = to_incident(self._apply(context, request, change), shape_of(context, request))
        return graph_answer({"@odata.context": metadata_url(request, f"{COLLECTION}/$entity"), **to_mapping(entity)})

    def _apply(self, context: RequestContext, request: ApiRequest, change: IncidentChange) -> Incident:
        incident_id = incident_id_of(request)
        with self._store.begin() as connection:
            require_incidents(connection, context, [incident_id])
            by = by_caller(context, self._clock, "Microsoft Graph")
            incident = change_incident(connection, context.tenant.tenant_id, incident_id, change, by)
        if incident is None:
            raise NotFoundError(resource=str(incident_id))
        return incident


def require_incidents(connection: Connection, context: RequestContext, incident_ids: Iterable[int]) -> None:
    """Raise NotFoundError for an incident that the caller does not see."""
    incidents = Incidents(connection, context.tenant.tenant_id, seen_incidents(context))
    for incident_id in incident_ids:
        if incidents.get(incident_id) is None:
            raise NotFoundError(resource=str(incident_id))


def incident_id_of(request: ApiRequest) -> int:
    """The incident of the path. What is no number is no incident either."""
    text = request.path_parameters["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise NotFoundError(resource=text)
    return int(text)


def whole_number(property_: str, text: str) -> int:
    """An id that a body writes as text."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidRequestError("InvalidBodyValue", property=property_)
    return int(text)


def check_reasons(property_: str, reasons: str | None) -> None:
    """Check a set of flags of the enum correlationReason."""
    known = load_enums()["correlationReason"]
    for reason in (reasons or "").split(","):
        if reason.strip() and known.parse(reason.strip()) is None:
            raise InvalidRequestError("InvalidBodyValue", property=property_)


def merge_answer(request: ApiRequest, target: int) -> ApiResponse:
    """mergeResponse."""
    context_url = metadata_url(request, "microsoft.graph.security.mergeResponse")
    return graph_answer({"@odata.context": context_url, "targetIncidentId": str(target)})


def to_mapping_selected(entity: msgspec.Struct, options: QueryOptions) -> dict[str, object]:
    """An entity's members, narrowed by `$select`; expanded members always stay."""
    members = to_mapping(entity)
    if not options.select:
        return members
    return select_members(members, (*options.select, *(name for name in options.expand if name in members)))


def _written(
    incident: Incident, shape: Shape, expanded: tuple[AlertExpansion, list[Alert]] | None, options: QueryOptions
) -> IncidentEntity | dict[str, object]:
    """An incident with what is wanted of its alerts, narrowed by `$select`."""
    if expanded is None or expanded[0].is_plain:
        entity = to_incident(incident, shape, None if expanded is None else expanded[1])
        return to_mapping_selected(entity, options) if options.select else entity
    expansion, alerts = expanded
    return {**to_mapping_selected(to_incident(incident, shape), options), **expansion.members(alerts, shape)}


def _fragment(options: QueryOptions) -> str:
    parts = [*options.select, *(f"{name}()" for name in options.expand)]
    return f"{COLLECTION}({','.join(parts)})" if parts else COLLECTION


def _to_change(patch: IncidentPatch) -> IncidentChange:
    return IncidentChange(
        display_name=patch.display_name,
        status=enum_value("incidentStatus", "status", patch.status),
        severity=enum_value("alertSeverity", "severity", patch.severity),
        classification=enum_value("alertClassification", "classification", patch.classification),
        determination=enum_value("alertDetermination", "determination", patch.determination),
        assigned_to=patch.assigned_to,
        custom_tags=patch.custom_tags,
        description=patch.description,
        summary=patch.summary,
        resolving_comment=patch.resolving_comment,
    )
