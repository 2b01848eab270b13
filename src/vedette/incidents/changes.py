"""Changes of incidents and alerts: numbered, kept as the activity log, told as news, and the basis of stable paging.

Numbers are given under the tenant's counter row, which stays locked until the change commits: what a reader sees is
always everything up to some number and nothing beyond.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Row,
    Select,
    String,
    Table,
    Text,
    cast,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.sql import visitors

from vedette.clock import from_ticks
from vedette.ids import derived_guid
from vedette.incidents.tables import ALERT_CHANGES, ALERTS, INCIDENT_CHANGES, INCIDENT_COUNTERS, INCIDENTS
from vedette.jobs.outbox import Event, publish_event
from vedette.odata.paging import Selection, SortKey, cut_page, merge_pages, select_page
from vedette.store.engine import conflict_insert
from vedette.store.tenancy import TenantRepository

INCIDENT_CHANGED = "IncidentChanged"
"""Outbox topic; payload `{"incident_id": …, "change_number": …, "activity": …}`."""

ALERT_CHANGED = "AlertChanged"
"""Outbox topic; payload `{"alert_id": …, "change_number": …, "activity": …}`."""

Facts = Mapping[str, object]


class By(msgspec.Struct, frozen=True):
    """Who does something, when (ticks), and over which surface: the API as people call it, or none."""

    actor: str
    now: int
    via: str | None = None


class Activity(msgspec.Struct, frozen=True):
    """One entry of an activity log. `facts` are what the activity is about: changed properties, an alert, a comment."""

    change_number: int
    activity: str
    actor: str
    at: int
    facts: Facts
    via: str | None = None


@dataclasses.dataclass(frozen=True)
class Versioned:
    """A table whose rows are kept in `changes` after each change. `key` is their id in both."""

    table: Table
    changes: Table
    key: str
    topic: str

    @property
    def id(self) -> Column[Any]:
        """The id, as the table has it."""
        return self.table.c[self.key]

    @property
    def state(self) -> list[str]:
        """Columns that both tables have: what changes keep."""
        return [column.name for column in self.changes.columns if column.name in self.table.c]


VERSIONED_INCIDENTS = Versioned(INCIDENTS, INCIDENT_CHANGES, "incident_id", INCIDENT_CHANGED)
VERSIONED_ALERTS = Versioned(ALERTS, ALERT_CHANGES, "alert_id", ALERT_CHANGED)


def columns_of(table: Table, entity: type[msgspec.Struct]) -> list[ColumnElement[Any]]:
    """The columns of an entity's fields, in their order. JSON comes as its text, for a decoder of its type."""
    columns = [table.c[name] for name in entity.__struct_fields__ if name in table.c]
    return [cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column for column in columns]


class Changes(TenantRepository):
    """The changes of one tenant."""

    def next_number(self) -> int:
        """The number of a change about to be made. Nobody else of the tenant changes anything until this commits."""
        counter = conflict_insert(self.connection, INCIDENT_COUNTERS).values(
            tenant_id=self.tenant_id, last_incident_id=0, last_change=1
        )
        statement = counter.on_conflict_do_update(
            index_elements=[INCIDENT_COUNTERS.c.tenant_id], set_={"last_change": INCIDENT_COUNTERS.c.last_change + 1}
        ).returning(INCIDENT_COUNTERS.c.last_change)
        return int(self.connection.execute(statement).scalar_one())

    def last_number(self) -> int:
        """The number of the last change that this transaction sees."""
        statement = select(INCIDENT_COUNTERS.c.last_change).where(self.own(INCIDENT_COUNTERS))
        return int(self.connection.scalar(statement) or 0)

    def keep(self, of: Versioned, key: int | str, activity: str, by: By, facts: Facts) -> None:
        """Record what a row has become: it carries the number of its change already."""
        texts = {"activity": activity, "actor": by.actor, "via": by.via}
        columns = [literal(text, String).label(name) for name, text in texts.items()]
        facts_column = literal(dict(facts), of.changes.c.facts.type).label("facts")
        state = [of.table.c[name] for name in of.state]
        row = select(*state, *columns, facts_column).where(self.own(of.table), of.id == key)
        self.connection.execute(insert(of.changes).from_select([*of.state, *texts, "facts"], row))
        number, at = self.connection.execute(
            select(of.table.c.change_number, of.table.c.last_update).where(self.own(of.table), of.id == key)
        ).one()
        event = Event(
            derived_guid(of.topic, self.tenant_id, f"{key}/{number}"),
            of.topic,
            {of.key: key, "change_number": number, "activity": activity},
            from_ticks(at),
        )
        publish_event(self.connection, self.tenant_id, event)

    def log(self, of: Versioned, key: int | str) -> list[Activity]:
        """The activity log of a row, oldest first."""
        table = of.changes
        statement = self.select(table).where(table.c[of.key] == key).order_by(table.c.change_number)
        return [
            Activity(row.change_number, row.activity, row.actor, row.last_update, row.facts, row.via)
            for row in self.connection.execute(statement)
        ]

    def page(
        self, of: Versioned, selection: Selection, columns: Sequence[ColumnElement[Any]] = ()
    ) -> tuple[Sequence[Row[Any]], tuple[int | str, ...] | None]:
        """Rows of a page (all columns, or some), and the sort keys of the last one if there are more.

        With a snapshot, rows are selected and ordered as they were then, and answered as they are.
        """
        rows_now = select(*columns).where(self.own(of.table)) if columns else self.select(of.table)
        if selection.snapshot is None:
            return cut_page(self._select_all(rows_now, selection), selection)
        unchanged = rows_now.where(of.table.c.change_number <= selection.snapshot)
        changed = self._changed_since(of, rows_now, selection.snapshot)
        rows = merge_pages(
            self._select_all(unchanged, selection),
            self._select_all(changed, _as_they_were(of, selection)),
            selection.order,
        )
        return cut_page(rows, selection)

    def _select_all(self, statement: Select[Any], selection: Selection) -> Sequence[Row[Any]]:
        return self.connection.execute(select_page(statement, selection)).all()

    def _changed_since(self, of: Versioned, rows_now: Select[Any], snapshot: int) -> Select[Any]:
        """Rows that were there at the snapshot and changed since, joined with what they were."""
        table, changes, earlier = of.table, of.changes, of.changes.alias("earlier")
        latest = (
            select(func.max(earlier.c.change_number))
            .where(
                earlier.c.tenant_id == self.tenant_id,
                earlier.c[of.key] == of.id,
                earlier.c.change_number <= snapshot,
            )
            .correlate(table)
            .scalar_subquery()
        )
        return rows_now.join_from(table, changes, self.own(changes) & (changes.c[of.key] == of.id)).where(
            table.c.change_number > snapshot, changes.c.change_number == latest
        )


def _as_they_were(of: Versioned, selection: Selection) -> Selection:
    kept = frozenset(of.state) - {"tenant_id", of.key}

    def replace(element: Any, **_: Any) -> Any:
        is_kept = isinstance(element, Column) and element.table is of.table and element.name in kept
        return of.changes.c[element.name] if is_kept else None

    def adapt(expression: ColumnElement[Any]) -> ColumnElement[Any]:
        adapted: ColumnElement[Any] = visitors.replacement_traverse(expression, {}, replace)
        return adapted

    order: tuple[SortKey, ...] = tuple((adapt(expression), descending) for expression, descending in selection.order)
    condition = None if selection.condition is None else adapt(selection.condition)
    return dataclasses.replace(selection, condition=condition, order=order)
