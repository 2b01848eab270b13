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


def test_an_event_that_a_subscriber_does_not_need_makes_no_job(
    store: Store, queue: JobQueue, clock: ManualClock
) -> None:
    outbox = Outbox(clock, RandomIds())
    with store.begin() as connection:
        for tables in (["GraphAPIAuditEvents"], ["DeviceEvents"]):
            outbox.publish(connection, "tenant-a", "EventsCommitted", {"tables": tables})
    needs = {"observe": lambda _connection, _tenant_id, payload: "DeviceEvents" in payload["tables"]}
    assert OutboxRelay(store, queue, {"EventsCommitted": ("observe", "count")}, needs).relay() == 2
    jobs = [job for job in (queue.claim() for _ in range(4)) if job]
    assert sorted((job.kind, job.payload["tables"][0]) for job in jobs) == [
        ("count", "DeviceEvents"),
        ("count", "GraphAPIAuditEvents"),
        ("observe", "DeviceEvents"),
    ]
