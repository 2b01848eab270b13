"""Schema migrations of the control plane: linear, forward-only, from package resources. There is no alembic.ini."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text

from vedette.errors import UsageError
from vedette.store.engine import Store

SCRIPTS = "vedette.store:migrations"
LOCK_KEY = 0x5645_4445_5454
"""PostgreSQL advisory lock of migrations."""


class NewerDatabaseError(UsageError):
    """The database was written by a newer Vedette."""

    def __init__(self, revision: str) -> None:
        self.revision = revision
        super().__init__(
            f"The data folder was written by a newer version of Vedette (schema {revision}); "
            "use that version, or another data folder."
        )


def upgrade(store: Store) -> None:
    """Bring the database to this version's schema; concurrent callers wait for one another.

    Raises NewerDatabaseError if it is already beyond. All steps happen in one transaction, or none.
    """
    with _locked(store) as connection:
        _refuse_newer(connection)
        command.upgrade(_config(connection), "head")


def current_revision(store: Store) -> str | None:
    """The schema revision of the database; None for an empty one."""
    with store.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str | None:
    """The schema revision of this version of Vedette."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def is_current(store: Store) -> bool:
    """Whether the database has this version's schema."""
    return current_revision(store) == head_revision()


def write_revision(store: Store, message: str, metadata: MetaData) -> None:
    """For developers: write the migration that takes the database to `metadata`.

    The caller has imported every domain's `tables` module, and the database is at the head revision.
    """
    with _locked(store) as connection:
        config = _config(connection)
        config.attributes["metadata"] = metadata
        command.revision(config, message=message, autogenerate=True)


def _refuse_newer(connection: Connection) -> None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise NewerDatabaseError(revision)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _locked(store: Store) -> Iterator[Connection]:
    """A write transaction that excludes every other migration."""
    if store.engine.dialect.name == "sqlite":
        with _sqlite_rebuilding(store) as connection:
            yield connection
        return
    with store.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
        yield connection


@contextmanager
def _sqlite_rebuilding(store: Store) -> Iterator[Connection]:
    """SQLite alters a table by rebuilding it; meanwhile foreign keys must not cascade. They are checked at the end."""
    with store.engine.connect().execution_options(vedette_write=True) as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None, "a pooled connection is open"
        raw.cursor().execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                if broken is not None:
                    raise UsageError(f"The migration would leave a broken reference in table {broken[0]}.")
        finally:
            raw.cursor().execute("PRAGMA foreign_keys=ON")
