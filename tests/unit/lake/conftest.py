"""A lake in a temporary folder, over the control plane's own tables."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vedette.clock import ManualClock
from vedette.ids import RandomIds
from vedette.jobs import tables as _jobs_tables  # noqa: F401 - declares the outbox
from vedette.jobs.outbox import Outbox
from vedette.lake.engine import LakeFolders
from vedette.lake.engines.duckdb import DuckDBEngine
from vedette.lake.engines.duckdb_files import DuckDBJson
from vedette.lake.publish import Publisher
from vedette.lake.writer import LakeWriter
from vedette.store.engine import Store
from vedette.store.metadata import METADATA

from .samples import NOW


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.in_folder(tmp_path)
    with store.begin() as connection:
        METADATA.create_all(connection)
    yield store
    store.close()


@pytest.fixture
def folders(tmp_path: Path) -> LakeFolders:
    return LakeFolders(tmp_path / "lake")


@pytest.fixture
def make_writer(store: Store, folders: LakeFolders, clock: ManualClock) -> Callable[[], LakeWriter]:
    def make() -> LakeWriter:
        ids = RandomIds()
        return LakeWriter(folders, clock, Publisher(store, folders, ids, Outbox(clock, ids)), DuckDBJson())

    return make


@pytest.fixture
def writer(make_writer: Callable[[], LakeWriter]) -> Iterator[LakeWriter]:
    writer = make_writer()
    yield writer
    writer.stop()


@pytest.fixture
def engine(store: Store, folders: LakeFolders) -> Iterator[DuckDBEngine]:
    engine = DuckDBEngine(store, folders, threads=2)
    yield engine
    engine.close()
