"""Handler of EventsCommitted: keeps machines up to date with telemetry as it arrives."""

from collections.abc import Callable

from vedette.clock import Clock
from vedette.context import Tenant
from vedette.jobs.queue import Job, JobQueue
from vedette.machines import inventory_rows
from vedette.machines.derivation import Derivation
from vedette.machines.observation import Commit, observe
from vedette.machines.telemetry import Telemetry
from vedette.store.engine import Store

JOB = "observe_machines"


class MachineUpdates:
    """Reads what a commit brought and merges it. A repeated job changes nothing."""

    def __init__(
        self, store: Store, telemetry: Telemetry, queue: JobQueue, clock: Clock, tenant: Callable[[str], Tenant | None]
    ) -> None:
        self._store = store
        self._telemetry = telemetry
        self._queue = queue
        self._clock = clock
        self._tenant = tenant

    def observe(self, job: Job) -> None:
        """Handle one commit."""
        tenant = self._tenant(job.tenant_id)
        if tenant is None:
            return  # the tenant is gone, and its telemetry with it
        payload = job.payload
        commit = Commit(tuple(payload["tables"]), payload["ingestion_from"], payload["ingestion_to"])
        observation = observe(self._telemetry, tenant, commit)
        with self._store.begin() as connection:
            if Derivation(connection, job.tenant_id).merge(observation):
                key = inventory_rows.KEY
                self._queue.enqueue(
                    connection, job.tenant_id, inventory_rows.JOB, {}, run_at=self._clock.time(), key=key
                )
