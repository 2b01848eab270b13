"""Brings a data folder's database to this version's schema, quickly where nothing has to be done.

Asking Alembic costs most of half a second. So the answer is remembered beside the database: as long as the packaged
migrations and the database's revision are the ones last seen together, there is nothing to ask.
"""

import hashlib
from importlib import resources
from pathlib import Path

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from vedette.server.data_folder import DataFolder
from vedette.store.engine import Store


class _Seen(msgspec.Struct, frozen=True):
    migrations: str
    revision: str


def ensure_schema(folder: DataFolder) -> None:
    """Migrate if need be. Raises NewerDatabaseError."""
    path = folder.run / "schema.json"
    store = Store.in_folder(folder.root)
    try:
        revision = _revision(store)
        if revision is not None and _seen(path) == _Seen(_migrations(), revision):
            return
        from vedette.store.migrate import current_revision, upgrade

        upgrade(store)
        path.write_bytes(msgspec.json.encode(_Seen(_migrations(), current_revision(store) or "")))
    finally:
        store.close()


def _revision(store: Store) -> str | None:
    try:
        with store.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except SQLAlchemyError:  # a new database has no such table
        return None


def _migrations() -> str:
    folder = resources.files("vedette.store") / "migrations" / "versions"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".py"))
    contents = b"".join((folder / name).read_bytes() for name in names)
    return hashlib.sha256(" ".join(names).encode() + contents).hexdigest()


def _seen(path: Path) -> _Seen | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Seen)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
