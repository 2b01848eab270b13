"""The Defender XDR API's incidents: list, get, update. Alerts, devices and entities always come with them."""

from collections.abc import Sequence

import msgspec

from vedette.api.actors import by_caller
from vedette.api.bodies import read_object
from vedette.api.changes import OptionalText, Text, enum_value
from vedette.api.cursors import CursorBox
from vedette.api.defender.entities import detection_sources, to_alert, to_incident
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.listing import ListRules
from vedette.api.render import json_answer
from vedette.api.snapshot_lists import SnapshotList
from vedette.api.written_incidents import VersionPages, WrittenAlerts, WrittenIncidents
from vedette.clock import Clock
from vedette.context import RequestContext
from vedette.contracts.enums import load_enums
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.incidents.alerts import Alert, Alerts
from vedette.incidents.incidents import INCIDENT_FIELDS, Incident, IncidentChange, Incidents
from vedette.incidents.triage import change_incident
from vedette.machines.visibility import seen_alerts, seen_incidents
from vedette.odata.options import decode_query, parse_options
from vedette.odata.sql import Property, PropertyMap
from vedette.store.engine import Store


class IncidentUpdate(msgspec.Struct, frozen=True, rename="camel"):
    """Writable properties. `comment` adds one comment."""

    status: Text = msgspec.UNSET
    classification: OptionalText = msgspec.UNSET
    determination: OptionalText = msgspec.UNSET
    assigned_to: OptionalText = msgspec.UNSET
    tags: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    comment: Text = msgspec.UNSET


def incident_properties() -> PropertyMap:
    """What may be filtered by. The severity of an incident is documented as not filterable."""
    field, enums = INCIDENT_FIELDS, load_enums()
    return {
        "lastUpdateTime": Property(field["last_update"], "datetime"),
        "createdTime": Property(field["created"], "datetime"),
        "status": Property(field["status"], "enum", enums["incidentStatus"].spellings),
        "assignedTo": Property(field["assigned_to"], "string"),
        "severity": Property(field["severity"], "enum", filterable=False),
        "incidentId": Property(field["incident_id"], "integer", filterable=False),
    }


class DefenderIncidents:
    """Handlers."""

    def __init__(self, store: Store, clock: Clock, cursors: CursorBox) -> None:
        self._store = store
        self._clock = clock
        rules = ListRules(
            offered=frozenset({"$filter", "$top", "$skip", "$count", "$orderby", "$skiptoken"}),
            properties=incident_properties(),
            default_order=((INCIDENT_FIELDS["last_update"], True), (INCIDENT_FIELDS["incident_id"], True)),
            default_page=100,
            max_page=100,
            over_max="refuse",
        )
        self._list = SnapshotList(rules, cursors)
        self._written = WrittenIncidents()

    def forget(self) -> None:
        """Drop what was remembered of the store: it was put back to an earlier state."""
        self._written.forget()

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/incidents."""
        asked, tenant_id = self._list.read(context, request), context.tenant.tenant_id
        with self._store.connect() as connection:
            incidents = Incidents(connection, tenant_id, seen_incidents(context))
            alerts = Alerts(connection, tenant_id, seen_alerts(context))

            def write(incident_ids: Sequence[int]) -> dict[int, object]:
                found = self._written.alerts_of((tenant_id,), alerts, incident_ids, to_alert)
                return {
                    each.incident_id: _with_alerts(each, found.get(each.incident_id, WrittenAlerts()))
                    for each in incidents.of_ids(incident_ids)
                }

            page = self._list.page(context, request, asked, (connection, VersionPages(incidents)))
            # Of an incident not everybody sees the same alerts; of an alert everybody sees the same.
            written = WrittenIncidents() if context.scope.is_limited else self._written
            value = written.read((tenant_id,), page.rows, write)
        document: dict[str, object] = {"@odata.context": f"{request.base_url}/api/$metadata#Incidents"}
        if page.total is not None:
            document["@odata.count"] = page.total
        document["value"] = value
        if page.next_link is not None:
            document["@odata.nextLink"] = page.next_link
        return json_answer(document)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/incidents/{id}."""
        parse_options(decode_query(request.query), frozenset())
        incident_id = _incident_id(request)
        with self._store.connect() as connection:
            incident = Incidents(connection, context.tenant.tenant_id, seen_incidents(context)).get(incident_id)
            alerts = Alerts(connection, context.tenant.tenant_id, seen_alerts(context)).of_incidents([incident_id])
        if incident is None:
            raise NotFoundError(resource=f"Incident {incident_id}")
        return _answer(request, incident, alerts)

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /api/incidents/{id}."""
        change = _to_change(read_object(request.body, IncidentUpdate))
        incident_id = _incident_id(request)
        with self._store.begin() as connection:
            if Incidents(connection, context.tenant.tenant_id, seen_incidents(context)).get(incident_id) is None:
                raise NotFoundError(resource=f"Incident {incident_id}")
            by = by_caller(context, self._clock, "Defender XDR API")
            incident = change_incident(connection, context.tenant.tenant_id, incident_id, change, by)
            alerts = Alerts(connection, context.tenant.tenant_id, seen_alerts(context)).of_incidents([incident_id])
        if incident is None:
            raise NotFoundError(resource=f"Incident {incident_id}")
        return _answer(request, incident, alerts)


def _with_alerts(incident: Incident, alerts: WrittenAlerts) -> msgspec.Struct:
    sources = detection_sources(version.detection_source for version in alerts.versions)
    return msgspec.structs.replace(to_incident(incident, []), detection_source=sources, alerts=alerts.encoded)


def _answer(request: ApiRequest, incident: Incident, alerts: dict[int, list[Alert]]) -> ApiResponse:
    entity = to_incident(incident, alerts.get(incident.incident_id, []))
    members = msgspec.to_builtins(entity)
    return json_answer({"@odata.context": f"{request.base_url}/api/$metadata#Incidents/$entity", **members})


def _incident_id(request: ApiRequest) -> int:
    text = request.path_parameters["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise NotFoundError(resource=f"Incident {text}")
    return int(text)


def _to_change(update: IncidentUpdate) -> IncidentChange:
    if isinstance(update.comment, str) and not update.comment.strip():
        raise InvalidRequestError("InvalidBodyValue", property="comment")
    return IncidentChange(
        status=enum_value("incidentStatus", "status", update.status),
        classification=enum_value("alertClassification", "classification", update.classification),
        determination=enum_value("alertDetermination", "determination", update.determination),
        assigned_to=update.assigned_to,
        custom_tags=update.tags,
        comment=update.comment,
    )
