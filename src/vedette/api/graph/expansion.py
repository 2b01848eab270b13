"""Alerts within incidents: `$expand=alerts`, with options of its own or without."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection

from vedette.api.graph.alert_filters import alert_properties
from vedette.api.graph.entities import Shape, to_alert, to_mapping
from vedette.api.listing import ListRules, select_members
from vedette.context import RequestContext
from vedette.incidents.alerts import ALERT_FIELDS, Alert, Alerts
from vedette.machines.visibility import seen_alerts
from vedette.odata.paging import SortKey
from vedette.odata.sql import to_condition, to_order
from vedette.odata.syntax import QueryOptions

MAX_ALERTS = 1000
"""Alerts of an incident on one page."""


@dataclasses.dataclass(frozen=True)
class AlertExpansion:
    """What of an incident's alerts is wanted."""

    options: QueryOptions
    condition: ColumnElement[bool] | None
    order: Sequence[SortKey]

    @property
    def is_plain(self) -> bool:
        """Whether all alerts are wanted as they are."""
        return self.options == QueryOptions()

    def read(
        self, connection: Connection, context: RequestContext, incident_ids: Iterable[int]
    ) -> dict[int, list[Alert]]:
        """The alerts by incident, before any are cut off."""
        return Alerts(connection, context.tenant.tenant_id, seen_alerts(context)).of_incidents(
            incident_ids, self.condition, self.order
        )

    def members(self, alerts: Sequence[Alert], shape: Shape) -> dict[str, Any]:
        """What an incident has in place of `alerts`: those of the page, and how many there are if asked."""
        skip, top = self.options.skip or 0, self.options.top
        page = alerts[skip:] if top is None else alerts[skip : skip + top]
        value = [select_members(to_mapping(to_alert(each, shape)), self.options.select) for each in page]
        counted = {"alerts@odata.count": len(alerts)} if self.options.count else {}
        return {**counted, "alerts": value}


def alerts_of_incident() -> ListRules:
    """What `/security/incidents/{id}/alerts` offers."""
    return ListRules(
        offered=frozenset({"$filter", "$top", "$skip", "$count", "$select", "$orderby", "$skiptoken"}),
        properties=alert_properties(),
        default_order=((ALERT_FIELDS["created"], False), (ALERT_FIELDS["alert_id"], False)),
        default_page=MAX_ALERTS,
        max_page=MAX_ALERTS,
        over_max="clamp",
    )


def alert_expansion(options: QueryOptions) -> AlertExpansion:
    """The expansion that a request asks for. Raises ODataError for what alerts cannot be asked."""
    own = next((nested for name, nested in options.expand_options if name.lower() == "alerts"), QueryOptions())
    properties = alert_properties()
    return AlertExpansion(
        own,
        to_condition(own.filter, properties) if own.filter else None,
        to_order(own.order_by, properties) if own.order_by else (),
    )
