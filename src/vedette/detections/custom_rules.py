"""Rules that a tenant made: kept as they were written, checked against the hunting schema, run like all others."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.exc import IntegrityError

from vedette.detections.definitions import RuleDefinition, to_rule
from vedette.detections.rules import Rule
from vedette.detections.tables import DETECTION_HITS, DETECTION_RULE_RUNS, DETECTION_RULES
from vedette.errors import ConflictError
from vedette.odata.paging import Selection, cut_page, select_page
from vedette.store.tenancy import TenantRepository

RULE_CHANGED = "DetectionRuleChanged"
"""Outbox topic; payload `{"rule_id": …}`: the key of a rule that is to run now."""

KEY_PREFIX = "custom/"

QueryColumns = Callable[[str, str], tuple[str, ...] | None]
"""The columns that a query returns in a tenant, None where that shows only when it runs. Raises KqlError."""

RULE_FIELDS: Mapping[str, ColumnElement[Any]] = {
    name: DETECTION_RULES.c[name]
    for name in (
        "rule_id",
        "display_name",
        "is_enabled",
        "created",
        "created_by",
        "last_modified",
        "last_modified_by",
    )
}
"""Columns that surfaces may filter and sort by."""


class CustomRule(msgspec.Struct, frozen=True):
    """One rule and how its last run went."""

    rule_id: str
    key: str
    display_name: str
    is_enabled: bool
    created: int
    created_by: str
    last_modified: int
    last_modified_by: str
    definition: RuleDefinition
    query_columns: tuple[str, ...] | None
    """What the query returned when the rule was written; None where that shows only when it runs."""
    last_run: "LastRun | None" = None

    def to_rule(self) -> Rule:
        """What the engine runs. Raises InvalidRequestError for a definition that cannot be run."""
        columns = None if self.query_columns is None else frozenset(self.query_columns)
        return to_rule(self.key, self.definition, columns, enabled=self.is_enabled)


class LastRun(msgspec.Struct, frozen=True):
    """The last run of a rule; `at` in Unix seconds."""

    at: float
    status: str
    error: str | None


class CustomRules(TenantRepository):
    """The rules that one tenant made."""

    def get(self, rule_id: str) -> CustomRule | None:
        """One rule by its id, or None."""
        return self._one(DETECTION_RULES.c.rule_id == rule_id)

    def by_key(self, key: str) -> CustomRule | None:
        """One rule by its key, or None."""
        return self._one(DETECTION_RULES.c.key == key)

    def all(self) -> list[CustomRule]:
        """Every rule."""
        return [self._load(row) for row in self.connection.execute(self.select(DETECTION_RULES))]

    def page(self, selection: Selection) -> tuple[list[CustomRule], tuple[int | str, ...] | None]:
        """One page, and the sort keys of its last row if there are more."""
        rows = self.connection.execute(select_page(self.select(DETECTION_RULES), selection)).all()
        page, after = cut_page(rows, selection)
        return [self._load(row) for row in page], after

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many rules meet a condition."""
        statement = select(func.count()).select_from(DETECTION_RULES).where(self.own(DETECTION_RULES))
        return int(self.connection.scalar(statement if condition is None else statement.where(condition)) or 0)

    def save(self, rule: CustomRule) -> None:
        """Store a rule, new or changed. Raises ConflictError where another has its id or name."""
        values = {
            name: msgspec.to_builtins(getattr(rule, name))
            for name in rule.__struct_fields__
            if name not in ("last_run", "rule_id")
        }
        matches = DETECTION_RULES.c.rule_id == rule.rule_id, DETECTION_RULES.c.key == rule.key
        try:
            with self.connection.begin_nested():
                if self.connection.execute(self.update(DETECTION_RULES).where(*matches).values(values)).rowcount == 0:
                    self.insert(DETECTION_RULES, rule_id=rule.rule_id, **values)
        except IntegrityError as error:
            raise ConflictError("RuleExists", name=rule.display_name) from error

    def remove(self, rule: CustomRule) -> None:
        """Delete a rule, with what was remembered of its runs; its alerts stay."""
        self.connection.execute(self.delete(DETECTION_RULES).where(DETECTION_RULES.c.rule_id == rule.rule_id))
        for table in (DETECTION_HITS, DETECTION_RULE_RUNS):
            self.connection.execute(self.delete(table).where(table.c.rule_id == rule.key))

    def _one(self, condition: ColumnElement[bool]) -> CustomRule | None:
        row = self.connection.execute(self.select(DETECTION_RULES).where(condition)).first()
        return None if row is None else self._load(row)

    def _load(self, row: Row[Any]) -> CustomRule:
        runs = DETECTION_RULE_RUNS
        run = self.connection.execute(
            select(runs.c.last_run_at, runs.c.last_status, runs.c.last_error).where(
                self.own(runs), runs.c.rule_id == row.key
            )
        ).first()
        return CustomRule(
            rule_id=row.rule_id,
            key=row.key,
            display_name=row.display_name,
            is_enabled=row.is_enabled,
            created=row.created,
            created_by=row.created_by,
            last_modified=row.last_modified,
            last_modified_by=row.last_modified_by,
            definition=msgspec.convert(row.definition, RuleDefinition),
            query_columns=None if row.query_columns is None else tuple(row.query_columns),
            last_run=LastRun(run.last_run_at, run.last_status, run.last_error) if run and run.last_run_at else None,
        )
