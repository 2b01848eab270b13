"""Snapshots of a data folder: everything of it comes back, nothing of what came after stays."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from vedette.errors import ConflictError, InvalidRequestError, NotFoundError, UsageError
from vedette.server import snapshots
from vedette.server.data_folder import DataFolder, held, open_data_folder
from vedette.server.stored_state import delete_snapshot, list_snapshots, restore_snapshot, save_snapshot, wipe

TENANT = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """With a control plane, a segment, a log, and a file of everything else."""
    folder = open_data_folder(tmp_path)
    with closing(sqlite3.connect(tmp_path / "control.db")) as control, control:
        control.execute("PRAGMA journal_mode=WAL")
        control.execute("CREATE TABLE alembic_version (version_num TEXT)")
        control.execute("INSERT INTO alembic_version VALUES ('0001')")
        control.execute("CREATE TABLE things (name TEXT)")
    for path, text in (
        (f"lake/{TENANT}/segments/T/2026-11-23/a.parquet", "segment a"),
        (f"lake/{TENANT}/wal/1.wal", "log 1"),
        ("quarantine/b.jsonl", "{}"),
        ("rules/r.yaml", "id: r"),
        ("demo.json", "{}"),
        ("clock.json", '{"offset": 5}'),
        ("run/faults.json", "[]"),
        ("master.key", "k" * 32),
    ):
        write(folder, path, text)
    return folder


def write(folder: DataFolder, path: str, text: str) -> None:
    (folder.root / path).parent.mkdir(parents=True, exist_ok=True)
    (folder.root / path).write_text(text)


def add(folder: DataFolder, name: str) -> None:
    with closing(sqlite3.connect(folder.root / "control.db")) as control, control:
        control.execute("INSERT INTO things VALUES (?)", (name,))


def content(folder: DataFolder) -> dict[str, object]:
    """All of the state: files by path, and the rows of the database."""
    with closing(sqlite3.connect(folder.root / "control.db")) as control:
        rows = control.execute("SELECT name FROM things").fetchall()
    state = ("lake", "quarantine", "rules", "demo.json", "clock.json", "run/faults.json", "master.key")
    files = [path for path in folder.root.rglob("*") if path.is_file()]
    kept = {path.relative_to(folder.root).as_posix(): path for path in files}
    return {name: path.read_text() for name, path in kept.items() if name.startswith(state)} | {"rows": rows}


def test_everything_comes_back_and_nothing_else(folder: DataFolder) -> None:
    add(folder, "before")
    before = content(folder)
    snapshots.save(folder, "base", 7.0)
    add(folder, "after")
    write(folder, f"lake/{TENANT}/segments/T/2026-11-23/b.parquet", "segment b")
    write(folder, f"lake/{TENANT}/wal/2.wal", "log 2")
    write(folder, f"lake/{TENANT}/wal/1.wal", "log 1, longer")
    write(folder, "quarantine/c.jsonl", "{}")
    write(folder, "rules/r.yaml", "id: changed")
    write(folder, "clock.json", '{"offset": 99}')
    (folder.root / f"lake/{TENANT}/segments/T/2026-11-23/a.parquet").unlink()
    (folder.root / "demo.json").unlink()
    assert content(folder) != before
    snapshots.bring_back(folder, "base")
    assert content(folder) == before


def test_what_was_not_there_is_gone(folder: DataFolder) -> None:
    for name in ("clock.json", "run/faults.json"):
        (folder.root / name).unlink()
    snapshots.save(folder, "base", 7.0)
    write(folder, "clock.json", '{"offset": 99}')
    write(folder, "run/faults.json", "[]")
    snapshots.bring_back(folder, "base")
    assert not (folder.root / "clock.json").exists()
    assert not (folder.root / "run/faults.json").exists()


def test_an_open_connection_goes_on_with_what_came_back(folder: DataFolder) -> None:
    add(folder, "before")
    snapshots.save(folder, "base", 7.0)
    with closing(sqlite3.connect(folder.root / "control.db", isolation_level=None)) as connection:
        version = connection.execute("PRAGMA data_version").fetchone()
        add(folder, "after")
        assert connection.execute("SELECT count(*) FROM things").fetchone() == (2,)
        snapshots.bring_back(folder, "base")
        assert connection.execute("SELECT name FROM things").fetchall() == [("before",)]
        assert connection.execute("PRAGMA data_version").fetchone() != version


def test_segments_are_shared_with_the_lake(folder: DataFolder) -> None:
    snapshots.save(folder, "base", 7.0)
    path = f"{TENANT}/segments/T/2026-11-23/a.parquet"
    assert (folder.lake / path).samefile(folder.snapshots / "base" / "lake" / path)
    log = f"{TENANT}/wal/1.wal"
    assert not (folder.lake / log).samefile(folder.snapshots / "base" / "lake" / log)


def test_one_of_the_same_name_is_replaced(folder: DataFolder) -> None:
    snapshots.save(folder, "base", 7.0)
    add(folder, "after")
    snapshots.save(folder, "base", 8.0)
    (only,) = snapshots.all_snapshots(folder)
    assert (only.name, only.saved_at, only.revision) == ("base", 8.0, "0001")
    assert only.size > 0


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "-a", "a" * 65])
def test_names_stay_below_the_folder(folder: DataFolder, name: str) -> None:
    for act in (lambda: snapshots.save(folder, name, 0.0), lambda: snapshots.bring_back(folder, name)):
        with pytest.raises(InvalidRequestError, match="SnapshotNameInvalid"):
            act()


def test_a_running_server_refuses_what_it_cannot_read(folder: DataFolder) -> None:
    snapshots.save(folder, "base", 7.0)
    with pytest.raises(NotFoundError):
        snapshots.check(folder, "other")
    write(folder, "master.key", "o" * 32)
    with pytest.raises(ConflictError, match="SnapshotOfOtherKeys"):
        snapshots.check(folder, "base")
    write(folder, "master.key", "k" * 32)
    snapshots.check(folder, "base")
    with closing(sqlite3.connect(folder.root / "control.db")) as control, control:
        control.execute("UPDATE alembic_version SET version_num = '0002'")
    with pytest.raises(ConflictError, match="SnapshotOfOtherSchema"):
        snapshots.check(folder, "base")


def test_without_a_server(folder: DataFolder) -> None:
    add(folder, "before")
    before = content(folder)
    save_snapshot(folder.root, "base")
    wipe(folder.root)
    assert not (folder.root / "control.db").exists()
    assert not folder.lake.exists()
    restore_snapshot(folder.root, "base")
    assert content(folder) == before
    delete_snapshot(folder.root, "base")
    assert list_snapshots(folder.root) == []
    with pytest.raises(UsageError, match="There is no snapshot 'base'"):
        restore_snapshot(folder.root, "base")


def test_not_beside_a_server(folder: DataFolder) -> None:
    with held(folder), pytest.raises(UsageError, match="Another Vedette server"):
        save_snapshot(folder.root, "base")
