"""Commands that save and restore the whole state of a data folder."""

from pathlib import Path

from vedette.cli.locate import data_path
from vedette.cli.output import DONE, print_table, say


def save(name: str, /, *, data: Path | None = None) -> int:
    """Save the state under a name. The server must not be running.

    Parameters
    ----------
    name
        Name of the snapshot; one of the same name is replaced.
    data
        The server's data folder.
    """
    from vedette.server.snapshots import save_snapshot

    say(f"saved {save_snapshot(data_path(data), name)}")
    return DONE


def restore(name: str, /, *, data: Path | None = None) -> int:
    """Bring the state of a snapshot back. The server must not be running.

    Parameters
    ----------
    name
        Name of the snapshot.
    data
        The server's data folder.
    """
    from vedette.server.snapshots import restore_snapshot

    restore_snapshot(data_path(data), name)
    say(f"restored {name}")
    return DONE


def list_(*, data: Path | None = None) -> int:
    """List the snapshots.

    Parameters
    ----------
    data
        The server's data folder.
    """
    from vedette.server.snapshots import list_snapshots

    print_table(("name", "MiB"), list_snapshots(data_path(data)))
    return DONE
