"""Runs claimed jobs with the handlers it was given. One runner per thread; several processes may run side by side."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from threading import Event

from vedette.jobs.queue import Job, JobQueue
from vedette.observability.logs import bound, get_logger
from vedette.observability.metrics import JOB_SECONDS, JOBS

LOG = get_logger(__name__)

Handler = Callable[[Job], None]


class JobRunner:
    """Claims and runs jobs. A handler that raises is retried later; a kind without a handler is a failure, too.

    Each is done within a `unit` of work.
    """

    def __init__(
        self,
        queue: JobQueue,
        handlers: Mapping[str, Handler],
        unit: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._queue = queue
        self._handlers = handlers
        self._unit = unit

    def run_next(self) -> bool:
        """Run one job; False when none is due."""
        with self._unit():
            return self._run_next()

    def _run_next(self) -> bool:
        job = self._queue.claim()
        if job is None:
            return False
        with bound(tenant=job.tenant_id, job=job.kind, job_id=job.job_id):
            self._run(job)
        return True

    def run_until(self, stop: Event, idle_seconds: float = 0.5) -> None:
        """Run jobs as they fall due until `stop` is set."""
        while not stop.is_set():
            try:
                busy = self.run_next()
            except Exception:  # the control plane may be busy or away for a while; the jobs stay where they are
                LOG.exception("no job could be claimed")
                busy = False
            if not busy:
                stop.wait(idle_seconds)

    def _run(self, job: Job) -> None:
        started = time.perf_counter()
        try:
            self._handlers[job.kind](job)
        except Exception as error:  # one bad job must not stop the others; it is logged and tried again
            LOG.exception("job failed", attempt=job.attempt)
            JOBS.labels(job.kind, "failed").inc()
            self._queue.fail(job, f"{type(error).__name__}: {error}")
        else:
            JOBS.labels(job.kind, "done").inc()
            if not self._queue.complete(job):
                LOG.warning("job outlived its lease", attempt=job.attempt)
        JOB_SECONDS.labels(job.kind).observe(time.perf_counter() - started)
