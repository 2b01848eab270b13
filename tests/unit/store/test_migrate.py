"""Migrations: to the head, only forward, one at a time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from vedette.store import migrate
from vedette.store.engine import Store


@pytest.fixture
def store(tmp_path: Path):
    store = Store.in_folder(tmp_path)
    yield store
    store.close()


def test_an_empty_database_reaches_the_head_and_stays_there(store: Store) -> None:
    migrate.upgrade(store)
    assert migrate.is_current(store)
    migrate.upgrade(store)
    assert migrate.current_revision(store) == migrate.head_revision()


def test_a_newer_database_is_refused_with_one_sentence(store: Store) -> None:
    with store.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('from_the_future')"))
    with pytest.raises(migrate.NewerDatabaseError, match="newer version of Vedette"):
        migrate.upgrade(store)
    assert migrate.current_revision(store) == "from_the_future"


def test_concurrent_upgrades_wait_for_one_another(tmp_path: Path) -> None:
    stores = [Store.in_folder(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, stores))
    assert all(migrate.is_current(store) for store in stores)
    for store in stores:
        store.close()


def test_foreign_keys_are_enforced_again_afterwards(store: Store) -> None:
    migrate.upgrade(store)
    with store.connect() as connection:
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
