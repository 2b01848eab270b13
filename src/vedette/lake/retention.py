"""Rows leave the lake by age, files leave the disk when nobody can read them any more."""

from collections.abc import Sequence
from pathlib import Path

from vedette.lake.engine import LakeFolders
from vedette.lake.segments import Segment, Segments
from vedette.store.engine import Store

STRAY_SECONDS = 3_600.0
"""A file that no manifest row names and that is older than this was left by a process that died before publishing."""


def expire(store: Store, tenant_id: str, cutoff: int, now: float) -> int:
    """Retention: take segments out of the lake whose every row is before `cutoff` ticks. Returns how many."""
    with store.begin() as connection:
        manifest = Segments(connection, tenant_id)
        expired = manifest.older_than(cutoff)
        return manifest.retire(expired, now) if expired else 0


def remove_retired(store: Store, folders: LakeFolders, tenant_id: str, retired_before: float) -> int:
    """Delete files that left the lake before a Unix time.

    A query's lease is its deadline: no query outlives `MAX_QUERY_SECONDS` of the engine, so a caller that passes
    `now - MAX_QUERY_SECONDS` or less never takes a file from under a reader.
    """
    with store.connect() as connection:
        retired = Segments(connection, tenant_id).retired_before(retired_before)
    if not retired:
        return 0
    remove_files(folders.segments(tenant_id), retired)
    with store.begin() as connection:
        Segments(connection, tenant_id).forget(retired)
    return len(retired)


def remove_strays(store: Store, folders: LakeFolders, tenant_id: str, now: float) -> int:
    """Delete old files that no manifest row names: left by a process that died between writing and publishing."""
    folder = folders.segments(tenant_id)
    old = [path for path in folder.glob("*/*/*") if path.stat().st_mtime < now - STRAY_SECONDS]
    with store.connect() as connection:
        known = Segments(connection, tenant_id).paths()
    strays = [path for path in old if path.relative_to(folder).as_posix() not in known]
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def remove_files(folder: Path, segments: Sequence[Segment]) -> None:
    """Delete segments' files; missing ones are fine."""
    for segment in segments:
        (folder / segment.path).unlink(missing_ok=True)
