"""Alerts and incidents as notifications carry them: as the API would answer them."""

import msgspec
from sqlalchemy import Connection

from vedette.api.graph.entities import Shape, to_alert, to_incident
from vedette.api.graph.evidence import Wording
from vedette.incidents.alerts import Alerts
from vedette.incidents.incidents import Incidents


def describe_resource(connection: Connection, tenant_id: str, subject: str, key: str, base_url: str, /) -> bytes | None:
    """The alert or incident as JSON; None if it is not there."""
    shape = Shape(base_url, tenant_id, Wording(evolved=False))
    if subject == "alert":
        alert = Alerts(connection, tenant_id).get(key)
        return None if alert is None else msgspec.json.encode(to_alert(alert, shape))
    incident = Incidents(connection, tenant_id).get(int(key))
    return None if incident is None else msgspec.json.encode(to_incident(incident, shape))
