"""Incidents: the struct, what may change in it, and the repository."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, and_, case, func, select

from vedette.incidents.annotations import checked_comment, own_tags
from vedette.incidents.changes import VERSIONED_INCIDENTS, Activity, By, Changes, Facts, columns_of
from vedette.incidents.determinations import checked_assessment
from vedette.incidents.tables import INCIDENT_COMMENTS, INCIDENT_COUNTERS, INCIDENTS
from vedette.odata.paging import Selection
from vedette.store.engine import conflict_insert
from vedette.store.tenancy import TenantRepository

OPEN_STATUSES = frozenset({"active", "inProgress", "awaitingAction"})

INCIDENT_FIELDS: Mapping[str, ColumnElement[Any]] = {
    name: INCIDENTS.c[name]
    for name in (
        "incident_id",
        "display_name",
        "status",
        "severity",
        "classification",
        "determination",
        "assigned_to",
        "created",
        "last_update",
        "redirect_incident_id",
        "custom_tags",
        "system_tags",
    )
}
"""Columns that surfaces may filter and sort by."""


class Comment(msgspec.Struct, frozen=True):
    """A comment on an incident or an alert."""

    comment: str
    created_by: str
    created: int


class IncidentDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """Texts that are shown and never queried."""

    description: str | None = None
    summary: str | None = None
    resolving_comment: str | None = None
    priority_score: int | None = None


class Incident(msgspec.Struct, frozen=True):
    """One incident, comments included, alerts not."""

    incident_id: int
    display_name: str
    status: str
    severity: str
    classification: str
    determination: str
    assigned_to: str | None
    created: int
    last_update: int
    last_modified_by: str | None
    redirect_incident_id: int | None
    custom_tags: tuple[str, ...]
    system_tags: tuple[str, ...]
    details: IncidentDetails
    comments: tuple[Comment, ...] = ()


class IncidentVersion(NamedTuple):
    """Which state of an incident: everything that it shows, its alerts included, follows from this."""

    incident_id: int
    change_number: int
    last_update: int


class IncidentChange(msgspec.Struct, frozen=True):
    """What a caller changes. UNSET keeps the value; None empties one that may be empty."""

    display_name: str | msgspec.UnsetType = msgspec.UNSET
    status: str | msgspec.UnsetType = msgspec.UNSET
    severity: str | msgspec.UnsetType = msgspec.UNSET
    classification: str | msgspec.UnsetType = msgspec.UNSET
    determination: str | msgspec.UnsetType = msgspec.UNSET
    assigned_to: str | msgspec.UnsetType | None = msgspec.UNSET
    custom_tags: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    summary: str | msgspec.UnsetType | None = msgspec.UNSET
    resolving_comment: str | msgspec.UnsetType | None = msgspec.UNSET
    comment: str | msgspec.UnsetType = msgspec.UNSET
    """One comment to add."""


_COLUMNS = ("display_name", "status", "severity", "classification", "determination", "assigned_to", "custom_tags")
_DETAILS = ("description", "summary", "resolving_comment")


class Incidents(TenantRepository):
    """The incidents of one tenant, or those `within` a condition on them: no statement reaches the others."""

    def __init__(self, connection: Connection, tenant_id: str, within: ColumnElement[bool] | None = None) -> None:
        super().__init__(connection, tenant_id)
        self._within = within

    def own(self, table: Table) -> ColumnElement[bool]:
        """The condition that a row of `table` is the tenant's and, of an incident, within reach."""
        condition = super().own(table)
        return condition if table is not INCIDENTS or self._within is None else and_(condition, self._within)

    def get(self, incident_id: int) -> Incident | None:
        """One incident, or None."""
        return next(iter(self.of_ids([incident_id])), None)

    def of_ids(self, incident_ids: Sequence[int]) -> list[Incident]:
        """Several incidents, in no order."""
        statement = select(*_STORED).where(self.own(INCIDENTS), INCIDENTS.c.incident_id.in_(incident_ids))
        return self._load(self.connection.execute(statement).all())

    def page(self, selection: Selection) -> tuple[list[Incident], tuple[int | str, ...] | None]:
        """One page, and the sort keys of its last row if there are more."""
        narrowed = selection.narrowed(self._within)
        page, after = Changes(self.connection, self.tenant_id).page(VERSIONED_INCIDENTS, narrowed, _STORED)
        return self._load(page), after

    def versions(self, selection: Selection) -> tuple[list[IncidentVersion], tuple[int | str, ...] | None]:
        """As `page`, but only which state each incident is in."""
        narrowed = selection.narrowed(self._within)
        columns = [INCIDENTS.c[name] for name in IncidentVersion._fields]
        page, after = Changes(self.connection, self.tenant_id).page(VERSIONED_INCIDENTS, narrowed, columns)
        return [IncidentVersion(row.incident_id, row.change_number, row.last_update) for row in page], after

    def log(self, incident_id: int) -> list[Activity]:
        """Everything that happened to an incident, oldest first."""
        return Changes(self.connection, self.tenant_id).log(VERSIONED_INCIDENTS, incident_id)

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many incidents meet `condition`."""
        statement = select(func.count()).select_from(INCIDENTS).where(self.own(INCIDENTS))
        if condition is not None:
            statement = statement.where(condition)
        return int(self.connection.scalar(statement) or 0)

    def add(self, display_name: str, severity: str, now: int, **known: object) -> int:
        """A new active incident; its id. `keep` records it once it is described.

        `known`: columns that are to be otherwise, the id too.
        """
        values: dict[str, Any] = {
            "is_renamed": False,
            "status": "active",
            "classification": "unknown",
            "determination": "unknown",
            "created": now,
            "last_update": now,
            "custom_tags": [],
            "system_tags": [],
            "details": {},
            **known,
            "display_name": display_name,
            "severity": severity,
            "change_number": Changes(self.connection, self.tenant_id).next_number(),
        }
        values["incident_id"] = self._next_id(known.get("incident_id"))
        self.insert(INCIDENTS, **values)
        return int(values["incident_id"])

    def comment(self, incident_id: int, comment: Comment) -> None:
        """Store a comment as it is, without a change."""
        self.insert(
            INCIDENT_COMMENTS,
            incident_id=incident_id,
            created=comment.created,
            comment=checked_comment(comment.comment),
            created_by=comment.created_by,
        )

    def change(self, incident_id: int, change: IncidentChange, by: By) -> Incident | None:
        """Apply a change; None if there is no such incident. The time of last update always moves forward.

        Raises AssessmentError for a determination that contradicts the classification, InvalidRequestError for a
        comment that is too long.
        """
        updated = self._advance(incident_id, by.now)
        if updated is None:
            return None
        before = self._stored(incident_id)
        values: dict[str, object] = {
            name: value for name in _COLUMNS if (value := getattr(change, name)) is not msgspec.UNSET
        }
        values |= checked_assessment(before.classification, before.determination, values)
        if "assigned_to" in values:
            values["assigned_to"] = values["assigned_to"] or None
        if isinstance(change.custom_tags, tuple):
            values["custom_tags"] = own_tags(change.custom_tags, before.system_tags)
        if "display_name" in values:
            values["is_renamed"] = True
        details = {name: value for name in _DETAILS if (value := getattr(change, name)) is not msgspec.UNSET}
        facts: dict[str, object] = {
            name: value for name, value in values.items() if name in _COLUMNS and value != getattr(before, name)
        }
        if details:
            values["details"] = dict(before.details) | details
            facts |= {name: value for name, value in details.items() if value != before.details.get(name)}
        statement = self.update(INCIDENTS).where(INCIDENTS.c.incident_id == incident_id)
        self.connection.execute(statement.values(last_modified_by=by.actor, **values))
        if isinstance(change.comment, str):
            self.comment(incident_id, Comment(change.comment, by.actor, updated))
            facts["comment"] = change.comment
        self.keep(incident_id, "commented" if set(facts) == {"comment"} else "updated", by, facts)
        return self.get(incident_id)

    def keep(self, incident_id: int, activity: str, by: By, facts: Facts) -> None:
        """Record what an incident has become by the change that it carries the number of."""
        Changes(self.connection, self.tenant_id).keep(VERSIONED_INCIDENTS, incident_id, activity, by, facts)

    def touch(self, incident_id: int, activity: str, by: By, facts: Facts, **values: object) -> int:
        """Record that something happened to an incident, and what it changed; the new time of last update."""
        if values:
            self.connection.execute(self.update(INCIDENTS).where(INCIDENTS.c.incident_id == incident_id).values(values))
        updated = self._advance(incident_id, by.now)
        if updated is None:
            raise LookupError(incident_id)
        self.keep(incident_id, activity, by, facts)
        return updated

    def take_in(self, incident_id: int, by: By, facts: Facts) -> None:
        """Record that an alert has come; it opens a resolved incident again."""
        if self._stored(incident_id).status == "resolved":
            self.touch(incident_id, "reopened", by, facts, status="active")
        else:
            self.touch(incident_id, "alertAdded", by, facts)

    def _advance(self, incident_id: int, now: int) -> int | None:
        """Give an incident a new change number, and move its time of last update to `now` or just past what it is."""
        last, number = INCIDENTS.c.last_update, Changes(self.connection, self.tenant_id).next_number()
        statement = self.update(INCIDENTS).where(INCIDENTS.c.incident_id == incident_id)
        moved = self.connection.scalar(
            statement.values(last_update=case((last < now, now), else_=last + 1), change_number=number).returning(last)
        )
        return None if moved is None else int(moved)

    def _stored(self, incident_id: int) -> Row[Any]:
        return self.connection.execute(self.select(INCIDENTS).where(INCIDENTS.c.incident_id == incident_id)).one()

    def describe(self, incident_id: int, display_name: str, severity: str, *, anew: bool = False) -> None:
        """Name and severity that follow from the alerts; a name given by a person stays, unless `anew`."""
        matching = self.update(INCIDENTS).where(INCIDENTS.c.incident_id == incident_id)
        self.connection.execute(matching.values(severity=severity, **({"is_renamed": False} if anew else {})))
        self.connection.execute(matching.where(INCIDENTS.c.is_renamed.is_(False)).values(display_name=display_name))

    def rename(self, incident_id: int, display_name: str | None, severity: str | None) -> None:
        """A name and a severity of its own, as far as given."""
        named = {} if display_name is None else {"display_name": display_name, "is_renamed": True}
        values = named if severity is None else {**named, "severity": severity}
        if values:
            self.connection.execute(self.update(INCIDENTS).where(INCIDENTS.c.incident_id == incident_id).values(values))

    def _next_id(self, wanted: object = None) -> int:
        """The next free id, or the one that is wanted: ids that are given later lie beyond it."""
        last = INCIDENT_COUNTERS.c.last_incident_id
        counter = conflict_insert(self.connection, INCIDENT_COUNTERS).values(
            tenant_id=self.tenant_id, last_incident_id=wanted or 1, last_change=0
        )
        next_ = last + 1 if wanted is None else case((last < wanted, wanted), else_=last)
        statement = counter.on_conflict_do_update(
            index_elements=[INCIDENT_COUNTERS.c.tenant_id], set_={"last_incident_id": next_}
        ).returning(last)
        given = int(self.connection.execute(statement).scalar_one())
        return given if wanted is None else int(str(wanted))

    def _load(self, rows: Sequence[Row[Any]]) -> list[Incident]:
        """Incidents with their comments, from rows that begin with their columns."""
        comments = self._comments([row[0] for row in rows])
        return [_to_incident(row, comments.get(row[0], ())) for row in rows]

    def _comments(self, incident_ids: list[int]) -> dict[int, tuple[Comment, ...]]:
        column = INCIDENT_COMMENTS.c
        statement = select(column.incident_id, column.comment, column.created_by, column.created).where(
            self.own(INCIDENT_COMMENTS), column.incident_id.in_(incident_ids)
        )
        rows = self.connection.execute(statement.order_by(column.incident_id, column.created)).all()
        return {
            incident_id: tuple(Comment(*row[1:]) for row in of_incident)
            for incident_id, of_incident in groupby(rows, itemgetter(0))
        }


_STORED = columns_of(INCIDENTS, Incident)
"""Both sets of tags and `details` are the last of them."""

_TAGS_DECODER = msgspec.json.Decoder(tuple[str, ...])
_DETAILS_DECODER = msgspec.json.Decoder(IncidentDetails)


def _to_incident(row: Row[Any], comments: tuple[Comment, ...]) -> Incident:
    *values, custom_tags, system_tags, details = row[: len(_STORED)]
    decoded = _TAGS_DECODER.decode(custom_tags), _TAGS_DECODER.decode(system_tags), _DETAILS_DECODER.decode(details)
    return Incident(*(*values, *decoded, comments))
