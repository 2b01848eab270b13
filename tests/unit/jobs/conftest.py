"""A control plane with the jobs' tables, a clock that is moved by hand, and a queue on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.clock import ManualClock
from vedette.ids import RandomIds
from vedette.jobs import tables
from vedette.jobs.queue import JobQueue
from vedette.store.engine import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.in_folder(tmp_path)
    with store.begin() as connection:
        for table in (tables.JOBS, tables.SCHEDULES, tables.OUTBOX):
            table.create(connection)
    yield store
    store.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000_000.0)


@pytest.fixture
def queue(store: Store, clock: ManualClock) -> JobQueue:
    return JobQueue(store, clock, RandomIds())
