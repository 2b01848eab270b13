"""Schedules make jobs on a fixed grid, one at a time, and do not catch up one by one."""

from vedette.clock import ManualClock
from vedette.jobs.queue import JobQueue
from vedette.jobs.schedule import Schedules, next_time
from vedette.store.engine import Store


def put(store: Store, schedules: Schedules, every: float, tenant: str = "tenant-a") -> None:
    with store.begin() as connection:
        schedules.put(connection, tenant, "rule:1", kind="detect", payload={"rule": "1"}, every_seconds=every)


def finish_all(queue: JobQueue) -> int:
    count = 0
    while job := queue.claim():
        queue.complete(job)
        count += 1
    return count


def test_it_is_due_at_once_and_then_every_so_often(store: Store, queue: JobQueue, clock: ManualClock) -> None:
    schedules = Schedules(store, queue, clock)
    put(store, schedules, 60)
    assert schedules.release_due() == 1
    assert schedules.release_due() == 0
    assert finish_all(queue) == 1
    clock.advance(60)
    assert schedules.release_due() == 1


def test_missed_times_make_one_job_and_the_grid_is_kept(store: Store, queue: JobQueue, clock: ManualClock) -> None:
    schedules = Schedules(store, queue, clock)
    put(store, schedules, 60)
    schedules.release_due()
    finish_all(queue)
    clock.advance(60 * 10 + 5)
    assert schedules.release_due() == 1
    finish_all(queue)
    clock.advance(54)
    assert schedules.release_due() == 0
    clock.advance(1)
    assert schedules.release_due() == 1


def test_a_job_still_waiting_is_not_made_twice(store: Store, queue: JobQueue, clock: ManualClock) -> None:
    schedules = Schedules(store, queue, clock)
    put(store, schedules, 60)
    schedules.release_due()
    clock.advance(60)
    assert schedules.release_due() == 0
    assert queue.depth() == {"pending": 1}


def test_tenants_have_schedules_of_their_own(store: Store, queue: JobQueue, clock: ManualClock) -> None:
    schedules = Schedules(store, queue, clock)
    put(store, schedules, 60, "tenant-a")
    put(store, schedules, 60, "tenant-b")
    with store.begin() as connection:
        assert schedules.remove(connection, "tenant-a", "rule:1")
        assert not schedules.remove(connection, "tenant-a", "rule:1")
    schedules.release_due()
    job = queue.claim()
    assert job is not None
    assert job.tenant_id == "tenant-b"


def test_the_next_time_is_after_now() -> None:
    assert next_time(100.0, 60.0, 100.0) == 160.0
    assert next_time(100.0, 60.0, 159.9) == 160.0
    assert next_time(100.0, 60.0, 160.0) == 220.0
