"""Builds what Graph's security surface and change notifications work with, from one process's services."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from vedette.clock import TICKS_PER_SECOND, now_ticks
from vedette.observability.logs import get_logger

if TYPE_CHECKING:
    from vedette.api.cursors import CursorBox
    from vedette.api.graph.routes import GraphParts
    from vedette.api.hunting import HuntingRunner
    from vedette.api.inner_calls import InnerCalls
    from vedette.clock import Clock
    from vedette.context import Tenant
    from vedette.detections.evaluate import Evaluator
    from vedette.detections.rules import Rule
    from vedette.egress.transport import Egress
    from vedette.identity.services import IdentityServices
    from vedette.ids import Ids
    from vedette.jobs.outbox import Outbox
    from vedette.jobs.queue import Job, JobQueue
    from vedette.jobs.schedule import Schedules
    from vedette.kql.catalog import Catalog
    from vedette.machines.telemetry import Telemetry
    from vedette.store.engine import Store
    from vedette.store.secrets import MasterKey
    from vedette.streaming.delivery import Delivery
    from vedette.streaming.lifecycle import DeliveryParts

LOG = get_logger(__name__)


class Services(Protocol):
    """What of a process's services is used here (`server.wiring`)."""

    clock: "Clock"
    ids: "Ids"

    @property
    def store(self) -> "Store": ...

    @property
    def master_key(self) -> "MasterKey": ...

    @property
    def cursors(self) -> "CursorBox": ...

    @property
    def outbox(self) -> "Outbox": ...

    @property
    def queue(self) -> "JobQueue": ...

    @property
    def schedules(self) -> "Schedules": ...

    @property
    def egress(self) -> "Egress": ...

    @property
    def telemetry(self) -> "Telemetry": ...

    @property
    def identity(self) -> "IdentityServices": ...

    @property
    def evaluator(self) -> "Evaluator": ...

    def catalog(self, tenant_id: str) -> "Catalog": ...


FIRST_RUN_SECONDS = 30 * 86_400
"""How far back the first run of a tenant's own rule looks."""


def graph_parts(services: Services, calls: "InnerCalls", hunting: "HuntingRunner") -> "GraphParts":
    """What the security part of Graph works with."""
    from vedette.api.graph.detection_rules import RuleParts
    from vedette.api.graph.routes import GraphParts
    from vedette.api.graph.subscriptions import SubscriptionParts
    from vedette.hunting.columns import query_columns
    from vedette.streaming.lifecycle import Lifecycle

    def columns(query: str, tenant_id: str) -> tuple[str, ...] | None:
        return query_columns(query, services.catalog(tenant_id))

    store, clock, ids = services.store, services.clock, services.ids
    deliveries = delivery_parts(services)
    return GraphParts(
        store=store,
        hunting=hunting,
        clock=clock,
        cursors=services.cursors,
        rules=RuleParts(store, columns, services.outbox, clock, ids),
        subscriptions=SubscriptionParts(
            store, deliveries.sealer, delivery(services).validate, clock, ids, Lifecycle(deliveries).watch
        ),
        calls=calls,
        telemetry=services.telemetry,
        identity=services.identity,
    )


def delivery(services: Services) -> "Delivery":
    """Sends change notifications."""
    from vedette.api.graph.subscriptions import subscription_filters
    from vedette.server.resource_data import describe_resource
    from vedette.streaming.delivery import Delivery
    from vedette.streaming.reach import reach
    from vedette.streaming.vouching import Voucher

    vouch = Voucher(services.identity).token
    return Delivery(delivery_parts(services), subscription_filters(), describe_resource, reach, vouch)


def delivery_parts(services: Services) -> "DeliveryParts":
    """What sending notifications takes."""
    from vedette.store.secrets import Sealer
    from vedette.streaming.lifecycle import DeliveryParts

    sealer = Sealer(services.master_key.derive("subscriptions"))
    return DeliveryParts(services.store, services.queue, services.egress, sealer, services.clock)


def notification_topics() -> Mapping[str, Sequence[str]]:
    """Kinds of jobs by topic of the outbox."""
    from vedette.incidents.changes import ALERT_CHANGED, INCIDENT_CHANGED
    from vedette.streaming.delivery import FAN_OUT

    return {INCIDENT_CHANGED: (FAN_OUT,), ALERT_CHANGED: (FAN_OUT,)}


def notification_handlers(services: Services) -> Mapping[str, "Callable[[Job], None]"]:
    """What runs the jobs of notifications."""
    from vedette.streaming.delivery import DELIVER, FAN_OUT
    from vedette.streaming.lifecycle import END, WARN, Lifecycle

    sender, lifecycle = delivery(services), Lifecycle(delivery_parts(services))
    return {FAN_OUT: sender.fan_out, DELIVER: sender.deliver, WARN: lifecycle.warn, END: lifecycle.end}


def tenant_rules(services: Services, tenant_id: str) -> Mapping[str, "Rule"]:
    """The rules that a tenant made and that are to run, by key. One that cannot be run any more stands as failed."""
    from vedette.detections.custom_rules import CustomRules
    from vedette.detections.evaluate import RuleRuns, RunOutcome
    from vedette.errors import ApiError

    with services.store.connect() as connection:
        own = CustomRules(connection, tenant_id).all()
    rules = {}
    for each in own:
        try:
            if each.is_enabled:
                rules[each.key] = each.to_rule()
        except ApiError as error:
            LOG.warning("detection rule cannot be run", rule=each.key, error=str(error))
            with services.store.begin() as connection:
                outcome = RunOutcome(each.key, error=str(error))
                RuleRuns(connection, tenant_id).record(outcome, services.clock.time())
    return rules


def run_tenant_rule(services: Services, tenant: "Tenant", key: str) -> None:
    """Run a tenant's own rule; the first time, over a month. One that is gone or off loses its schedule."""
    from vedette.detections.custom_rules import CustomRules
    from vedette.detections.evaluate import Window

    with services.store.begin() as connection:
        rule = CustomRules(connection, tenant.tenant_id).by_key(key)
        if rule is None or not rule.is_enabled:
            services.schedules.remove(connection, tenant.tenant_id, f"rule:{key}")
            return
    now = now_ticks(services.clock)
    first = Window(now - FIRST_RUN_SECONDS * TICKS_PER_SECOND, now + 1) if rule.last_run is None else None
    services.evaluator.evaluate(tenant, rule.to_rule(), first)
