"""Alerts by what they are about, as conditions on the alerts table: a device, a user, a file, an address, a domain."""

import msgspec
from sqlalchemy import ColumnElement, Connection, func, or_, select

from vedette.incidents.evidence import Evidence, FileEvidence, ProcessEvidence, decode_evidence
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


class FilePlace(msgspec.Struct, frozen=True):
    """A file on a device. `path` is in lower case and full."""

    device_id: str
    path: str


def open_file_places(connection: Connection, tenant_id: str) -> frozenset[FilePlace]:
    """Where the files and process images of alerts lie that nobody has resolved."""
    joined = (ALERTS.c.tenant_id == ALERT_EVIDENCE.c.tenant_id) & (ALERTS.c.alert_id == ALERT_EVIDENCE.c.alert_id)
    statement = (
        select(ALERT_EVIDENCE.c.entity)
        .join(ALERTS, joined)
        .where(
            ALERT_EVIDENCE.c.tenant_id == tenant_id,
            ALERT_EVIDENCE.c.kind.in_(("file", "process")),
            ALERTS.c.status != "resolved",
        )
    )
    evidence = map(decode_evidence, connection.scalars(statement))
    return frozenset(place for each in evidence if (place := _place(each)) is not None)


def _place(evidence: Evidence) -> FilePlace | None:
    if not isinstance(evidence, FileEvidence | ProcessEvidence) or evidence.device_id is None:
        return None
    file = evidence.file if isinstance(evidence, FileEvidence) else evidence.image
    if file is None or not file.file_path:
        return None
    path = "\\".join(part for part in (file.file_path, file.file_name) if part)
    return FilePlace(evidence.device_id.lower(), path.lower().replace("/", "\\"))
