"""Runs rules: query, new hits, alerts and their incident, each run's alerts in one transaction.

A hit is remembered, so that windows may overlap and runs may be repeated: no event makes a second alert.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import msgspec
from sqlalchemy import select, update

from vedette.clock import TICKS_PER_SECOND, Clock, format_ticks, now_ticks
from vedette.context import EVERYTHING, DataScope, Principal, RequestContext, Tenant
from vedette.detections.alerting import to_alerts
from vedette.detections.hits import Hit, hits_of
from vedette.detections.responses import Responder
from vedette.detections.rules import Rule
from vedette.detections.tables import DETECTION_HITS, DETECTION_RULE_RUNS
from vedette.errors import VedetteError
from vedette.hunting.results import Results
from vedette.ids import Ids, derived_guid
from vedette.incidents.alerts import ALERT_CREATED, Alert, create
from vedette.jobs.outbox import Outbox
from vedette.machines.device_groups import DeviceGroups
from vedette.observability.logs import get_logger
from vedette.observability.metrics import ALERTS
from vedette.store.engine import Store, conflict_insert
from vedette.store.tenancy import TenantRepository

LOG = get_logger(__name__)


class Window(msgspec.Struct, frozen=True):
    """The time of the events a run looks at, in ticks, start included and end excluded."""

    start: int
    end: int

    @property
    def timespan(self) -> str:
        """As a hunting request writes it."""
        return f"{format_ticks(self.start)}/{format_ticks(self.end - 1)}"


class RunOutcome(msgspec.Struct, frozen=True):
    """What a run of a rule found. `hits` counts all rows, also those of earlier alerts."""

    rule_id: str
    hits: int = 0
    alerts: tuple[Alert, ...] = ()
    error: str = ""


class Hunting(Protocol):
    """`hunting.service`, as far as rules need it."""

    def run(self, ctx: RequestContext, query: str, timespan: str | None = None) -> Results:
        """The query's answer."""
        ...


class Evaluator:
    """Evaluates rules for any tenant, one at a time per call. Thread-safe."""

    def __init__(
        self,
        store: Store,
        hunting: Hunting,
        outbox: Outbox,
        clock: Clock,
        ids: Ids,
        *,
        responder: Responder | None = None,
    ) -> None:
        """Without a responder, rules raise alerts and do nothing else."""
        self._responder = responder
        self._store = store
        self._hunting = hunting
        self._outbox = outbox
        self._clock = clock
        self._ids = ids

    def evaluate(self, tenant: Tenant, rule: Rule, window: Window | None = None) -> RunOutcome:
        """Run one rule over `window` (its own lookback if None). A failed query is an outcome, not an exception."""
        window = window or self._lookback(rule)
        try:
            results = self._hunting.run(self._context(tenant, rule), rule.query, window.timespan)
        except VedetteError as error:
            LOG.warning("detection rule failed", rule=rule.id, error=str(error))
            outcome = RunOutcome(rule.id, error=str(error))
            alerts: list[Alert] = []
        else:
            hits = list(hits_of(results))
            alerts = self._raise_alerts(tenant, rule, hits)
            outcome = RunOutcome(rule.id, len(hits), tuple(alerts))
        with self._store.begin() as connection:
            RuleRuns(connection, tenant.tenant_id).record(outcome, self._clock.time())
        return outcome

    def _raise_alerts(self, tenant: Tenant, rule: Rule, hits: Sequence[Hit]) -> list[Alert]:
        if not hits:
            return []
        created = []
        with self._store.begin() as connection:
            new = RuleRuns(connection, tenant.tenant_id).unseen(rule.id, hits, self._clock.time())
            for new_alert in to_alerts(rule, new, now_ticks(self._clock)):
                creation = create(
                    connection, tenant.tenant_id, new_alert, self._clock, self._ids, correlated=rule.correlated
                )
                if creation.is_new:
                    payload = {"alert_id": creation.alert.alert_id}
                    self._outbox.publish(connection, tenant.tenant_id, ALERT_CREATED, payload)
                    created.append(creation.alert)
            if self._responder is not None and rule.responses:
                self._responder.respond(connection, tenant.tenant_id, rule.title, rule.responses, new)
        for alert in created:
            ALERTS.labels(alert.severity).inc()
            LOG.info("alert raised", rule=rule.id, alert=alert.alert_id, incident=alert.incident_id)
        return created

    def _lookback(self, rule: Rule) -> Window:
        now = now_ticks(self._clock)
        return Window(now - rule.schedule.lookback_seconds * TICKS_PER_SECOND, now + 1)

    def _context(self, tenant: Tenant, rule: Rule) -> RequestContext:
        request_id, scope = self._ids.guid(), EVERYTHING
        if rule.device_groups:
            with self._store.connect() as connection:
                groups = DeviceGroups(connection, tenant.tenant_id).all()
            wanted = (each.group_id for each in groups if each.name in rule.device_groups)
            scope = DataScope(device_groups=frozenset(wanted))
        principal = rule_principal(tenant.tenant_id)
        return RequestContext(tenant, principal, request_id, request_id, base_url="", scope=scope)


def rule_principal(tenant_id: str) -> Principal:
    """On whose behalf rules hunt: a principal of the tenant that may read telemetry and nothing else."""
    return Principal(
        kind="application",
        tenant_id=tenant_id,
        object_id=derived_guid("detections", tenant_id),
        app_id=derived_guid("detections"),
        audience="vedette",
        roles=frozenset({"AdvancedHunting.Read.All"}),
        display_name="Detection rules",
    )


class RuleRuns(TenantRepository):
    """What one tenant's rules have found."""

    def unseen(self, rule_id: str, hits: Iterable[Hit], now: float) -> list[Hit]:
        """Those of `hits` that no earlier run saw; from now on they are seen."""
        new = []
        for hit in hits:
            row = {"tenant_id": self.tenant_id, "rule_id": rule_id, "hit_key": hit.key, "seen_at": now}
            statement = conflict_insert(self.connection, DETECTION_HITS).values(row).on_conflict_do_nothing()
            if self.connection.execute(statement).rowcount == 1:
                new.append(hit)
        return new

    def record(self, outcome: RunOutcome, now: float) -> None:
        """Keep how a run went."""
        values: dict[str, Any] = {
            "last_run_at": now,
            "last_status": "failed" if outcome.error else "completed",
            "last_error": outcome.error or None,
            "last_hits": outcome.hits,
        }
        where = DETECTION_RULE_RUNS.c.rule_id == outcome.rule_id
        made = len(outcome.alerts)
        statement = update(DETECTION_RULE_RUNS).where(self.own(DETECTION_RULE_RUNS), where)
        counted = statement.values(alerts=DETECTION_RULE_RUNS.c.alerts + made, **values)
        if self.connection.execute(counted).rowcount == 0:
            self.insert(DETECTION_RULE_RUNS, rule_id=outcome.rule_id, is_enabled=True, alerts=made, **values)

    def is_enabled(self, rule: Rule) -> bool:
        """Whether the tenant lets the rule run."""
        found = self.connection.scalar(
            select(DETECTION_RULE_RUNS.c.is_enabled).where(
                self.own(DETECTION_RULE_RUNS), DETECTION_RULE_RUNS.c.rule_id == rule.id
            )
        )
        return rule.enabled if found is None else bool(found)

    def set_enabled(self, rule_id: str, *, enabled: bool) -> None:
        """Let a rule run from now on, or not. Where it has never run, its own `enabled` counts."""
        where = DETECTION_RULE_RUNS.c.rule_id == rule_id
        values = {"is_enabled": enabled}
        self.connection.execute(update(DETECTION_RULE_RUNS).where(self.own(DETECTION_RULE_RUNS), where).values(values))

    def all(self) -> dict[str, Any]:
        """How each rule's last run went, by rule id."""
        return {row.rule_id: row for row in self.connection.execute(self.select(DETECTION_RULE_RUNS))}
