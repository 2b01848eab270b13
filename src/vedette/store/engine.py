"""Connections to the control plane. A unit of work is one `with store.begin()`; reads use `with store.connect()`."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import OperationalError

from vedette.errors import ApiError

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

BUSY_TIMEOUT_MS = 15_000
RETRY_AFTER = 1
"""Seconds after which somebody may try again who found the database busy for all that time."""


class Reading:
    """A read-only view whose connection is opened when something is first read from it.

    `version` is that of the database before then, or None where it cannot tell: what is read here is at least as new.
    """

    def __init__(self, open_connection: Callable[[], Connection], version: int | None = None) -> None:
        self._open = open_connection
        self.version = version

    @classmethod
    def over(cls, connection: Connection) -> "Reading":
        """The view of a connection that is open already."""
        return cls(lambda: connection)

    @cached_property
    def connection(self) -> Connection:
        """The connection: one snapshot for everything read."""
        return self._open()


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
        self._watch: sqlite3.Connection | None = None
        self._watch_lock = threading.Lock()

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

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """As `connect`, for those who may find what they need without a connection."""
        with ExitStack() as stack:
            yield Reading(lambda: stack.enter_context(self.connect()), self.version())

    def version(self) -> int | None:
        """A number that changes with every write that any process commits; None where the database cannot tell.

        SQLite tells within microseconds, to a connection that never writes itself.
        """
        path = self.engine.url.database
        if self.engine.dialect.name != "sqlite" or not path or path == ":memory:":
            return None
        with self._watch_lock:
            if self._watch is None:
                seconds = BUSY_TIMEOUT_MS / 1000
                self._watch = sqlite3.connect(path, seconds, isolation_level=None, check_same_thread=False)
            return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close pooled connections."""
        self.engine.dispose()
        with self._watch_lock:
            if self._watch is not None:
                self._watch.close()
                self._watch = None


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
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            raise ApiError("StoreBusy", retry_after=RETRY_AFTER) from error
        raise
