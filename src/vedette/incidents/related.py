"""Alerts by what they are about, as conditions on the alerts table: a device, a user, a file, an address, a domain."""

from sqlalchemy import ColumnElement, func, or_, select

from vedette.incidents.tables import ALERT_EVIDENCE, ALERT_LINKS, ALERTS

ENDPOINT_SOURCES = ("microsoftDefenderForEndpoint", "microsoft365Defender")
"""Services whose alerts are about devices."""


def of_endpoint() -> ColumnElement[bool]:
    """Alerts that Defender for Endpoint shows."""
    return ALERTS.c.service_source.in_(ENDPOINT_SOURCES)


def on_device(tenant_id: str, device_id: str) -> ColumnElement[bool]:
    """Alerts with a device."""
    links = ALERT_LINKS.c
    linked = select(links.alert_id).where(
        links.tenant_id == tenant_id, links.kind == "device", links.value == device_id.lower()
    )
    return ALERTS.c.alert_id.in_(linked)


def with_file(tenant_id: str, digest: str) -> ColumnElement[bool]:
    """Alerts with a file or a process's image of that hash."""
    return _with_evidence(tenant_id, ("file", "process"), [f'":"{digest.lower()}"'])


def with_address(tenant_id: str, address: str) -> ColumnElement[bool]:
    """Alerts with an IP address."""
    return _with_evidence(tenant_id, ("ip",), [f'"address":{_json(address)}'])


def with_domain(tenant_id: str, domain: str) -> ColumnElement[bool]:
    """Alerts with a URL on that host or one below it, or that host name alone."""
    name = domain.lower()
    starts = ('"url":"', "://", ".", "@")
    ends = ('"', "/", ":", "?")
    return _with_evidence(tenant_id, ("url",), [f"{start}{name}{end}" for start in starts for end in ends])


def with_user(tenant_id: str, name: str) -> ColumnElement[bool]:
    """Alerts with an account of that name, as a user or as whom a process ran."""
    return _with_evidence(tenant_id, ("user", "process"), [f'"account_name":{_json(name.lower())}'])


def _with_evidence(tenant_id: str, kinds: tuple[str, ...], fragments: list[str]) -> ColumnElement[bool]:
    table = ALERT_EVIDENCE.c
    text = func.lower(table.entity)
    matching = or_(*(text.contains(fragment, autoescape=True) for fragment in fragments))
    found = select(table.alert_id).where(table.tenant_id == tenant_id, table.kind.in_(kinds), matching)
    return ALERTS.c.alert_id.in_(found)


def _json(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
