"""How much the open alerts on a device say about its risk, as an SQL expression that lists can filter by."""

from sqlalchemy import ColumnElement, and_, case, func, select

from vedette.incidents.tables import ALERT_LINKS, ALERTS

_SEVERITIES = (("informational", "Informational"), ("low", "Low"), ("medium", "Medium"), ("high", "High"))


def device_risk(tenant_id: str, device_id: ColumnElement[str]) -> ColumnElement[str]:
    """`High` … `Informational` by the gravest alert on the device that is not resolved; `None` without one."""
    links, alerts = ALERT_LINKS.alias(), ALERTS.alias()
    rank = case(*((alerts.c.severity == name, place) for place, (name, _) in enumerate(_SEVERITIES, 1)), else_=0)
    gravest = (
        select(func.max(rank))
        .select_from(
            links.join(alerts, and_(alerts.c.tenant_id == links.c.tenant_id, alerts.c.alert_id == links.c.alert_id))
        )
        .where(
            links.c.tenant_id == tenant_id,
            links.c.kind == "device",
            links.c.value == device_id,
            alerts.c.status != "resolved",
        )
        .scalar_subquery()
    )
    return case(*((gravest == place, word) for place, (_, word) in enumerate(_SEVERITIES, 1)), else_="None")
