"""What of alerts and incidents may be seen, as conditions on their tables: by devices, by services."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from vedette.incidents.tables import ALERT_DEVICES, ALERTS, INCIDENTS


def only_about(tenant_id: str, device_ids: Select[Any]) -> ColumnElement[bool]:
    """Alerts that name no device but these."""
    devices = ALERT_DEVICES.c
    others = select(devices.alert_id).where(devices.tenant_id == tenant_id, devices.device_id.not_in(device_ids))
    return ALERTS.c.alert_id.not_in(others)


def from_services(services: Iterable[str]) -> ColumnElement[bool]:
    """Alerts that one of these services raised."""
    return ALERTS.c.service_source.in_(sorted(services))


def of_seen_alerts(tenant_id: str, seen: ColumnElement[bool]) -> ColumnElement[bool]:
    """Incidents with an alert that meets a condition, and those that were merged into one."""
    with_alert = select(ALERTS.c.incident_id).where(ALERTS.c.tenant_id == tenant_id, seen)
    return or_(INCIDENTS.c.incident_id.in_(with_alert), INCIDENTS.c.redirect_incident_id.in_(with_alert))
