"""What a match brings: an audit row in DeviceEvents, and an alert where the indicator asks for one."""

import hashlib
from collections.abc import Callable, Mapping, Sequence

import msgspec
import pyarrow as pa
from sqlalchemy import Connection

from vedette.clock import TICKS_PER_SECOND, Clock, now_ticks
from vedette.context import Tenant
from vedette.ids import Ids
from vedette.incidents.alerts import ALERT_CREATED, AlertDetails, NewAlert, create
from vedette.incidents.evidence import (
    DeviceEvidence,
    Evidence,
    FileDetails,
    FileEvidence,
    IpEvidence,
    ProcessEvidence,
    UrlEvidence,
    UserAccount,
)
from vedette.indicators.indicators import Indicator, Indicators
from vedette.indicators.matching import (
    MATCH_ACTION_TYPE,
    Hit,
    NewRows,
    Row,
    Telemetry,
    details,
    find_hits,
    has_effect,
    settle,
    without_weaker,
)
from vedette.jobs.outbox import Outbox
from vedette.jobs.queue import Job
from vedette.lake.engine import Lake
from vedette.store.engine import Store

JOB = "match_indicators"

_DAY = 86_400 * TICKS_PER_SECOND

GroupsOf = Callable[[Connection, str, Sequence[str]], Mapping[str, str]]
"""Names of device groups by device id, of those of a tenant's devices that are in one."""


class EnforcementParts(msgspec.Struct, frozen=True):
    """What enforcement works with."""

    store: Store
    telemetry: Telemetry
    lake: Lake
    outbox: Outbox
    clock: Clock
    ids: Ids
    tenant: Callable[[str], Tenant | None]
    groups: GroupsOf


class Enforcement:
    """Handler of the job that follows every commit. Repeating it makes no second alert and no second row."""

    def __init__(self, parts: EnforcementParts) -> None:
        self._parts = parts

    def match(self, job: Job) -> None:
        """Handle one commit."""
        parts, payload = self._parts, job.payload
        tenant = parts.tenant(job.tenant_id)
        with parts.store.connect() as connection:
            active = Indicators(connection, job.tenant_id).active(now_ticks(parts.clock))
        effective = [indicator for indicator in active if has_effect(indicator)]
        if tenant is None or all(indicator.action == "Allowed" for indicator in effective):
            return
        new = NewRows(tuple(payload["tables"]), payload["ingestion_from"], payload["ingestion_to"])
        hits = settle(self._exposed(job.tenant_id, find_hits(parts.telemetry, tenant, effective, new)))
        found = without_weaker((hit, details(parts.telemetry, tenant, hit, new)) for hit in hits)
        if found:
            self._audit(job.tenant_id, found)
            self._alert(job.tenant_id, found)

    def _exposed(self, tenant_id: str, hits: Sequence[Hit]) -> list[Hit]:
        """Without those on devices outside the groups that an indicator is for."""
        limited = [hit.device_id for hit in hits if hit.indicator.rbac_group_names]
        if not limited:
            return list(hits)
        with self._parts.store.connect() as connection:
            groups = self._parts.groups(connection, tenant_id, limited)
        return [
            hit
            for hit in hits
            if not hit.indicator.rbac_group_names or groups.get(hit.device_id) in hit.indicator.rbac_group_names
        ]

    def _audit(self, tenant_id: str, found: Sequence[tuple[Hit, Row]]) -> None:
        rows = [_audit_row(hit, row) for hit, row in found]
        names = rows[0].keys()
        types = {"Timestamp": pa.int64()}
        table = pa.table({name: pa.array([row[name] for row in rows], types.get(name, pa.string())) for name in names})
        content = msgspec.json.encode([list(row.values()) for row in rows])
        batch_id = f"indicators/{hashlib.sha256(content).hexdigest()[:40]}"
        self._parts.lake.append(tenant_id, batch_id, {"DeviceEvents": table}, b"{}")

    def _alert(self, tenant_id: str, found: Sequence[tuple[Hit, Row]]) -> None:
        parts = self._parts
        with parts.store.begin() as connection:
            for hit, row in found:
                if not hit.indicator.generate_alert:
                    continue
                creation = create(connection, tenant_id, to_alert(hit, row), parts.clock, parts.ids)
                if creation.is_new:
                    payload = {"alert_id": creation.alert.alert_id}
                    parts.outbox.publish(connection, tenant_id, ALERT_CREATED, payload)


def _audit_row(hit: Hit, row: Row) -> dict[str, object]:
    indicator = hit.indicator
    facts = {
        "IndicatorId": str(indicator.indicator_id),
        "IndicatorType": indicator.type,
        "IndicatorValue": indicator.value,
        "Action": indicator.action,
        "Table": hit.table,
        "Column": hit.column,
        "Events": hit.events,
        **_threat(indicator),
    }
    shown = ("FileName", "FolderPath", "SHA1", "SHA256", "MD5", "RemoteIP", "RemoteUrl", "InitiatingProcessFileName")
    return {
        "Timestamp": hit.last,
        "DeviceId": hit.device_id,
        "DeviceName": _text(row, "DeviceName") or "",
        "ActionType": MATCH_ACTION_TYPE,
        **{name: _text(row, name) or "" for name in shown},
        "AdditionalFields": msgspec.json.encode(facts).decode(),
    }


def _threat(indicator: Indicator) -> dict[str, str]:
    """What blocked files are hunted by (defender-endpoint/indicator-file.md, Advanced hunting capabilities)."""
    if not indicator.action.startswith("Block") or indicator.type in ("IpAddress", "DomainName", "Url"):
        return {}
    if indicator.type == "CertificateThumbprint":
        return {"ThreatName": "EUS:Win32/CustomCertEnterpriseBlock!cl"}
    return {"ThreatName": f"EUS:Win32/CustomEnterprise{'' if indicator.generate_alert else 'NoAlert'}Block!cl"}


def to_alert(hit: Hit, row: Row) -> NewAlert:
    """The alert of a hit: one for each indicator, device and day."""
    indicator = hit.indicator
    return NewAlert(
        title=indicator.title,
        severity=indicator.severity.lower(),
        category="SuspiciousActivity",
        service_source="microsoftDefenderForEndpoint",
        detection_source="customTi",
        first_activity=hit.first,
        last_activity=hit.last,
        details=AlertDetails(
            description=indicator.description,
            recommended_actions=indicator.recommended_actions,
            detector_id=f"indicator-{indicator.indicator_id}",
        ),
        evidence=tuple(_evidence(hit, row)),
        source_key=f"indicator/{indicator.indicator_id}/{hit.device_id}/{hit.first // _DAY}",
    )


def _evidence(hit: Hit, row: Row) -> list[Evidence]:
    device = DeviceEvidence(device_id=hit.device_id, device_name=_text(row, "DeviceName"), is_impacted=True)
    found: list[Evidence] = [device]
    if hit.indicator.type == "IpAddress":
        found.append(IpEvidence(address=hit.value, verdict="suspicious"))
    elif hit.indicator.type in ("DomainName", "Url"):
        found.append(UrlEvidence(url=hit.value, verdict="suspicious"))
    elif hit.indicator.type.startswith("File") and not hit.column.startswith("Initiating"):
        found.append(FileEvidence(file=_file(row, ""), device_id=hit.device_id, verdict="suspicious"))
    if _text(row, "InitiatingProcessFileName"):
        found.append(_process(hit, row))
    return found


def _process(hit: Hit, row: Row) -> Evidence:
    prefix = "InitiatingProcess"
    return ProcessEvidence(
        process_id=_number(row, f"{prefix}Id"),
        command_line=_text(row, f"{prefix}CommandLine"),
        created=_number(row, f"{prefix}CreationTime"),
        image=_file(row, prefix),
        account=UserAccount(
            account_name=_text(row, f"{prefix}AccountName"),
            domain_name=_text(row, f"{prefix}AccountDomain"),
            user_sid=_text(row, f"{prefix}AccountSid"),
        ),
        device_id=hit.device_id,
        verdict="suspicious" if hit.column.startswith(prefix) else "unknown",
    )


def _file(row: Row, prefix: str) -> FileDetails:
    path = _text(row, f"{prefix}FolderPath")
    return FileDetails(
        file_name=_text(row, f"{prefix}FileName"),
        file_path=path and (path.rpartition("\\")[0] or path.rpartition("/")[0] or None),
        sha1=_text(row, f"{prefix}SHA1"),
        sha256=_text(row, f"{prefix}SHA256"),
        md5=_text(row, f"{prefix}MD5"),
    )


def _text(row: Row, name: str) -> str | None:
    value = row.get(name)
    return str(value) if value not in (None, "") else None


def _number(row: Row, name: str) -> int | None:
    value = row.get(name)
    return value if isinstance(value, int) else None
