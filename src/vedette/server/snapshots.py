"""Copies of the state of a data folder, kept in it by name. Whoever calls these has the state for himself.

Segments never change, so a snapshot shares them with the lake by hard links where the file system allows it. Databases
are copied by SQLite itself, in one transaction: an open connection sees the old content or the new one. Snapshots are
for test suites: they are not synchronised with the disk, and no substitute for backups.
"""

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from vedette.errors import ApiError, ConflictError, InvalidRequestError, NotFoundError
from vedette.server.data_folder import DataFolder

DATABASES = ("control.db", "run/counters.db")
FOLDERS = ("quarantine", "rules")
FILES = ("demo.json", "clock.json", "run/faults.json")
LAKE = "lake"
MASTER_KEY = "master.key"
ABOUT = "snapshot.json"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Snapshot(msgspec.Struct, frozen=True, rename="camel"):
    """One saved state; `size` in bytes, what it shares with the lake included."""

    name: str
    saved_at: float
    revision: str
    size: int = 0


class _About(msgspec.Struct, frozen=True):
    saved_at: float
    revision: str


def save(folder: DataFolder, name: str, now: float) -> Snapshot:
    """Copy the state under `name`; it appears whole or not at all, in place of one of the same name."""
    target = _path(folder, name)
    draft = target.with_name(f".{name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    for database in DATABASES:
        if (folder.root / database).exists():
            _save_database(folder.root / database, draft / Path(database).name)
    about = _About(now, _revision(draft / "control.db"))
    (draft / LAKE).mkdir(mode=0o700)  # a lake without a row has no folder of its own yet
    _copy_segments(folder.lake, draft / LAKE)
    for entry in FOLDERS:
        if (folder.root / entry).is_dir():
            shutil.copytree(folder.root / entry, draft / entry)
    for entry in (*FILES, MASTER_KEY):
        if (folder.root / entry).exists():
            shutil.copy2(folder.root / entry, draft / Path(entry).name)
    (draft / ABOUT).write_bytes(msgspec.json.encode(about))
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    return Snapshot(name, about.saved_at, about.revision, _size(target))


def check(folder: DataFolder, name: str) -> None:
    """Refuse a snapshot that a running server cannot take over. Raises ApiError."""
    source = _existing(folder, name)
    if not _same(source / MASTER_KEY, folder.master_key):
        raise ConflictError("SnapshotOfOtherKeys", name=name)
    if _revision(source / "control.db") != _revision(folder.root / "control.db"):
        raise ConflictError("SnapshotOfOtherSchema", name=name)


def bring_back(folder: DataFolder, name: str) -> None:
    """Replace the state by the snapshot's.

    Everything that can fail for want of room is done before the first thing that cannot be taken back.
    """
    source = _existing(folder, name)
    draft = folder.run / "restore"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    for entry in (*FOLDERS, *(Path(file).name for file in (*FILES, MASTER_KEY))):
        if (source / entry).is_dir():
            shutil.copytree(source / entry, draft / entry)
        elif (source / entry).exists():
            shutil.copy2(source / entry, draft / entry)
    shutil.copytree(source / LAKE, draft / LAKE, ignore=shutil.ignore_patterns("*.parquet"))
    kept = _copy_segments(source / LAKE, folder.lake, logs=False)
    _copy_database(source / "control.db", folder.root / "control.db")
    _swap(folder, source, draft, kept)
    shutil.rmtree(draft)


def wipe_files(folder: DataFolder) -> None:
    """Delete the state but for the control plane and the master key."""
    for entry in (*FOLDERS, LAKE):
        shutil.rmtree(folder.root / entry, ignore_errors=True)
    for entry in FILES:
        (folder.root / entry).unlink(missing_ok=True)
    wipe_counters(folder)


def wipe_database(folder: DataFolder) -> None:
    """Delete the control plane and the master key of a server that does not run."""
    for entry in ("control.db", "control.db-wal", "control.db-shm", MASTER_KEY):
        (folder.root / entry).unlink(missing_ok=True)


def wipe_counters(folder: DataFolder) -> None:
    """Begin to count anew."""
    path = folder.run / "counters.db"
    if path.exists():
        with closing(sqlite3.connect(path, timeout=10)) as counters, counters:
            counters.execute("DELETE FROM counters")


def all_snapshots(folder: DataFolder) -> list[Snapshot]:
    """Every snapshot, by name."""
    if not folder.snapshots.is_dir():
        return []
    found = []
    for path in sorted(path for path in folder.snapshots.iterdir() if not path.name.startswith(".")):
        about = msgspec.json.decode((path / ABOUT).read_bytes(), type=_About)
        found.append(Snapshot(path.name, about.saved_at, about.revision, _size(path)))
    return found


def delete(folder: DataFolder, name: str) -> None:
    """Delete a snapshot."""
    source = _existing(folder, name)
    gone = source.with_name(f".{name}.gone")
    shutil.rmtree(gone, ignore_errors=True)
    source.rename(gone)
    shutil.rmtree(gone)


def _path(folder: DataFolder, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise InvalidRequestError("SnapshotNameInvalid", name=name)
    return folder.snapshots / name


def _existing(folder: DataFolder, name: str) -> Path:
    path = _path(folder, name)
    if not (path / ABOUT).is_file():
        raise NotFoundError("SnapshotNotFound", name=name)
    return path


def _copy_database(source: Path, target: Path) -> None:
    """The whole content, in one transaction of the target, which others may have open."""
    with closing(sqlite3.connect(source, timeout=10)) as old, closing(sqlite3.connect(target, timeout=10)) as new:
        new.execute("PRAGMA synchronous=OFF")
        old.backup(new)


def _save_database(source: Path, target: Path) -> None:
    """A copy at rest: one file, without a log beside it."""
    _copy_database(source, target)
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA synchronous=OFF")
        copy.execute("PRAGMA journal_mode=DELETE")


def _copy_segments(source: Path, target: Path, *, logs: bool = True) -> set[Path]:
    """Link what is not there yet; what has to be there, by its path below the lake."""
    wanted = {path.relative_to(source) for path in _files(source)}
    for relative in wanted:
        if relative.suffix == ".wal":
            if logs:
                (target / relative).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copy2(source / relative, target / relative)
        elif not (target / relative).exists():
            _link(source / relative, target / relative)
    return wanted


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _swap(folder: DataFolder, source: Path, draft: Path, kept: set[Path]) -> None:
    counters = source / "counters.db"
    if counters.exists():
        _copy_database(counters, folder.run / "counters.db")
    else:
        wipe_counters(folder)
    for path in list(_files(folder.lake)):
        if path.suffix == ".wal" or path.relative_to(folder.lake) not in kept:
            path.unlink(missing_ok=True)
    for log in (draft / LAKE).rglob("*.wal"):
        place = folder.lake / log.relative_to(draft / LAKE)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        log.replace(place)
    for entry in FOLDERS:
        shutil.rmtree(folder.root / entry, ignore_errors=True)
        if (draft / entry).is_dir():
            (draft / entry).replace(folder.root / entry)
    for entry in (*FILES, MASTER_KEY):
        if (draft / Path(entry).name).exists():
            (draft / Path(entry).name).replace(folder.root / entry)
        else:
            (folder.root / entry).unlink(missing_ok=True)


def _files(lake: Path) -> Iterator[Path]:
    """Segments and logs of all tenants; not what somebody is only about to write."""
    for place, _, names in os.walk(lake):
        yield from (Path(place) / name for name in names if name.endswith((".parquet", ".wal")))


def _revision(database: Path) -> str:
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            raise ApiError("SnapshotDamaged", name=database.parent.name) from error
    return str(row[0]) if row else ""


def _same(first: Path, second: Path) -> bool:
    return first.exists() == second.exists() and (not first.exists() or first.read_bytes() == second.read_bytes())


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
