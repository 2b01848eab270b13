"""Lists of alerts: all of them, and those of a machine, file, domain, address or user, by the same rules."""

import dataclasses
from collections.abc import Iterable

import msgspec
from sqlalchemy import ColumnElement, and_

from vedette.api.cursors import CursorBox
from vedette.api.defender.alert_entities import to_alert
from vedette.api.defender.answers import collection, count_answer
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.machines import MAX_PAGE
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.listing import ListRules, select_members
from vedette.api.snapshot_lists import SnapshotList
from vedette.context import RequestContext
from vedette.contracts.enums import load_enums
from vedette.incidents.alerts import ALERT_FIELDS, Alert, Alerts
from vedette.machines.visibility import seen_alerts
from vedette.odata.json_texts import text_collection
from vedette.odata.sql import Property, PropertyMap

EXPANDABLE = frozenset({"evidence"})


def alert_properties() -> PropertyMap:
    """What may be filtered by."""
    field, enums = ALERT_FIELDS, load_enums()
    return {
        "id": Property(field["alert_id"], "string"),
        "incidentId": Property(field["incident_id"], "integer"),
        "investigationId": Property(field["investigation_id"], "integer"),
        "alertCreationTime": Property(field["created"], "datetime"),
        "lastUpdateTime": Property(field["last_update"], "datetime"),
        "firstEventTime": Property(field["first_activity"], "datetime"),
        "lastEventTime": Property(field["last_activity"], "datetime"),
        "assignedTo": Property(field["assigned_to"], "string"),
        "detectionSource": Property(field["detection_source"], "enum", enums["detectionSource"].spellings),
        "status": Property(field["status"], "enum", enums["alertStatus"].spellings),
        "severity": Property(field["severity"], "enum", enums["alertSeverity"].spellings),
        "category": Property(field["category"], "string"),
        "mitreTechniques": text_collection(field["mitre_techniques"], "technique"),
    }


class AlertLists:
    """Answers lists of alerts that a condition narrows further than their request does."""

    def __init__(self, parts: EndpointParts, cursors: CursorBox) -> None:
        self._parts = parts
        rules = ListRules(
            offered=frozenset({"$filter", "$top", "$skip", "$count", "$orderby", "$select", "$expand", "$skiptoken"}),
            properties=alert_properties(),
            default_order=((ALERT_FIELDS["last_update"], True), (ALERT_FIELDS["alert_id"], True)),
            default_page=MAX_PAGE,
            max_page=MAX_PAGE,
            over_max="refuse",
            expandable=EXPANDABLE,
        )
        self._list = SnapshotList(rules, cursors)

    def answer(self, context: RequestContext, request: ApiRequest, condition: ColumnElement[bool]) -> ApiResponse:
        """The page that was asked for, of the alerts that meet `condition`."""
        query, cursor = self._list.read(context, request)
        selection = query.selection
        narrowed = dataclasses.replace(selection, condition=_both(selection.condition, condition))
        query = dataclasses.replace(query, selection=narrowed)
        with self._parts.store.connect() as connection:
            alerts = Alerts(connection, context.tenant.tenant_id, seen_alerts(context))
            page = self._list.page(context, request, (query, cursor), (connection, alerts))
        members = alert_members(context, page.rows, query.options.select, with_evidence="evidence" in query.expand)
        return collection(request, "Alerts", members, count=page.total, next_link=page.next_link)

    def count(self, context: RequestContext, request: ApiRequest, condition: ColumnElement[bool]) -> ApiResponse:
        """How many alerts meet `condition` and the filter that was asked for."""
        query, _ = self._list.read(context, request)
        with self._parts.store.connect() as connection:
            alerts = Alerts(connection, context.tenant.tenant_id, seen_alerts(context))
            return count_answer(alerts.count(_both(query.selection.condition, condition)))


def alert_members(
    context: RequestContext, alerts: Iterable[Alert], selected: tuple[str, ...], *, with_evidence: bool
) -> list[dict[str, object]]:
    """The wire form of alerts, as far as it was selected."""
    tenant_id = context.tenant.tenant_id
    documents = (msgspec.to_builtins(to_alert(each, tenant_id, with_evidence=with_evidence)) for each in alerts)
    return [select_members(document, selected) for document in documents]


def _both(asked: ColumnElement[bool] | None, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return condition if asked is None else and_(asked, condition)
