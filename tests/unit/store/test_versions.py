"""The version of the control plane: it changes with every committed write, and with nothing else."""

from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, select
from sqlalchemy.exc import IntegrityError

from vedette.identity.directory.cache import UnchangedCache
from vedette.store.engine import Reading, Store

METADATA = MetaData()
NUMBERS = Table("numbers", METADATA, Column("number", Integer, primary_key=True))


@pytest.fixture
def store(tmp_path: Path):
    store = Store.in_folder(tmp_path)
    METADATA.create_all(store.engine)
    yield store
    store.close()


def write(store: Store, number: int) -> None:
    with store.begin() as connection:
        connection.execute(NUMBERS.insert().values(number=number))


def count(reading: Reading) -> int:
    return reading.connection.execute(select(func.count()).select_from(NUMBERS)).scalar_one()


def test_it_changes_with_writes_of_any_process(store: Store, tmp_path: Path) -> None:
    first = store.version()
    assert store.version() == first
    write(store, 1)
    second = store.version()
    assert second != first
    other = Store.in_folder(tmp_path)
    write(other, 2)
    other.close()
    assert store.version() != second


def test_what_is_rolled_back_changes_nothing(store: Store) -> None:
    first = store.version()
    write(store, 1)
    second = store.version()
    with pytest.raises(IntegrityError):
        write(store, 1)
    assert first != second
    assert store.version() == second


def test_a_database_without_a_file_cannot_tell() -> None:
    assert Store("sqlite://").version() is None


def test_values_are_kept_until_something_is_written(store: Store) -> None:
    cache, reads = UnchangedCache(), []

    def counted() -> int:
        with store.reading() as reading:
            return cache.get(reading, "count", lambda: reads.append(1) or count(reading))

    assert [counted(), counted()] == [0, 0]
    write(store, 1)
    assert [counted(), counted()] == [1, 1]
    assert len(reads) == 2


def test_a_write_after_the_version_was_seen_is_not_missed(store: Store) -> None:
    cache = UnchangedCache()
    with store.reading() as reading:
        write(store, 1)
        assert cache.get(reading, "count", lambda: count(reading)) == 1
    write(store, 2)
    with store.reading() as reading:
        assert cache.get(reading, "count", lambda: count(reading)) == 2


def test_nothing_is_kept_where_the_database_cannot_tell(store: Store) -> None:
    cache, values = UnchangedCache(), iter(range(3))
    with store.connect() as connection:
        reading = Reading.over(connection)
        assert [cache.get(reading, "key", lambda: next(values)) for _ in range(3)] == [0, 1, 2]
