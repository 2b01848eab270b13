"""Background work: jobs as they fall due, the outbox, schedules of every tenant, and the upkeep of the lake."""

import signal
import threading
from collections.abc import Sequence

from vedette.detections.evaluate import RuleRuns
from vedette.identity import upkeep
from vedette.jobs.runner import JobRunner
from vedette.observability.logs import get_logger
from vedette.server.notifications import tenant_rules
from vedette.server.wiring import MAINTAIN_LAKE, RUN_RULE, Services, job_handlers

LOG = get_logger(__name__)

TICK_SECONDS = 0.5
PLAN_SECONDS = 30.0
"""How soon a new tenant's schedules are made."""

MAINTENANCE_SECONDS = 300.0


class Worker:
    """Threads of background work over one process's services."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._since_planned = PLAN_SECONDS
        services.gate.on_change(self._plan_soon)

    def start(self) -> None:
        """Start the threads."""
        runner = JobRunner(self._services.queue, job_handlers(self._services), self._services.gate.unit)
        for name, target in (("jobs", lambda: runner.run_until(self._stopping)), ("ticks", self._tick_forever)):
            thread = threading.Thread(target=target, name=f"worker-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End the threads after what they are doing."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def run(self, signals: Sequence[int]) -> None:
        """Work until one of `signals`."""
        for number in signals:
            signal.signal(number, lambda *_: self._stopping.set())
        self.start()
        while not self._stopping.wait(TICK_SECONDS):  # a signal just before a wait without end would be lost
            continue
        self.stop()

    def _plan_soon(self) -> None:
        self._since_planned = PLAN_SECONDS

    def _tick_forever(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._services.gate.unit():
                    if self._since_planned >= PLAN_SECONDS:
                        plan(self._services)
                        self._since_planned = 0.0
                    self._services.relay.relay()
                    self._services.schedules.release_due()
            except Exception:  # the control plane may be busy or away for a while; what is due stays due
                LOG.exception("background tick failed")
            self._stopping.wait(TICK_SECONDS)
            self._since_planned += TICK_SECONDS


def plan(services: Services) -> None:
    """Give every tenant the schedules it should have. The one place that goes through all tenants."""
    for tenant in services.tenants():
        rules = {**services.rules.all(), **tenant_rules(services, tenant.tenant_id)}
        with services.store.begin() as connection:
            runs = RuleRuns(connection, tenant.tenant_id)
            for rule in rules.values():
                name = f"rule:{rule.id}"
                if not runs.is_enabled(rule):
                    services.schedules.remove(connection, tenant.tenant_id, name)
                    continue
                services.schedules.put(
                    connection,
                    tenant.tenant_id,
                    name,
                    kind=RUN_RULE,
                    payload={"rule_id": rule.id},
                    every_seconds=rule.schedule.frequency_seconds,
                )
            services.schedules.put(
                connection,
                tenant.tenant_id,
                "lake",
                kind=MAINTAIN_LAKE,
                payload={},
                every_seconds=MAINTENANCE_SECONDS,
            )
            services.schedules.put(
                connection,
                tenant.tenant_id,
                "identity",
                kind=upkeep.JOB,
                payload={},
                every_seconds=upkeep.EVERY_SECONDS,
            )
