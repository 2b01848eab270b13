"""Alerts: the struct, creation (which correlates into an incident), changes, and the repository."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, and_, case, func, select

from vedette.clock import Clock, now_ticks
from vedette.contracts.enums import load_enums
from vedette.ids import Ids
from vedette.incidents.alert_devices import AlertDevices
from vedette.incidents.changes import VERSIONED_ALERTS, Changes, Facts
from vedette.incidents.changes import Activity as LogEntry
from vedette.incidents.correlation import Activity, Correlation, links_of
from vedette.incidents.determinations import checked_assessment
from vedette.incidents.evidence import (
    Evidence,
    RecordedEvidence,
    decode_evidence,
    encode_evidence,
    kind_of,
)
from vedette.incidents.incidents import Comment, Incidents
from vedette.incidents.tables import ALERT_COMMENTS, ALERT_EVIDENCE, ALERT_LINKS, ALERTS
from vedette.odata.paging import Selection, SortKey, order_rows
from vedette.store.tenancy import TenantRepository

ALERT_FIELDS: Mapping[str, ColumnElement[Any]] = {
    "investigation_id": ALERTS.c.details["investigation_id"].as_integer(),
    "mitre_techniques": ALERTS.c.details["mitre_techniques"],
    "system_tags": ALERTS.c.details["system_tags"],
} | {
    name: ALERTS.c[name]
    for name in (
        "alert_id",
        "incident_id",
        "title",
        "severity",
        "status",
        "category",
        "classification",
        "determination",
        "assigned_to",
        "service_source",
        "detection_source",
        "created",
        "last_update",
        "first_activity",
        "last_activity",
        "resolved",
    )
}
"""Columns that surfaces may filter and sort by."""


class AlertDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is shown and never queried."""

    description: str = ""
    recommended_actions: str | None = None
    mitre_techniques: tuple[str, ...] = ()
    detector_id: str | None = None
    provider_alert_id: str | None = None
    alert_policy_id: str | None = None
    product_name: str | None = None
    actor_display_name: str | None = None
    threat_display_name: str | None = None
    threat_family_name: str | None = None
    investigation_id: int | None = None
    investigation_state: str = "unknown"
    custom_details: Mapping[str, str] = {}
    system_tags: tuple[str, ...] = ()


class NewAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert to be. Enums in Graph's spelling, `category` in PascalCase (`LateralMovement`), times in ticks."""

    title: str
    severity: str
    category: str
    service_source: str
    detection_source: str
    first_activity: int
    last_activity: int
    details: AlertDetails = AlertDetails()
    evidence: tuple[Evidence, ...] = ()
    source_key: str | None = None
    """What it was made from (rule and events, say): a second alert with the same key is the first one again."""


class Alert(msgspec.Struct, frozen=True):
    """One alert with its evidence and comments."""

    alert_id: str
    incident_id: int
    title: str
    severity: str
    status: str
    category: str
    classification: str
    determination: str
    assigned_to: str | None
    service_source: str
    detection_source: str
    created: int
    last_update: int
    first_activity: int
    last_activity: int
    resolved: int | None
    details: AlertDetails
    evidence: tuple[RecordedEvidence, ...] = ()
    comments: tuple[Comment, ...] = ()


class AlertChange(msgspec.Struct, frozen=True):
    """What a caller changes. UNSET keeps the value; None empties one that may be empty."""

    status: str | msgspec.UnsetType = msgspec.UNSET
    classification: str | msgspec.UnsetType = msgspec.UNSET
    determination: str | msgspec.UnsetType = msgspec.UNSET
    assigned_to: str | msgspec.UnsetType | None = msgspec.UNSET
    custom_details: Mapping[str, str] | msgspec.UnsetType = msgspec.UNSET
    comment: str | msgspec.UnsetType = msgspec.UNSET
    """One comment to add."""


class Creation(msgspec.Struct, frozen=True):
    """What came of a new alert. `is_new` is false if one with its source key was there already."""

    alert: Alert
    is_new: bool
    opened_incident: bool


ALERT_CREATED = "AlertCreated"
"""Outbox topic; payload `{"alert_id": …}`. Told by whoever creates an alert, in the same transaction."""

ENGINE = "Microsoft Defender XDR - alert correlation"
"""Who merges and reopens incidents where no person does."""


def create(connection: Connection, tenant_id: str, new: NewAlert, clock: Clock, ids: Ids) -> Creation:
    """Store an alert with its evidence and put it into the incident it belongs to, or into a new one."""
    alerts = Alerts(connection, tenant_id)
    if new.source_key is not None and (known := alerts.by_source_key(new.source_key)) is not None:
        return Creation(known, is_new=False, opened_incident=False)
    now = now_ticks(clock)
    incidents, correlation = Incidents(connection, tenant_id), Correlation(connection, tenant_id)
    links = links_of(new.evidence)
    related = correlation.correlate(links, Activity(new.first_activity, new.last_activity))
    incident_id = incidents.add(new.title, new.severity, now) if related is None else related
    alert_id = _alert_id(new.service_source, now, ids)
    alerts.add(alert_id, incident_id, new, now)
    correlation.remember(alert_id, incident_id, links)
    correlation.rename(incident_id)
    facts = {"alert_id": alert_id}
    if related is None:
        incidents.keep(incident_id, "created", ENGINE, facts)
    else:
        incidents.take_in(incident_id, now, ENGINE, facts)
    alert = alerts.get(alert_id)
    assert alert is not None
    return Creation(alert, is_new=True, opened_incident=related is None)


def _alert_id(service_source: str, now: int, ids: Ids) -> str:
    """Product prefix, ticks, a signed 32-bit number: `da637349914833441527_393341063`."""
    prefix = load_enums()["serviceSource"].by_name[service_source].alert_prefix
    return f"{prefix}{now}_{int(ids.guid()[:8], 16) - 2**31}"


class Alerts(TenantRepository):
    """The alerts of one tenant, or those `within` a condition on them: no statement reaches the others."""

    def __init__(self, connection: Connection, tenant_id: str, within: ColumnElement[bool] | None = None) -> None:
        super().__init__(connection, tenant_id)
        self._within = within

    def own(self, table: Table) -> ColumnElement[bool]:
        """The condition that a row of `table` is the tenant's and, of an alert, within reach."""
        condition = super().own(table)
        return condition if table is not ALERTS or self._within is None else and_(condition, self._within)

    def get(self, alert_id: str) -> Alert | None:
        """One alert, or None."""
        return self._one(ALERTS.c.alert_id == alert_id)

    def by_source_key(self, source_key: str) -> Alert | None:
        """The alert that was made from this, or None."""
        return self._one(ALERTS.c.source_key == source_key)

    def page(self, selection: Selection) -> tuple[list[Alert], tuple[int | str, ...] | None]:
        """One page, and the sort keys of its last row if there are more."""
        page, after = Changes(self.connection, self.tenant_id).page(VERSIONED_ALERTS, selection.narrowed(self._within))
        return self._load(page), after

    def log(self, alert_id: str) -> list[LogEntry]:
        """Everything that happened to an alert, oldest first."""
        return Changes(self.connection, self.tenant_id).log(VERSIONED_ALERTS, alert_id)

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many alerts meet `condition`."""
        statement = select(func.count()).select_from(ALERTS).where(self.own(ALERTS))
        if condition is not None:
            statement = statement.where(condition)
        return int(self.connection.scalar(statement) or 0)

    def of_incidents(
        self,
        incident_ids: Iterable[int],
        condition: ColumnElement[bool] | None = None,
        order: Sequence[SortKey] = (),
    ) -> dict[int, list[Alert]]:
        """The alerts of several incidents by incident: those that meet a condition, oldest first or in an order."""
        statement = self.select(ALERTS).where(ALERTS.c.incident_id.in_(list(incident_ids)))
        by_age = ((ALERTS.c.created, False), (ALERTS.c.alert_id, False))
        rows = self.connection.execute(order_rows(statement, condition, (*order, *by_age))).all()
        alerts: dict[int, list[Alert]] = {}
        for alert in self._load(rows):
            alerts.setdefault(alert.incident_id, []).append(alert)
        return alerts

    def add(self, alert_id: str, incident_id: int, new: NewAlert, now: int) -> None:
        """Store a new alert of an incident."""
        self.insert(
            ALERTS,
            alert_id=alert_id,
            incident_id=incident_id,
            source_key=new.source_key,
            title=new.title,
            severity=new.severity,
            status="new",
            category=new.category,
            classification="unknown",
            determination="unknown",
            service_source=new.service_source,
            detection_source=new.detection_source,
            created=now,
            last_update=now,
            first_activity=new.first_activity,
            last_activity=new.last_activity,
            details=msgspec.to_builtins(new.details),
            change_number=Changes(self.connection, self.tenant_id).next_number(),
        )
        self._keep(alert_id, "created", ENGINE, {"incident_id": incident_id})
        rows = [
            {
                "tenant_id": self.tenant_id,
                "alert_id": alert_id,
                "position": position,
                "kind": kind_of(entity),
                "created": now,
                "entity": encode_evidence(entity),
            }
            for position, entity in enumerate(new.evidence)
        ]
        if rows:
            self.connection.execute(ALERT_EVIDENCE.insert(), rows)
        AlertDevices(self.connection, self.tenant_id).add(alert_id, new.evidence)

    def change(self, alert_id: str, change: AlertChange, actor: str, now: int) -> Alert | None:
        """Apply a change, to the incident's time of last update too; None if there is no such alert.

        Raises AssessmentError for a determination that contradicts the classification.
        """
        if (before := self._stored(alert_id)) is None:
            return None
        values: dict[str, object] = {
            name: value
            for name in ("status", "classification", "determination", "assigned_to")
            if (value := getattr(change, name)) is not msgspec.UNSET
        }
        values |= checked_assessment(before.classification, before.determination, values)
        facts = {name: value for name, value in values.items() if value != getattr(before, name)}
        if isinstance(change.custom_details, Mapping):
            facts["custom_details"] = dict(change.custom_details)
            values["details"] = {**before.details, "custom_details": dict(change.custom_details)}
        updated = self.touch(alert_id, now, values)
        if isinstance(change.comment, str):
            self.insert(ALERT_COMMENTS, alert_id=alert_id, created=updated, comment=change.comment, created_by=actor)
            facts["comment"] = change.comment
        self._keep(alert_id, "commented" if set(facts) == {"comment"} else "updated", actor, facts)
        Incidents(self.connection, self.tenant_id).touch(
            before.incident_id, now, "alertChanged", actor, {"alert_id": alert_id, **facts}
        )
        return self.get(alert_id)

    def resolve_open(self, incident_id: int, assessment: Mapping[str, object], actor: str, now: int) -> None:
        """Resolve what is open among an incident's alerts; `assessment` is for those that nobody has judged."""
        open_alerts = self.select(ALERTS).where(ALERTS.c.incident_id == incident_id, ALERTS.c.status != "resolved")
        for row in self.connection.execute(open_alerts).all():
            values = {"status": "resolved", **(assessment if row.classification == "unknown" else {})}
            self.touch(row.alert_id, now, values)
            self._keep(row.alert_id, "updated", actor, values)

    def move(self, alert_id: str, incident_id: int, actor: str, now: int) -> None:
        """Put an alert into another incident."""
        self.touch(alert_id, now, {"incident_id": incident_id})
        links = self.update(ALERT_LINKS).where(ALERT_LINKS.c.alert_id == alert_id)
        self.connection.execute(links.values(incident_id=incident_id))
        self._keep(alert_id, "moved", actor, {"incident_id": incident_id})

    def touch(self, alert_id: str, now: int, values: Mapping[str, object]) -> int:
        """Change columns of an alert under a new number; the new time of last update, always later than it was."""
        last, number = ALERTS.c.last_update, Changes(self.connection, self.tenant_id).next_number()
        updated = case((last < now, now), else_=last + 1)
        columns = {**values, "last_update": updated, "change_number": number}
        if "status" in values:
            columns["resolved"] = updated if values["status"] == "resolved" else None
        statement = self.update(ALERTS).where(ALERTS.c.alert_id == alert_id).values(columns)
        return int(self.connection.execute(statement.returning(last)).scalar_one())

    def _keep(self, alert_id: str, activity: str, actor: str, facts: Facts) -> None:
        Changes(self.connection, self.tenant_id).keep(VERSIONED_ALERTS, alert_id, activity, actor, facts)

    def _stored(self, alert_id: str) -> Row[Any] | None:
        return self.connection.execute(self.select(ALERTS).where(ALERTS.c.alert_id == alert_id)).first()

    def _one(self, condition: ColumnElement[bool]) -> Alert | None:
        row = self.connection.execute(self.select(ALERTS).where(condition)).first()
        return None if row is None else self._load([row])[0]

    def _load(self, rows: Iterable[Row[Any]]) -> list[Alert]:
        rows = list(rows)
        alert_ids = [row.alert_id for row in rows]
        evidence, comments = self._evidence(alert_ids), self._comments(alert_ids)
        return [
            _to_alert(row, tuple(evidence.get(row.alert_id, ())), tuple(comments.get(row.alert_id, ()))) for row in rows
        ]

    def _evidence(self, alert_ids: list[str]) -> dict[str, list[RecordedEvidence]]:
        table = ALERT_EVIDENCE
        statement = self.select(table).where(table.c.alert_id.in_(alert_ids)).order_by(table.c.position)
        evidence: dict[str, list[RecordedEvidence]] = {}
        for row in self.connection.execute(statement):
            evidence.setdefault(row.alert_id, []).append(RecordedEvidence(row.created, decode_evidence(row.entity)))
        return evidence

    def _comments(self, alert_ids: list[str]) -> dict[str, list[Comment]]:
        table = ALERT_COMMENTS
        statement = self.select(table).where(table.c.alert_id.in_(alert_ids)).order_by(table.c.created)
        comments: dict[str, list[Comment]] = {}
        for row in self.connection.execute(statement):
            comments.setdefault(row.alert_id, []).append(Comment(row.comment, row.created_by, row.created))
        return comments


def _to_alert(row: Row[Any], evidence: tuple[RecordedEvidence, ...], comments: tuple[Comment, ...]) -> Alert:
    return Alert(
        alert_id=row.alert_id,
        incident_id=row.incident_id,
        title=row.title,
        severity=row.severity,
        status=row.status,
        category=row.category,
        classification=row.classification,
        determination=row.determination,
        assigned_to=row.assigned_to,
        service_source=row.service_source,
        detection_source=row.detection_source,
        created=row.created,
        last_update=row.last_update,
        first_activity=row.first_activity,
        last_activity=row.last_activity,
        resolved=row.resolved,
        details=msgspec.convert(row.details, AlertDetails),
        evidence=evidence,
        comments=comments,
    )
