"""Alerts and incidents as notifications carry them: as the API would answer them."""

import msgspec
from sqlalchemy import Connection

from vedette.api.graph.entities import Shape, to_alert, to_incident
from vedette.api.graph.evidence import Wording
from vedette.context import DataScope
from vedette.incidents.alerts import Alerts
from vedette.incidents.incidents import Incidents
from vedette.machines.visibility import alerts_within, incidents_within
from vedette.streaming.delivery import Named


def describe_resource(
    connection: Connection, tenant_id: str, scope: DataScope, resource: Named, base_url: str, /
) -> bytes | None:
    """The alert or incident as JSON; None if it is not inside the scope."""
    shape = Shape(base_url, tenant_id, Wording(evolved=False))
    if resource.subject == "alert":
        alert = Alerts(connection, tenant_id, alerts_within(tenant_id, scope)).get(resource.key)
        return None if alert is None else msgspec.json.encode(to_alert(alert, shape))
    incident = Incidents(connection, tenant_id, incidents_within(tenant_id, scope)).get(int(resource.key))
    return None if incident is None else msgspec.json.encode(to_incident(incident, shape))
