"""Snapshots of a folder whose server does not run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vedette.api.faults import error_sentence
from vedette.clock import SystemClock
from vedette.errors import ApiError, UsageError
from vedette.server import snapshots
from vedette.server.data_folder import DataFolder, existing_data_folder, held
from vedette.server.snapshots import Snapshot


def save_snapshot(data: Path, name: str) -> Snapshot:
    """Save the state under a name."""
    with _alone(data) as folder:
        return snapshots.save(folder, name, SystemClock().time())


def restore_snapshot(data: Path, name: str) -> None:
    """Bring the state of a snapshot back. The next start brings an older schema up to date."""
    with _alone(data) as folder:
        snapshots.bring_back(folder, name)


def delete_snapshot(data: Path, name: str) -> None:
    """Delete a snapshot."""
    with _alone(data) as folder:
        snapshots.delete(folder, name)


def list_snapshots(data: Path) -> list[Snapshot]:
    """Every snapshot, by name."""
    return snapshots.all_snapshots(existing_data_folder(data))


def wipe(data: Path) -> None:
    """Delete everything but certificates and snapshots."""
    with _alone(data) as folder:
        snapshots.wipe_files(folder)
        snapshots.wipe_database(folder)


@contextmanager
def _alone(data: Path) -> Iterator[DataFolder]:
    folder = existing_data_folder(data)
    with held(folder):
        try:
            yield folder
        except ApiError as error:
            raise UsageError(error_sentence(error)) from error
