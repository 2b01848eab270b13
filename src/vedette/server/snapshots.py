"""Saves, restores and wipes the state of a data folder, for test suites. The server must not be running meanwhile.

Segments never change, so a snapshot shares them with the lake by hard links where the file system allows it.
"""

import os
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from vedette.errors import UsageError
from vedette.server.data_folder import DataFolder, existing_data_folder, held

STATE = ("control.db", "lake", "quarantine", "rules", "master.key", "demo.json")
"""What belongs to the state; certificates and settings stay as they are."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def save_snapshot(data: Path, name: str) -> Path:
    """Copy the state under `name`; it appears whole or not at all."""
    folder = existing_data_folder(data)
    target = _path(folder, name)
    with held(folder):
        draft = target.with_name(f".{name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        _copy_state(folder.root, draft)
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    return target


def restore_snapshot(data: Path, name: str) -> None:
    """Replace the state by the snapshot's."""
    folder = existing_data_folder(data)
    source = _path(folder, name)
    if not source.is_dir():
        raise UsageError(f"There is no snapshot {name} in {folder.snapshots}.")
    with held(folder):
        _remove_state(folder.root)
        _copy_state(source, folder.root)


def list_snapshots(data: Path) -> list[tuple[str, int]]:
    """Names and sizes in MiB."""
    folder = existing_data_folder(data)
    if not folder.snapshots.is_dir():
        return []
    names = sorted(path for path in folder.snapshots.iterdir() if not path.name.startswith("."))
    return [(path.name, _size(path) // 2**20) for path in names]


def wipe(data: Path) -> None:
    """Delete the state."""
    folder = existing_data_folder(data)
    with held(folder):
        _remove_state(folder.root)


def _path(folder: DataFolder, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise UsageError("A snapshot's name has letters, digits, dots, hyphens and underscores.")
    return folder.snapshots / name


def _copy_state(source: Path, target: Path) -> None:
    for entry in STATE:
        path = source / entry
        if entry == "control.db" and path.exists():
            _copy_database(path, target / entry)
        elif path.is_dir():
            shutil.copytree(path, target / entry, copy_function=_link_or_copy)
        elif path.exists():
            shutil.copy2(path, target / entry)


def _copy_database(source: Path, target: Path) -> None:
    """A copy without a write-ahead log beside it."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _link_or_copy(source: str, target: str) -> str:
    """Segments are shared; everything that may still change is copied."""
    if source.endswith(".parquet"):
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)
    else:
        shutil.copy2(source, target)
    return target


def _remove_state(root: Path) -> None:
    for entry in (*STATE, "control.db-wal", "control.db-shm"):
        path = root / entry
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
