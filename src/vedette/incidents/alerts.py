"""Alerts: the struct, creation (which correlates into an incident), changes, and the repository."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, and_, case, func, select

from vedette.clock import Clock, now_ticks
from vedette.contracts.enums import load_enums
from vedette.errors import ConflictError
from vedette.ids import Ids
from vedette.incidents.alert_devices import AlertDevices
from vedette.incidents.annotations import checked_comment
from vedette.incidents.changes import VERSIONED_ALERTS, By, Changes, Facts, columns_of
from vedette.incidents.changes import Activity as LogEntry
from vedette.incidents.correlation import Activity, Correlation, links_of
from vedette.incidents.determinations import recalculated
from vedette.incidents.evidence import (
    Evidence,
    RecordedEvidence,
    decode_evidence,
    encode_evidence,
    kind_of,
)
from vedette.incidents.incidents import Comment, Incidents
from vedette.incidents.tables import ALERT_COMMENTS, ALERT_EVIDENCE, ALERT_LINKS, ALERTS
from vedette.odata.paging import KEYS_OF_ONE_STATEMENT, Selection, SortKey, order_rows
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


class AlertState(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of an alert by the time it is stored: of most, nothing. Times that are None are that time."""

    alert_id: str | None = None
    status: str = "new"
    classification: str = "unknown"
    determination: str = "unknown"
    assigned_to: str | None = None
    created: int | None = None
    last_update: int | None = None
    resolved: int | None = None
    comments: tuple[Comment, ...] = ()
    evidence_created: tuple[int | None, ...] = ()
    """Of each piece of evidence, in its order."""


NEW = AlertState()


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
    state: AlertState = NEW


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


class AlertVersion(NamedTuple):
    """Which state of an alert: everything that it shows, its evidence included, follows from this."""

    alert_id: str
    incident_id: int
    change_number: int
    last_update: int
    detection_source: str


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


def create(
    connection: Connection,
    tenant_id: str,
    new: NewAlert,
    clock: Clock,
    ids: Ids,
    *,
    correlated: bool = True,
    maker: By | None = None,
) -> Creation:
    """Store an alert with its evidence and put it into the incident it belongs to, or into a new one.

    One that is not `correlated` always gets an incident of its own. `maker`: who made it, if somebody did; what
    incident it belongs to is the engine's to say.
    """
    alerts = Alerts(connection, tenant_id)
    if new.source_key is not None and (known := alerts.by_source_key(new.source_key)) is not None:
        return Creation(known, is_new=False, opened_incident=False)
    activity = Activity(new.first_activity, new.last_activity)
    related = Correlation(connection, tenant_id).correlate(links_of(new.evidence), activity) if correlated else None
    engine = By(ENGINE, now_ticks(clock))
    alert_id = put_into(connection, tenant_id, new, related, by=engine, ids=ids, maker=maker)
    alert = alerts.get(alert_id)
    assert alert is not None
    return Creation(alert, is_new=True, opened_incident=related is None)


def put_into(
    connection: Connection,
    tenant_id: str,
    new: NewAlert,
    incident_id: int | None,
    *,
    by: By,
    ids: Ids,
    maker: By | None = None,
) -> str:
    """Store an alert in an incident, or in a new one of its own, whatever it has in common with others; its id.

    `maker`: who made the alert, if not who puts it there.
    """
    incidents, correlation = Incidents(connection, tenant_id), Correlation(connection, tenant_id)
    into = incidents.add(new.title, new.severity, by.now) if incident_id is None else incident_id
    alert_id = Alerts(connection, tenant_id).add(into, new, maker or by, ids)
    correlation.rename(into)
    if incident_id is None:
        incidents.keep(into, "created", by, {"alert_id": alert_id})
    else:
        incidents.take_in(into, by, {"alert_id": alert_id})
    return alert_id


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

    def of_ids(self, alert_ids: Sequence[str]) -> list[Alert]:
        """Several alerts, in no order."""
        mine = select(*_STORED).where(self.own(ALERTS))
        statements = (mine.where(ALERTS.c.alert_id.in_(some)) for some in _portions(alert_ids))
        return [alert for each in statements for alert in self._load(self.connection.execute(each).all())]

    def by_source_key(self, source_key: str) -> Alert | None:
        """The alert that was made from this, or None."""
        return self._one(ALERTS.c.source_key == source_key)

    def page(self, selection: Selection) -> tuple[list[Alert], tuple[int | str, ...] | None]:
        """One page, and the sort keys of its last row if there are more."""
        narrowed = selection.narrowed(self._within)
        page, after = Changes(self.connection, self.tenant_id).page(VERSIONED_ALERTS, narrowed, _STORED)
        return self._load(page), after

    def versions(self, selection: Selection) -> tuple[list[AlertVersion], tuple[int | str, ...] | None]:
        """As `page`, but only which state each alert is in."""
        narrowed, columns = selection.narrowed(self._within), [ALERTS.c[name] for name in AlertVersion._fields]
        page, after = Changes(self.connection, self.tenant_id).page(VERSIONED_ALERTS, narrowed, columns)
        return [AlertVersion._make(row[: len(columns)]) for row in page], after

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
        rows = self._of_incidents(_STORED, incident_ids, condition, (*order, *_BY_AGE) if order else ())
        alerts = self._load(rows)
        return _by_incident(alerts if order else sorted(alerts, key=lambda each: (each.created, each.alert_id)))

    def versions_of(self, incident_ids: Iterable[int]) -> dict[int, list[AlertVersion]]:
        """As `of_incidents`, but only which state each alert is in."""
        columns = [ALERTS.c[name] for name in (*AlertVersion._fields, "created")]
        rows = self._of_incidents(columns, incident_ids)
        return _by_incident([AlertVersion._make(row[:-1]) for row in sorted(rows, key=itemgetter(-1, 0))])

    def _of_incidents(
        self,
        columns: Sequence[ColumnElement[Any]],
        incident_ids: Iterable[int],
        condition: ColumnElement[bool] | None = None,
        order: Sequence[SortKey] = (),
    ) -> Sequence[Row[Any]]:
        """Rows of alerts. Asked for an order, SQLite may read every alert of the tenant along an index that has it."""
        statement = select(*columns).where(self.own(ALERTS), ALERTS.c.incident_id.in_(list(incident_ids)))
        return self.connection.execute(order_rows(statement, condition, order)).all()

    def add(self, incident_id: int, new: NewAlert, by: By, ids: Ids) -> str:
        """Store a new alert of an incident, with its evidence and what that links it to; its id.

        Raises ConflictError for an id that is taken.
        """
        state = new.state
        alert_id = self._free_id(state.alert_id) or _alert_id(new.service_source, by.now, ids)
        created = by.now if state.created is None else state.created
        self.insert(
            ALERTS,
            alert_id=alert_id,
            incident_id=incident_id,
            source_key=new.source_key,
            title=new.title,
            severity=new.severity,
            status=state.status,
            category=new.category,
            classification=state.classification,
            determination=state.determination,
            assigned_to=state.assigned_to,
            resolved=state.resolved,
            service_source=new.service_source,
            detection_source=new.detection_source,
            created=created,
            last_update=by.now if state.last_update is None else state.last_update,
            first_activity=new.first_activity,
            last_activity=new.last_activity,
            details=msgspec.to_builtins(new.details),
            change_number=Changes(self.connection, self.tenant_id).next_number(),
        )
        self._keep(alert_id, "created", by, {"incident_id": incident_id})
        times = dict(enumerate(state.evidence_created))
        rows = [
            {
                "tenant_id": self.tenant_id,
                "alert_id": alert_id,
                "position": position,
                "kind": kind_of(entity),
                "created": created if times.get(position) is None else times[position],
                "entity": encode_evidence(entity),
            }
            for position, entity in enumerate(new.evidence)
        ]
        if rows:
            self.connection.execute(ALERT_EVIDENCE.insert(), rows)
        AlertDevices(self.connection, self.tenant_id).add(alert_id, new.evidence)
        Correlation(self.connection, self.tenant_id).remember(alert_id, incident_id, links_of(new.evidence))
        for comment in state.comments:
            self.comment(alert_id, comment)
        return alert_id

    def comment(self, alert_id: str, comment: Comment) -> None:
        """Store a comment as it is, without a change."""
        self.insert(
            ALERT_COMMENTS,
            alert_id=alert_id,
            created=comment.created,
            comment=checked_comment(comment.comment),
            created_by=comment.created_by,
        )

    def change(self, alert_id: str, change: AlertChange, by: By) -> Alert | None:
        """Apply a change, to the incident's time of last update too; None if there is no such alert."""
        if (before := self._stored(alert_id)) is None:
            return None
        values: dict[str, object] = {
            name: value
            for name in ("status", "classification", "determination", "assigned_to")
            if (value := getattr(change, name)) is not msgspec.UNSET
        }
        values |= recalculated(before.determination, values)
        if "assigned_to" in values:
            values["assigned_to"] = values["assigned_to"] or None
        facts = {name: value for name, value in values.items() if value != getattr(before, name)}
        if isinstance(change.custom_details, Mapping):
            facts["custom_details"] = dict(change.custom_details)
            values["details"] = {**before.details, "custom_details": dict(change.custom_details)}
        updated = self.touch(alert_id, by.now, values)
        if isinstance(change.comment, str):
            self.comment(alert_id, Comment(change.comment, by.actor, updated))
            facts["comment"] = change.comment
        self._keep(alert_id, "commented" if set(facts) == {"comment"} else "updated", by, facts)
        Incidents(self.connection, self.tenant_id).touch(
            before.incident_id, "alertChanged", by, {"alert_id": alert_id, **facts}
        )
        return self.get(alert_id)

    def follow(self, incident_id: int, wanted: Callable[[Row[Any]], Mapping[str, object]], by: By) -> None:
        """Change an incident's alerts with it: each in what `wanted` says of its row and is not so yet."""
        alerts = self.select(ALERTS).where(ALERTS.c.incident_id == incident_id).order_by(ALERTS.c.alert_id)
        for row in self.connection.execute(alerts).all():
            values = {name: value for name, value in wanted(row).items() if value != getattr(row, name)}
            if values:
                self.touch(row.alert_id, by.now, values)
                self._keep(row.alert_id, "updated", by, values)

    def move(self, alert_id: str, incident_id: int, by: By) -> None:
        """Put an alert into another incident."""
        self.touch(alert_id, by.now, {"incident_id": incident_id})
        links = self.update(ALERT_LINKS).where(ALERT_LINKS.c.alert_id == alert_id)
        self.connection.execute(links.values(incident_id=incident_id))
        self._keep(alert_id, "moved", by, {"incident_id": incident_id})

    def touch(self, alert_id: str, now: int, values: Mapping[str, object]) -> int:
        """Change columns of an alert under a new number; the new time of last update, always later than it was."""
        last, number = ALERTS.c.last_update, Changes(self.connection, self.tenant_id).next_number()
        updated = case((last < now, now), else_=last + 1)
        columns = {**values, "last_update": updated, "change_number": number}
        if "status" in values:
            columns["resolved"] = updated if values["status"] == "resolved" else None
        statement = self.update(ALERTS).where(ALERTS.c.alert_id == alert_id).values(columns)
        return int(self.connection.execute(statement.returning(last)).scalar_one())

    def _keep(self, alert_id: str, activity: str, by: By, facts: Facts) -> None:
        Changes(self.connection, self.tenant_id).keep(VERSIONED_ALERTS, alert_id, activity, by, facts)

    def _free_id(self, wanted: str | None) -> str | None:
        if wanted is not None and self._stored(wanted) is not None:
            raise ConflictError("IdTaken", id=wanted)
        return wanted

    def _stored(self, alert_id: str) -> Row[Any] | None:
        return self.connection.execute(self.select(ALERTS).where(ALERTS.c.alert_id == alert_id)).first()

    def _one(self, condition: ColumnElement[bool]) -> Alert | None:
        row = self.connection.execute(select(*_STORED).where(self.own(ALERTS), condition)).first()
        return None if row is None else self._load([row])[0]

    def _load(self, rows: Sequence[Row[Any]]) -> list[Alert]:
        """Alerts with what belongs to them, from rows that begin with their columns."""
        alerts: list[Alert] = []
        for some in _portions(rows):
            alert_ids = [row[0] for row in some]
            evidence, comments = self._evidence(alert_ids), self._comments(alert_ids)
            alerts += [_to_alert(row, evidence.get(row[0], ()), comments.get(row[0], ())) for row in some]
        return alerts

    def _evidence(self, alert_ids: list[str]) -> dict[str, tuple[RecordedEvidence, ...]]:
        column = ALERT_EVIDENCE.c
        statement = select(column.alert_id, column.created, column.entity).where(
            self.own(ALERT_EVIDENCE), column.alert_id.in_(alert_ids)
        )
        rows = self.connection.execute(statement.order_by(column.alert_id, column.position)).all()
        return {
            alert_id: tuple(RecordedEvidence(created, decode_evidence(entity)) for _, created, entity in of_alert)
            for alert_id, of_alert in groupby(rows, itemgetter(0))
        }

    def _comments(self, alert_ids: list[str]) -> dict[str, tuple[Comment, ...]]:
        column = ALERT_COMMENTS.c
        statement = select(column.alert_id, column.comment, column.created_by, column.created).where(
            self.own(ALERT_COMMENTS), column.alert_id.in_(alert_ids)
        )
        rows = self.connection.execute(statement.order_by(column.alert_id, column.created)).all()
        return {
            alert_id: tuple(Comment(*row[1:]) for row in of_alert)
            for alert_id, of_alert in groupby(rows, itemgetter(0))
        }


_Value = TypeVar("_Value")
_OfIncident = TypeVar("_OfIncident", Alert, AlertVersion)

_BY_AGE: tuple[SortKey, ...] = ((ALERTS.c.created, False), (ALERTS.c.alert_id, False))

_STORED = columns_of(ALERTS, Alert)
"""`details` is the last of them."""

_DETAILS_DECODER = msgspec.json.Decoder(AlertDetails)


def _portions(values: Sequence[_Value]) -> Iterable[Sequence[_Value]]:
    """As many at a time as one statement may ask for."""
    return (values[start : start + KEYS_OF_ONE_STATEMENT] for start in range(0, len(values), KEYS_OF_ONE_STATEMENT))


def _by_incident(alerts: Iterable[_OfIncident]) -> dict[int, list[_OfIncident]]:
    """Alerts in their order, by incident."""
    grouped: dict[int, list[_OfIncident]] = {}
    for alert in alerts:
        grouped.setdefault(alert.incident_id, []).append(alert)
    return grouped


def _to_alert(row: Row[Any], evidence: tuple[RecordedEvidence, ...], comments: tuple[Comment, ...]) -> Alert:
    *values, details = row[: len(_STORED)]
    return Alert(*(*values, _DETAILS_DECODER.decode(details), evidence, comments))
