"""An event is told if and only if its transaction commits, to every subscriber, once."""

import pytest

from vedette.clock import ManualClock
from vedette.ids import RandomIds
from vedette.jobs.outbox import Outbox, OutboxRelay
from vedette.jobs.queue import JobQueue
from vedette.store.engine import Store


def test_every_subscriber_gets_a_job_of_the_event_s_tenant(store: Store, queue: JobQueue, clock: ManualClock) -> None:
    outbox = Outbox(clock, RandomIds())
    with store.begin() as connection:
        outbox.publish(connection, "tenant-a", "EventsCommitted", {"batch": "b"})
        outbox.publish(connection, "tenant-b", "NobodyListens", {})
    relay = OutboxRelay(store, queue, {"EventsCommitted": ("detect", "stream")})
    assert relay.relay() == 2
    assert relay.relay() == 0
    jobs = [queue.claim(), queue.claim()]
    assert {(job.kind, job.tenant_id, job.payload["batch"]) for job in jobs if job} == {
        ("detect", "tenant-a", "b"),
        ("stream", "tenant-a", "b"),
    }
    assert queue.claim() is None


def test_an_event_of_a_transaction_that_failed_is_not_told(store: Store, queue: JobQueue, clock: ManualClock) -> None:
    outbox = Outbox(clock, RandomIds())

    def fail_after_publishing() -> None:
        with store.begin() as connection:
            outbox.publish(connection, "tenant-a", "EventsCommitted", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_publishing()
    assert OutboxRelay(store, queue, {"EventsCommitted": ("detect",)}).relay() == 0
