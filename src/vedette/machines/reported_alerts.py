"""Alerts that people make from an event they found. An automated investigation of the machine starts with them."""

import msgspec
from sqlalchemy import and_

from vedette.clock import Clock, format_ticks, now_ticks
from vedette.context import Tenant
from vedette.ids import Ids
from vedette.incidents.alerts import ALERT_CREATED, ALERT_FIELDS, Alert, AlertDetails, Alerts, NewAlert, create
from vedette.incidents.changes import By
from vedette.incidents.evidence import DeviceEvidence, Evidence, FileDetails, FileEvidence, ProcessEvidence, UserAccount
from vedette.incidents.related import on_device
from vedette.jobs.outbox import Outbox
from vedette.kql.quoting import quote_string
from vedette.machines.inventory import Machines
from vedette.machines.investigations import InvestigationRequests, Investigations
from vedette.machines.observation import event_tables
from vedette.machines.telemetry import Row, Telemetry, number_of, text_of
from vedette.odata.paging import Selection
from vedette.store.engine import Store


class ReportedAlert(msgspec.Struct, frozen=True):
    """An alert to be made from the event of that machine, time (ticks) and report id."""

    machine_id: str
    event_time: int
    report_id: int
    severity: str
    title: str
    description: str
    recommended_action: str
    category: str


class ReportParts(msgspec.Struct, frozen=True):
    """What making them takes."""

    store: Store
    telemetry: Telemetry
    outbox: Outbox
    investigations: InvestigationRequests
    clock: Clock
    ids: Ids


def report(parts: ReportParts, tenant: Tenant, reported: ReportedAlert, actor: str) -> Alert | None:
    """The alert; None if there is no such event. An open one of that title on the machine is the one."""
    event = _event(parts.telemetry, tenant, reported)
    if event is None:
        return None
    with parts.store.begin() as connection:
        machine = Machines(connection, tenant.tenant_id, now_ticks(parts.clock)).get(reported.machine_id)
        alerts = Alerts(connection, tenant.tenant_id)
        is_same = and_(
            on_device(tenant.tenant_id, reported.machine_id),
            ALERT_FIELDS["title"] == reported.title,
            ALERT_FIELDS["status"] != "resolved",
        )
        same, _ = alerts.page(
            Selection(is_same, ((ALERT_FIELDS["created"], True), (ALERT_FIELDS["alert_id"], True)), 1)
        )
        if same:
            return same[0]
        investigation = (
            parts.investigations.start(connection, tenant.tenant_id, machine, f"Alert by {actor}") if machine else None
        )
        number = investigation.investigation_id if investigation else None
        maker = By(actor, now_ticks(parts.clock), "Defender for Endpoint API")
        new = _new(reported, event, number)
        creation = create(connection, tenant.tenant_id, new, parts.clock, parts.ids, maker=maker)
        if number is not None:
            Investigations(connection, tenant.tenant_id).set_trigger(number, creation.alert.alert_id)
        payload = {"alert_id": creation.alert.alert_id}
        parts.outbox.publish(connection, tenant.tenant_id, ALERT_CREATED, payload)
        return creation.alert


def _event(telemetry: Telemetry, tenant: Tenant, reported: ReportedAlert) -> Row | None:
    """The event that is referred to, from whichever table has it."""
    condition = (
        f"Timestamp == datetime({format_ticks(reported.event_time)}) and ReportId == {reported.report_id}"
        f" and DeviceId =~ {quote_string(reported.machine_id)}"
    )
    for table in event_tables():
        if any(column.name == "ReportId" for column in table.columns):
            rows = telemetry.rows(tenant, f"{table.name} | where {condition} | take 1")
            if rows:
                return rows[0]
    return None


def _new(reported: ReportedAlert, event: Row, investigation_id: int | None) -> NewAlert:
    return NewAlert(
        title=reported.title,
        severity=reported.severity,
        category=reported.category,
        service_source="microsoftDefenderForEndpoint",
        detection_source="manual",
        first_activity=reported.event_time,
        last_activity=reported.event_time,
        details=AlertDetails(
            description=reported.description,
            recommended_actions=reported.recommended_action,
            investigation_id=investigation_id,
            investigation_state="queued" if investigation_id is not None else "unknown",
        ),
        evidence=tuple(_evidence(reported, event)),
    )


def _evidence(reported: ReportedAlert, event: Row) -> list[Evidence]:
    name = text_of(event, "DeviceName")
    found: list[Evidence] = [DeviceEvidence(device_id=reported.machine_id, device_name=name, is_impacted=True)]
    file = FileDetails(
        file_name=text_of(event, "FileName"),
        file_path=(text_of(event, "FolderPath") or "").rpartition("\\")[0] or None,
        sha1=text_of(event, "SHA1"),
        sha256=text_of(event, "SHA256"),
    )
    command_line = text_of(event, "ProcessCommandLine")
    if command_line is not None:
        account = UserAccount(
            account_name=text_of(event, "AccountName"),
            domain_name=text_of(event, "AccountDomain"),
            user_sid=text_of(event, "AccountSid"),
        )
        found.append(
            ProcessEvidence(
                process_id=number_of(event, "ProcessId"),
                command_line=command_line,
                created=number_of(event, "ProcessCreationTime"),
                image=file,
                account=account if account.account_name else None,
                device_id=reported.machine_id,
            )
        )
    elif file.file_name is not None:
        found.append(FileEvidence(file=file, device_id=reported.machine_id))
    return found
