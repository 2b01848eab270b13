"""A clock that is moved to an earlier time."""

from vedette.clock import ManualClock
from vedette.jobs.queue import JobQueue
from vedette.jobs.rewind import heed_earlier_time
from vedette.jobs.schedule import Schedules
from vedette.store.engine import Store

DAYS = 30 * 86_400.0


def test_schedules_and_short_waits_go_on(store: Store, queue: JobQueue, clock: ManualClock) -> None:
    schedules = Schedules(store, queue, clock)
    with store.begin() as connection:
        schedules.put(connection, "t", "rule", kind="run", payload={}, every_seconds=3600)
    clock.advance(DAYS)
    assert schedules.release_due() == 1
    assert queue.claim() is not None  # and held by who runs it
    with store.begin() as connection:
        queue.enqueue(connection, "t", "soon", {}, run_at=clock.time() + 5)
        queue.enqueue(connection, "t", "on a date", {}, run_at=clock.time() + 86_400)
    clock.advance(-DAYS)
    assert (schedules.release_due(), queue.claim()) == (0, None)
    with store.begin() as connection:
        heed_earlier_time(connection, clock.time())
    clock.advance(5)
    found = queue.claim()
    assert found is not None
    assert found.kind == "soon"
    assert queue.claim() is None
    assert schedules.release_due() == 0  # its job still runs
    assert queue.depth() == {"running": 2, "pending": 1}
