"""Connections to the control plane. A unit of work is one `with store.begin()`; reads use `with store.connect()`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

BUSY_TIMEOUT_MS = 15_000


class Store:
    """The control-plane database: SQLite (WAL) on one host, PostgreSQL beyond.

    Writers on SQLite take the write lock when they begin (BEGIN IMMEDIATE): a transaction that has read can then never
    fail half-way with SQLITE_BUSY because another process wrote in between.
    """

    def __init__(self, url: str) -> None:
        self.engine: Engine = create_engine(url)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _configure_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @classmethod
    def in_folder(cls, folder: Path) -> "Store":
        """The SQLite store of a data folder."""
        return cls(f"sqlite:///{folder / 'control.db'}")

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One write transaction: committed on return, rolled back on an exception."""
        with self.engine.connect().execution_options(vedette_write=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A consistent read-only view: one snapshot for everything read inside."""
        with self.engine.connect() as connection, connection.begin() as transaction:
            yield connection
            transaction.rollback()

    def close(self) -> None:
        """Close pooled connections."""
        self.engine.dispose()


def conflict_insert(connection: Connection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT that can say what to do about a row that is there already. Both databases spell it the same way."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # a large module that an installation on SQLite does not need

    return postgresql.insert(table)


def _configure_sqlite(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None  # transactions are begun below, not by the driver's guess
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        dbapi_connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("vedette_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
