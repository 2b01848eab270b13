"""Jobs are claimed once, retried with growing pauses, set aside in the end, and taken over when a lease runs out."""

import multiprocessing
from pathlib import Path

import pytest

from vedette.clock import ManualClock, SystemClock
from vedette.ids import RandomIds
from vedette.jobs.queue import LEASE_SECONDS, MAX_ATTEMPTS, Job, JobQueue, retry_delay
from vedette.jobs.runner import JobRunner
from vedette.store.engine import Store


def add(store: Store, queue: JobQueue, kind: str = "k", **options: object) -> str | None:
    with store.begin() as connection:
        return queue.enqueue(connection, "tenant-a", kind, {"n": 1}, **options)  # type: ignore[arg-type]


def test_a_job_is_claimed_once_and_leaves_nothing_behind(store: Store, queue: JobQueue) -> None:
    add(store, queue)
    job = queue.claim()
    assert job is not None
    assert (job.tenant_id, job.kind, dict(job.payload), job.attempt) == ("tenant-a", "k", {"n": 1}, 1)
    assert queue.claim() is None
    assert queue.complete(job)
    assert queue.depth() == {}


def test_a_job_of_a_transaction_that_failed_does_not_exist(store: Store, queue: JobQueue) -> None:
    def fail_after_enqueuing() -> None:
        with store.begin() as connection:
            queue.enqueue(connection, "tenant-a", "k", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_enqueuing()
    assert queue.claim() is None


def test_a_key_keeps_a_second_job_out_until_the_first_is_done(store: Store, queue: JobQueue) -> None:
    assert add(store, queue, key="x")
    assert add(store, queue, key="x") is None
    assert add(store, queue, kind="other", key="x")
    for _ in range(2):
        job = queue.claim()
        assert job is not None
        queue.complete(job)
    assert add(store, queue, key="x")


def test_a_refused_key_does_not_harm_the_transaction(store: Store, queue: JobQueue) -> None:
    with store.begin() as connection:
        queue.enqueue(connection, "tenant-a", "k", {}, key="x")
        queue.enqueue(connection, "tenant-a", "k", {}, key="x")
        queue.enqueue(connection, "tenant-a", "k", {}, key="y")
    assert queue.depth() == {"pending": 2}


def test_a_job_for_later_waits(store: Store, queue: JobQueue, clock: ManualClock) -> None:
    add(store, queue, run_at=clock.time() + 10)
    assert queue.claim() is None
    clock.advance(10)
    assert queue.claim() is not None


def test_a_crashed_worker_s_job_is_taken_over_and_its_late_result_ignored(
    store: Store, queue: JobQueue, clock: ManualClock
) -> None:
    add(store, queue)
    first = queue.claim()
    assert first is not None
    clock.advance(LEASE_SECONDS)
    second = queue.claim()
    assert second is not None
    assert second.attempt == 2
    assert not queue.complete(first)
    assert not queue.fail(first, "late")
    assert queue.complete(second)


def test_a_lease_can_be_extended(store: Store, queue: JobQueue, clock: ManualClock) -> None:
    add(store, queue)
    job = queue.claim()
    assert job is not None
    clock.advance(LEASE_SECONDS - 1)
    assert queue.extend(job)
    clock.advance(LEASE_SECONDS - 1)
    assert queue.claim() is None


def test_failures_are_retried_with_growing_pauses_then_set_aside(
    store: Store, queue: JobQueue, clock: ManualClock
) -> None:
    add(store, queue, key="x")
    ran = 0

    def handler(job: Job) -> None:
        nonlocal ran
        ran += 1
        raise RuntimeError("broken")

    runner = JobRunner(queue, {"k": handler})
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert runner.run_next()
        assert not runner.run_next()
        clock.advance(retry_delay(attempt))
    assert ran == MAX_ATTEMPTS
    assert not runner.run_next()
    assert queue.depth() == {"dead": 1}
    assert add(store, queue, key="x"), "a dead job does not block its successor"


def test_one_bad_kind_does_not_stop_the_others(store: Store, queue: JobQueue) -> None:
    done = []
    add(store, queue, kind="unknown")
    add(store, queue, kind="known")
    runner = JobRunner(queue, {"known": done.append})
    while runner.run_next():
        pass
    assert [job.kind for job in done] == ["known"]


def _drain(folder: Path) -> list[str]:
    queue = JobQueue(Store.in_folder(folder), SystemClock(), RandomIds())
    claimed = []
    while job := queue.claim():
        claimed.append(job.job_id)
        queue.complete(job)
    return claimed


def test_several_processes_claim_each_job_exactly_once(store: Store, tmp_path: Path) -> None:
    queue = JobQueue(store, SystemClock(), RandomIds())
    with store.begin() as connection:
        made = {queue.enqueue(connection, "tenant-a", "k", {"n": n}) for n in range(60)}
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        claimed = [job for part in pool.map(_drain, [tmp_path, tmp_path]) for job in part]
    assert len(claimed) == 60
    assert set(claimed) == made
